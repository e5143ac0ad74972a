"""Replies to a story: one detail is taken up, then at most one question is asked."""

from collections.abc import Mapping

from lifeecho_server.interview.bank import Slot, Texts
from lifeecho_server.interview.coverage import current_slot, wholly_told
from lifeecho_server.interview.decision import Changes, Decision, Direction, Intent
from lifeecho_server.interview.opening import with_question
from lifeecho_server.interview.questions import (
    Question,
    after,
    asked_keys,
    follow_up,
    next_question,
)
from lifeecho_server.interview.recognise import assents, knows_nothing
from lifeecho_server.interview.situation import Coverage, Speaker
from lifeecho_server.interview.speech import Heard
from lifeecho_server.interview.wording import pick


def answer_story(heard: Heard) -> Decision:
    """Answer a chip, a shrug, a yes or a story."""
    if heard.chosen is not None:
        return _begin_chosen(heard, heard.chosen)
    if knows_nothing(heard.text, heard.bank):
        return _go_on(heard, heard.bank.phrases.unknown)
    if assents(heard.text, heard.bank):
        if _question_is_open(heard):
            return _listen(heard, Changes())
        return _go_on(heard, heard.bank.phrases.agreed)
    return _take_up(heard)


def comfort(
    heard: Heard, wordings: Texts, profile: Mapping[str, str | int] | None = None
) -> Decision:
    """Stay with someone who grieves or suffered: comfort, an offer to rest, no digging later.

    ``profile`` is what was told about the person by the way.
    """
    bank = heard.bank
    words = pick(wordings, heard.values, heard.seed, heard.said)
    direction = Direction(bank.prompt.notes.comfort, question_allowed=False)
    changes = Changes(profile or {}, coverage=wholly_told(heard.told, heard.turns))
    return Decision(Intent.COMFORT, (words,), direction, changes)


def _take_up(heard: Heard) -> Decision:
    subject = heard.told.subject
    changes = Changes(coverage=heard.told.covered)
    question = None
    if subject is not None:
        question = follow_up(
            heard.bank.slots[subject],
            heard.situation.state,
            heard.quoted,
            heard.ample,
            heard.values,
            heard.seed,
            heard.bank,
        )
    if question is None:
        return _next_slot(heard, _acknowledgement(heard), changes)
    echoed = question.key.endswith(".echo")
    first = _plain(heard) if echoed else _acknowledgement(heard)
    return _asking(heard, Intent.FOLLOW_UP, first, question, changes)


def _go_on(heard: Heard, wordings: tuple[str, ...]) -> Decision:
    first = pick(wordings, heard.values, heard.seed, heard.said)
    return _next_slot(heard, first, Changes())


def _begin_chosen(heard: Heard, slot: Slot) -> Decision:
    """A tapped chip: ask about its slot, or listen when that was asked before."""
    changes = Changes(coverage=heard.told.covered)
    keys = asked_keys(heard.situation.state)
    if slot.id in keys:
        question = follow_up(
            slot, heard.situation.state, None, False, heard.values, heard.seed, heard.bank
        )
    else:
        text = pick(slot.questions, heard.values, heard.seed)
        question = Question(text, slot.id, slot.id)
    if question is None:
        return _listen(heard, changes)
    first = pick(heard.bank.phrases.agreed, heard.values, heard.seed, heard.said)
    return _asking(heard, Intent.NEXT_SLOT, first, question, changes)


def _next_slot(heard: Heard, first: str, changes: Changes) -> Decision:
    situation, bank = heard.situation, heard.bank
    slots = after(situation.state, changes.coverage, changes.declined)
    question = next_question(
        situation.state, slots, situation.stage, heard.story, heard.values, heard.seed, bank
    )
    if question is None:
        return _done(heard, changes)
    return _asking(heard, Intent.NEXT_SLOT, first, question, changes)


def _asking(
    heard: Heard, intent: Intent, first: str, question: Question, changes: Changes
) -> Decision:
    leads = intent is Intent.NEXT_SLOT and heard.chosen is None
    lead = _lead(heard, question) if leads else ()
    note = heard.bank.prompt.notes.ask.replace("{question}", question.text)
    return Decision(
        intent,
        (first, *lead, question.text),
        Direction(note, question_allowed=True),
        with_question(changes, question, heard.situation, heard.bank, leads=leads),
    )


def _lead(heard: Heard, question: Question) -> tuple[str, ...]:
    """A bridge, where the talk moves on to the very next stage or back to the beginning."""
    order = heard.bank.stage_ids
    before, stage = heard.situation.stage, question.stage
    if stage is None or stage == before:
        return ()
    place = order.index(stage)
    if place not in (0, order.index(before) + 1):
        return ()
    lead = pick(heard.bank.stage(stage).lead, heard.values, heard.seed)
    return () if lead in heard.said else (lead,)


def _acknowledgement(heard: Heard) -> str:
    """Take up the detail in the person's own words; warm words where none can be."""
    if heard.quoted is None:
        return _plain(heard)
    wordings = getattr(heard.bank.phrases, f"take_{heard.quoted.kind.value}")
    values = {"quote": heard.quoted.text}
    return pick(wordings, values, heard.seed, heard.said)


def _plain(heard: Heard) -> str:
    return pick(heard.bank.phrases.acknowledge, heard.values, heard.seed, heard.said)


def _listen(heard: Heard, changes: Changes) -> Decision:
    words = pick(heard.bank.phrases.go_on, heard.values, heard.seed, heard.said)
    note = heard.bank.prompt.notes.no_question.replace("{words}", words)
    return Decision(Intent.ACKNOWLEDGE, (words,), Direction(note, question_allowed=False), changes)


def _done(heard: Heard, changes: Changes) -> Decision:
    words = pick(heard.bank.phrases.all_told, heard.values, heard.seed, heard.said)
    note = heard.bank.prompt.notes.no_question.replace("{words}", words)
    return Decision(Intent.ACKNOWLEDGE, (words,), Direction(note, question_allowed=False), changes)


def _question_is_open(heard: Heard) -> bool:
    """Whether a bare yes answers a question that has not been told about yet."""
    said = [turn for turn in heard.situation.history if turn.speaker is Speaker.INTERVIEWER]
    slot = current_slot(heard.situation.state)
    if not said or slot is None:
        return False
    state = heard.situation.state.slots.get(slot)
    told = state is not None and state.coverage is Coverage.TOLD
    return not told and heard.bank.guard.question.search(said[-1].text) is not None
