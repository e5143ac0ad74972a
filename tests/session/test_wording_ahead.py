"""What is kept of questions worded ahead, and for how long; without a server."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
import trio
import trio.testing

from lifeecho_server.inference import Capabilities, EngineState, Inference, Metrics
from lifeecho_server.interview.ahead import LIKELY_MOST, likely_questions
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decide import chips, reply
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.situation import Profile, Situation, Speaker, Turn
from lifeecho_server.session.questions_ahead import QuestionsAhead
from lifeecho_server.session.wording import Wording
from lifeecho_server.settings import Settings
from tests.interview.sitting import NOW, Sitting

EN = Bank.load("en")
READY = Capabilities(EngineState.NONE, EngineState.READY, EngineState.NONE)
ROSE = Profile("Rose", 1943, "Leeds", "Leeds", "weaver")


def as_told(note: str) -> str:
    """Ask what the note says."""
    return note.rsplit("else: ", 1)[-1].rstrip("]") if "else: " in note else "How kind."


@dataclass
class Told:
    """The door to a model that says ``says`` of the note it is given."""

    says: Callable[[str], str] = as_told
    metrics: Metrics = field(default_factory=Metrics)
    asked: list[str] = field(default_factory=list)
    capabilities: Capabilities = READY

    @asynccontextmanager
    async def reply(self, messages: Any, **_: Any) -> AsyncIterator[AsyncIterator[str]]:
        note = messages[-1].content.rsplit("[", 1)[1]
        self.asked.append(note)
        yield self._pieces(self.says(note))

    async def _pieces(self, text: str) -> AsyncIterator[str]:
        await trio.lowlevel.checkpoint()
        yield text


def greeted() -> Sitting:
    sitting = Sitting(EN, profile=ROSE)
    sitting.greet()
    return sitting


def ahead(door: Told) -> QuestionsAhead:
    return QuestionsAhead(cast("Inference", door), EN, "c-1")


def chosen(sitting: Sitting) -> tuple[Situation, Decision]:
    """Return what happens when the first chip is tapped."""
    chip = chips(sitting.state, EN, 1)[0]
    situation = sitting.situation(Turn("t", Speaker.NARRATOR, chip.text, NOW))
    return situation, reply(situation, EN)


async def test_what_is_likely_is_worded_once() -> None:
    door, sitting = Told(), greeted()
    questions = ahead(door)
    for _ in range(2):
        await questions.word(sitting.situation())
    assert len(door.asked) == LIKELY_MOST == door.metrics.replies.questions_worded
    assert questions.worded(*chosen(sitting)) is not None


async def test_what_was_tried_in_vain_is_not_tried_again() -> None:
    door, sitting = Told(lambda _: "How are you?"), greeted()
    questions = ahead(door)
    for _ in range(2):
        await questions.word(sitting.situation())
    assert len(door.asked) == LIKELY_MOST == door.metrics.replies.questions_unfit
    assert questions.worded(*chosen(sitting)) is None


async def test_another_profile_makes_them_void() -> None:
    door, sitting = Told(), greeted()
    questions = ahead(door)
    await questions.word(sitting.situation())
    situation, decision = chosen(sitting)
    moved = replace(situation, profile=replace(ROSE, occupation="nurse"))
    assert questions.worded(moved, decision) is None
    await questions.word(replace(moved, unanswered=()))
    assert len(door.asked) == 2 * LIKELY_MOST


async def test_what_is_to_be_kept_out_of_the_book_is_in_none_of_them() -> None:
    door, sitting = Told(), greeted()
    questions = ahead(door)
    await questions.word(sitting.situation())
    situation, decision = chosen(sitting)
    sealing = sitting.say("Keep that out of the book.")
    assert sealing.changes.seal
    assert questions.worded(situation, sealing) is None
    assert questions.worded(situation, decision) is None


async def test_what_is_not_likely_any_more_is_forgotten() -> None:
    door, sitting = Told(), greeted()
    questions = ahead(door)
    await questions.word(sitting.situation())
    situation, decision = chosen(sitting)
    for _ in range(5):
        sitting.say("I don't remember.")
    assert decision.parts[-1] not in {one.text for one in likely_questions(sitting.situation(), EN)}
    await questions.word(sitting.situation())
    assert questions.worded(situation, decision) is None


async def test_what_touches_on_a_topic_just_refused_is_not_asked() -> None:
    door, sitting = Told(lambda note: f"Of the garden, {as_told(note)}"), greeted()
    questions = ahead(door)
    await questions.word(sitting.situation())
    situation, decision = chosen(sitting)
    assert questions.worded(situation, decision) is not None
    refused = replace(situation, state=replace(situation.state, avoided=("garden",)))
    assert questions.worded(refused, decision) is None


@dataclass
class Halting:
    """Takes sentences until one is said that it never gets over."""

    at: int
    said: list[str] = field(default_factory=list)

    async def sentence(self, text: str, so_far: str) -> None:
        del so_far
        self.said.append(text)
        if len(self.said) == self.at:
            await trio.sleep_forever()

    async def part(self, text: str, *, total: int | None, final: bool) -> None:
        del text, total, final
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("at", [1, 2])
async def test_a_new_turn_cuts_it_off_wherever_it_is(at: int) -> None:
    door, sitting, telling = Told(), greeted(), Halting(at)
    questions = ahead(door)
    await questions.word(sitting.situation())
    wording = Wording(cast("Inference", door), Settings(), EN, questions, "c-1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wording.speak, *chosen(sitting), telling)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    counts = door.metrics.replies
    assert len(telling.said) == at
    assert (counts.cut_off, counts.by_model, counts.asked_ahead) == (1, 0, 0)
