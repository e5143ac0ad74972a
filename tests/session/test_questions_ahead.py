"""Questions worded ahead, asked at the socket; the model is one that answers by what it is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from lifeecho_server.engines.chat_model import Advance
from lifeecho_server.engines.llama import ModelUnusable
from lifeecho_server.interview.ahead import LIKELY_MOST
from tests.house import House, Talker
from tests.inference.fakes import END, FakeChatModel
from tests.session.engines import PATIENCE, Engines, Gate
from tests.session.watched import WatchedModel

WARM = "That sounds lovely."
AHEAD, TAKE_UP = "Ask only this, in one warm sentence", "Answer what was just told in one short"
"""How the notes begin that ask for a question alone, and for no question."""


@dataclass
class Obliging(FakeChatModel):
    """Takes up kindly what was told, and asks what it is told to ask in words of its own."""

    max_sequences: int = 8
    context_size: int = 100_000
    worded: Callable[[str], str] = lambda question: f"Do tell me, {lower(question)}"
    warm: str = WARM

    def _next(self, sequence: int) -> int:
        prompt, said = bytes(self.tokens_of(sequence)).decode("utf-8", "replace").rsplit("\n>", 1)
        answer = self._answer(prompt.rsplit("user:", 1)[1]).encode()
        place = len(said.encode())
        return answer[place] if place < len(answer) else END

    def _answer(self, told: str) -> str:
        if AHEAD in told:
            return self.worded(told.rsplit("else: ", 1)[1].rstrip("]\n"))
        return self.warm if TAKE_UP in told else f"{self.warm} And then?"


def lower(text: str) -> str:
    return text[0].lower() + text[1:]


class Sitting:
    """A house whose model comes when Rose has been greeted."""

    def __init__(self, build_house: Callable[..., House], model: Obliging, **settings: object):
        self.greeted = Gate()
        self.model = WatchedModel(model)
        self.house = build_house(
            engines=Engines(new_chat_model=self._load), re_greeting=False, **settings
        )
        self.house.elder("rose")

    def _load(self) -> WatchedModel:
        self.greeted.wait()
        return self.model

    def greet(self) -> Talker:
        """Open the conversation, and wait until the two likeliest questions are worded."""
        talker = self.house.opened("rose")
        self.greeted.opened.set()
        talker.until_capability("llm", "ready")
        counts = self.house.metrics.replies
        # Looked at after a step: when the third question is begun the two before it are there.
        self.model.wait_until(lambda: counts.questions_worded + counts.questions_unfit >= 2)
        return talker

    def questions(self) -> list[str]:
        """Return the questions that the model was asked to word ahead, in order."""
        every = [str(prompt[-1].content) for prompt in self.model.prompts]
        return [note.rsplit("else: ", 1)[1] for note in every if AHEAD in note]


def asked(talker: Talker, words: str) -> list[str]:
    talker.text(words)
    talker.until("message_ack")
    return [part["text"] for part in talker.reply()]


def topic(talker: Talker) -> str:
    """Return what a tapped chip says: the topic that is likeliest to come next."""
    chips = next(m["data"] for m in talker.seen if m["type"] == "topic_suggestions")
    text: str = chips["suggestions"][0]["text"]
    return text


def notes(model: WatchedModel) -> list[str]:
    """Return the notes of all replies, without those of questions ahead."""
    every = [str(prompt[-1].content).rsplit("[", 1)[-1] for prompt in model.prompts]
    return [note for note in every if note.endswith("]") and AHEAD not in note]


def test_a_question_worded_ahead_is_asked_after_what_was_told_is_taken_up(
    build_house: Callable[..., House],
) -> None:
    sitting = Sitting(build_house, Obliging())
    with sitting.greet() as talker:
        parts = asked(talker, topic(talker))
    assert parts[0] == WARM
    assert parts[1].startswith("Do tell me, ")
    assert len(parts) == 2
    assert TAKE_UP in notes(sitting.model)[-1]
    counts = sitting.house.metrics.replies
    assert (counts.by_model, counts.asked_ahead, counts.cut_off) == (1, 1, 0)


def test_it_is_kept_in_the_history_like_any_other(build_house: Callable[..., House]) -> None:
    sitting = Sitting(build_house, Obliging())
    with sitting.greet() as talker:
        parts = asked(talker, topic(talker))
    kept = sitting.house.ask("SELECT text FROM reply_parts ORDER BY turn_id, position")
    assert [text for (text,) in kept][-2:] == parts


def test_another_question_is_worded_as_ever(build_house: Callable[..., House]) -> None:
    sitting = Sitting(build_house, Obliging())
    with sitting.greet() as talker:
        parts = asked(talker, "My brother Tom kept pigeons on the roof of the wash house.")
    assert " ".join(parts) == f"{WARM} And then?"
    assert sitting.house.metrics.replies.asked_ahead == 0


def test_a_model_that_dies_leaves_the_scripts_words_and_the_question(
    build_house: Callable[..., House],
) -> None:
    model = Obliging()
    sitting = Sitting(build_house, model)

    def die(_: Sequence[Advance]) -> None:
        raise ModelUnusable("the model died")

    with sitting.greet() as talker:
        model.hook = die
        parts = asked(talker, topic(talker))
    assert len(parts) == 2
    assert WARM not in parts[0]
    assert parts[1].startswith("Do tell me, ")
    counts = sitting.house.metrics.replies
    assert (counts.by_model, counts.by_script - 1, counts.asked_ahead) == (0, 1, 1)
    assert counts.model_faults == {"EngineFailed": 1}


def test_a_model_that_is_slow_leaves_the_scripts_words_and_the_question(
    build_house: Callable[..., House],
) -> None:
    model, gate = Obliging(), Gate()
    sitting = Sitting(build_house, model, first_words_timeout=0.2)
    try:
        with sitting.greet() as talker:
            model.hook = lambda _: gate.wait()
            parts = asked(talker, topic(talker))
    finally:
        gate.opened.set()
    assert len(parts) == 2
    assert parts[1].startswith("Do tell me, ")
    assert sitting.house.metrics.replies.model_faults == {"TooSlowError": 1}


@pytest.mark.parametrize(
    "worded",
    [
        "How are you?",
        "Oh, how I love those old days.",
        "<think>They want me to ask",
        "您小时候的家是什么样子的？",
        "In 1887 Mr Fotheringay asked your mother in Timbuktu?",
        "",
    ],
)
def test_what_is_no_wording_of_the_question_is_not_asked(
    build_house: Callable[..., House], worded: str
) -> None:
    sitting = Sitting(build_house, Obliging(worded=lambda _: worded))
    with sitting.greet() as talker:
        parts = asked(talker, topic(talker))
    assert worded not in parts
    counts = sitting.house.metrics.replies
    assert (counts.asked_ahead, counts.questions_worded) == (0, 0)


def test_what_comes_after_the_question_is_not_asked(build_house: Callable[..., House]) -> None:
    sitting = Sitting(build_house, Obliging(worded=lambda question: f"{question} And why? Why?"))
    with sitting.greet() as talker:
        parts = asked(talker, topic(talker))
    assert len(parts) == 2
    assert parts[1].count("?") == 1


def test_nothing_of_the_model_is_asked_in_its_taking_up(build_house: Callable[..., House]) -> None:
    sitting = Sitting(build_house, Obliging(warm="Why? How lovely. And so on. And more."))
    with sitting.greet() as talker:
        parts = asked(talker, topic(talker))
    assert parts[0] == "How lovely."
    assert len(parts) == 2
    assert sitting.house.metrics.replies.refused["question_not_allowed"] == 1


def test_what_is_likely_still_is_not_worded_again(build_house: Callable[..., House]) -> None:
    sitting = Sitting(build_house, Obliging())
    with sitting.greet() as talker:
        worded = len(sitting.questions())
        assert worded == LIKELY_MOST
        asked(talker, topic(talker))
        sitting.model.wait_until(lambda: len(sitting.questions()) > worded)
    again = sitting.questions()
    assert len(set(again)) == len(again)


def test_somebody_who_talks_is_not_disturbed_by_wording(build_house: Callable[..., House]) -> None:
    gate = Gate()
    model = Obliging()
    sitting = Sitting(build_house, model)

    def at_a_question(work: Sequence[Advance]) -> None:
        evaluated = (bytes([*model.tokens_of(one.sequence), *one.tokens]) for one in work)
        if any(AHEAD.encode() in text for text in evaluated):
            gate.wait()

    model.hook = at_a_question
    with sitting.house.opened("rose") as talker:
        sitting.greeted.opened.set()
        assert gate.reached.wait(PATIENCE)
        talker.say("recording_started", voice_session_id="v-1")
        talker.quiet()
        gate.opened.set()
        assert asked(talker, "We had a wash house.")
    begun, answered = (
        next(one for one in sitting.model.prompts if mark in one[-1].content)
        for mark in (AHEAD, "We had a wash house.")
    )
    between = sitting.model.steps[sitting.model.asked_at(begun) : sitting.model.asked_at(answered)]
    assert not any(advance.sample for step in between for advance in step)
