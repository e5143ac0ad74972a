"""Opening the interview, and greeting someone who is back."""

from dataclasses import dataclass, replace
from datetime import timedelta

from lifeecho_server.interview.bank import Bank, Texts
from lifeecho_server.interview.decision import Changes, Decision, Direction, Intent
from lifeecho_server.interview.detail import DetailKind, Quoted, detail_of
from lifeecho_server.interview.questions import Grounds, Question, more_of_it, next_question
from lifeecho_server.interview.recognise import command_of, grieves, suffered
from lifeecho_server.interview.situation import Situation
from lifeecho_server.interview.speech import narrator_turns
from lifeecho_server.interview.topics import touches
from lifeecho_server.interview.wording import (
    gap_wordings,
    interviewer_words,
    known_values,
    pick,
    seed_of,
)

_SAME_DAY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class _Thread:
    """A word from an earlier talk, and the slot that it told of."""

    quoted: Quoted
    slot: str | None


def opening(situation: Situation, bank: Bank, refused: frozenset[str] = frozenset()) -> Decision:
    """Open an empty conversation, with place, era and what was told before in mind."""
    phrases, values, seed = bank.phrases, known_values(situation.profile, bank), seed_of(situation)
    hello = pick(_hello(situation, bank), values, seed)
    question = first_question(situation, bank)
    changes = Changes(refused=refused)
    if question is None:
        return _all_told(Intent.OPENING, hello, bank, changes, seed)
    thread = _thread(situation, bank)
    bridge = (
        _bridge(situation, bank)
        if thread is None
        else _quoted(thread.quoted, phrases.open_thread_person, phrases.open_thread_thing, seed)
    )
    note = bank.prompt.notes.ask_first.replace("{question}", question.text)
    return Decision(
        Intent.OPENING,
        (hello, bridge, question.text),
        Direction(note, question_allowed=True),
        with_question(changes, question, situation, bank),
    )


def open_in_reply(situation: Situation, bank: Bank, changes: Changes, *, gently: bool) -> Decision:
    """Open the interview in the reply that completes the profile; ``gently``: with no question."""
    values, seed = known_values(situation.profile, bank), seed_of(situation)
    ready = pick(bank.phrases.open_ready, values, seed)
    if gently:
        return Decision(
            Intent.OPENING,
            (ready, pick(bank.stage(situation.stage).invite, values, seed)),
            None,
            changes,
        )
    question = first_question(situation, bank)
    if question is None:
        return _all_told(Intent.OPENING, ready, bank, changes, seed)
    note = bank.prompt.notes.profile.replace("{question}", question.text)
    return Decision(
        Intent.OPENING,
        (ready, _bridge(situation, bank), question.text),
        Direction(note, question_allowed=True),
        with_question(changes, question, situation, bank),
    )


def re_greeting(situation: Situation, bank: Bank, idle: timedelta) -> Decision:
    """Greet by how long it was, name something real from last time, and go on."""
    phrases, values, seed = bank.phrases, known_values(situation.profile, bank), seed_of(situation)
    said = interviewer_words(situation)
    hello = pick(gap_wordings(idle, bank), values, seed, said)
    thread, question = _thread(situation, bank), None
    if thread is None:
        bridge = pick(phrases.thread_none, values, seed)
    else:
        bridge = _quoted(thread.quoted, phrases.thread_person, phrases.thread_thing, seed)
        question = more_of_it(_grounds(situation, bank), thread.slot)
    goes_on = question is not None  # with the thread, which moves no stage
    question = question or first_question(situation, bank)
    if question is None:
        return _all_told(Intent.RE_GREETING, hello, bank, Changes(), seed)
    note = bank.prompt.notes.re_greet.replace("{question}", question.text)
    note = note.replace("{words}", f"{hello} {bridge}")
    return Decision(
        Intent.RE_GREETING,
        (hello, bridge, question.text),
        Direction(note, question_allowed=True),
        with_question(Changes(), question, situation, bank, leads=not goes_on),
    )


def first_question(situation: Situation, bank: Bank) -> Question | None:
    """Return the next slot's question with nothing just told to go by."""
    return next_question(_grounds(situation, bank))


def with_question(
    changes: Changes, question: Question, situation: Situation, bank: Bank, *, leads: bool = True
) -> Changes:
    """Add an asked question, and the stage it leads to; a stage never goes back.

    Without ``leads`` the question follows the person, and the interview stays in its stage.
    """
    order = bank.stage_ids
    now = situation.stage if situation.stage in order else order[0]
    then = question.stage or now
    onward = then if leads and order.index(then) > order.index(now) else now
    moved = onward if onward != situation.state.stage else None
    asked = ((question.key, question.slot), *((key, question.slot) for key in question.also))
    return replace(changes, asked=asked, stage=moved)


def _hello(situation: Situation, bank: Bank) -> Texts:
    """Someone who talked in another conversation is no stranger: how long it was is in the tone."""
    if not situation.told_before:
        return bank.phrases.open_hello
    idle = situation.now - situation.told_before[-1].said_at
    return bank.phrases.open_hello if idle < _SAME_DAY else gap_wordings(idle, bank)


def _bridge(situation: Situation, bank: Bank) -> str:
    values, seed = known_values(situation.profile, bank), seed_of(situation)
    first = situation.stage == bank.stage_ids[0]
    wordings = bank.phrases.open_place if first and "place" in values else bank.phrases.open_plain
    return pick(wordings, values, seed)


def _grounds(situation: Situation, bank: Bank) -> Grounds:
    state = situation.state
    return Grounds(
        state=state,
        slots=state.slots,
        profile=situation.profile,
        stage=situation.stage,
        told="",
        values=known_values(situation.profile, bank),
        seed=seed_of(situation),
        bank=bank,
        avoided=state.avoided,
    )


def _thread(situation: Situation, bank: Bank) -> _Thread | None:
    """The last thing really said that can be taken up; nothing that hurts or was refused."""
    state = situation.state
    sore = (known for known in state.slots.values() if known.sensitive or known.declined)
    hurting = {turn for known in sore for turn in known.evidence}
    for turn in reversed(narrator_turns(situation.told_before + situation.history)):
        hurts = grieves(turn.text, bank) or suffered(turn.text, bank) or turn.id in hurting
        if hurts or touches(turn.text, state.avoided, bank) or command_of(turn.text, bank):
            continue
        quoted = detail_of(turn.text, bank)
        if quoted is not None:
            slots = (slot for slot, known in state.slots.items() if turn.id in known.evidence)
            return _Thread(quoted, next(slots, None))
    return None


def _quoted(quoted: Quoted, person: Texts, thing: Texts, seed: int) -> str:
    wordings = person if quoted.kind is DetailKind.PERSON else thing
    return pick(wordings, {"quote": quoted.text}, seed)


def _all_told(intent: Intent, first: str, bank: Bank, changes: Changes, seed: int) -> Decision:
    words = pick(bank.phrases.all_told, {}, seed)
    note = bank.prompt.notes.no_question.replace("{words}", words)
    return Decision(intent, (first, words), Direction(note, question_allowed=False), changes)
