"""What the interviewer says next: greetings, replies and topic suggestions."""

from datetime import timedelta

from lifeecho_server.interview.acquaint import (
    ask_profile_field,
    exhausted_fields,
    open_fields,
    profile_reply,
)
from lifeecho_server.interview.bank import Bank, Texts
from lifeecho_server.interview.decision import Changes, Chip, Decision, Direction, Intent
from lifeecho_server.interview.obey import obey
from lifeecho_server.interview.opening import opening, re_greeting
from lifeecho_server.interview.questions import asked_keys
from lifeecho_server.interview.recognise import Danger, asks_who, danger_in, grieves, suffered
from lifeecho_server.interview.situation import (
    Coverage,
    Hearing,
    InterviewState,
    Situation,
    SlotState,
    Speaker,
    Turn,
)
from lifeecho_server.interview.speech import Heard, hear, unheard
from lifeecho_server.interview.telling import answer_story, comfort
from lifeecho_server.interview.topics import touches
from lifeecho_server.interview.wording import (
    interviewer_words,
    known_values,
    listening_feedback,
    pick,
    seed_of,
)

__all__ = ["chips", "greet", "listening_feedback", "re_greet", "reply"]


def greet(situation: Situation, bank: Bank) -> Decision:
    """Greet in an empty conversation: ask for what is missing of the profile, else open."""
    fields = open_fields(situation.profile, situation.state)
    if fields:
        return _profile_greeting(situation, fields[0], bank)
    return opening(situation, bank, exhausted_fields(situation.profile, situation.state))


def re_greet(situation: Situation, bank: Bank, idle: timedelta) -> Decision:
    """Greet someone who is back after ``idle``, and pick up a thread of the history."""
    return re_greeting(situation, bank, idle)


def reply(situation: Situation, bank: Bank) -> Decision:
    """Answer the unanswered turns: danger first, then wishes, the profile, sorrow, the story."""
    everything = "\n".join(turn.text for turn in situation.unanswered)
    danger = danger_in(everything, bank)
    if danger is not None:
        return _danger(danger, situation, bank)
    heard = hear(situation, bank)
    if not heard.text:
        return _no_words(situation, bank)
    return _answer(heard)


def chips(state: InterviewState, bank: Bank, limit: int) -> tuple[Chip, ...]:
    """Return up to ``limit`` topic suggestions: empty slots of the memoir's current stage.

    Those not asked about yet come first; none speaks of what was refused or hurts. A chip's id is
    its slot's.
    """
    keys = asked_keys(state)
    empty = [
        slot
        for slot in bank.stage(state.stage or "").slots
        if _empty(state.slots.get(slot.id, SlotState()))
        and not touches(f"{slot.label} {slot.chip}", state.avoided, bank)
    ]
    empty.sort(key=lambda slot: slot.id in keys)
    return tuple(Chip(slot.id, slot.label, slot.chip, slot.id) for slot in empty[:limit])


def _empty(state: SlotState) -> bool:
    return state.coverage is Coverage.EMPTY and not state.declined and not state.sensitive


def _answer(heard: Heard) -> Decision:
    situation, bank = heard.situation, heard.bank
    if asks_who(heard.text, bank):
        words = pick(bank.phrases.who, heard.values, heard.seed)
        return Decision(Intent.ACKNOWLEDGE, (words,))
    incomplete = not situation.profile.complete
    if heard.command is not None:
        obeyed = obey(heard)
        if obeyed is not None:
            return obeyed
    sorrow = _sorrow(heard)
    if incomplete:
        acquainted = profile_reply(heard)
        return comfort(heard, sorrow, acquainted.changes.profile) if sorrow else acquainted
    return comfort(heard, sorrow) if sorrow else answer_story(heard)


def _sorrow(heard: Heard) -> Texts:
    """What suits a sorrow that was told: for grief always, for hardship not twice running.

    Who goes on grieving is not comforted over and over: the interviewer stays, in few words.
    """
    phrases = heard.bank.phrases
    if heard.chosen is not None:
        return ()
    comforted = _just_comforted(heard)
    if grieves(heard.story, heard.bank):
        return phrases.stay if comforted and phrases.stay else phrases.comfort
    return phrases.hardship if suffered(heard.story, heard.bank) and not comforted else ()


def _just_comforted(heard: Heard) -> bool:
    """Whether the last reply answered a sorrow and asked nothing, whoever worded it."""
    history = heard.situation.history
    if not history or history[-1].speaker is not Speaker.INTERVIEWER:
        return False
    before = "\n".join(turn.text for turn in _turns_before_reply(history))
    sorrow = grieves(before, heard.bank) or suffered(before, heard.bank)
    asked = any(heard.bank.guard.question.search(line) for line in history[-1].text.splitlines())
    return sorrow and not asked


def _turns_before_reply(history: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The person's turns that the last reply answered."""
    turns: list[Turn] = []
    for turn in reversed(history[:-1]):
        if turn.speaker is Speaker.INTERVIEWER:
            break
        turns.append(turn)
    return tuple(reversed(turns))


def _profile_greeting(situation: Situation, field: str, bank: Bank) -> Decision:
    phrases, values = bank.phrases, known_values(situation.profile, bank)
    if "name" in values:
        wordings = phrases.greet_known
    else:
        wordings = phrases.greet_again if situation.state.asked else phrases.greet_new
    question = ask_profile_field(field, situation, bank)
    note = bank.prompt.notes.ask_first.replace("{question}", question.text)
    return Decision(
        Intent.PROFILE_GREETING,
        (pick(wordings, values, seed_of(situation)), question.text),
        Direction(note, question_allowed=True),
        Changes(
            refused=exhausted_fields(situation.profile, situation.state),
            asked=((question.key, None),),
        ),
    )


def _danger(danger: Danger, situation: Situation, bank: Bank) -> Decision:
    """Say it plainly, and name those of the family who can be called."""
    words: Texts = getattr(bank.phrases.danger, danger.value)
    family = bank.phrases.family_joiner.join(situation.family)
    call = tuple(text.replace("{family}", family) for text in bank.phrases.danger_family if family)
    return Decision(Intent.DANGER, words + call)


def _no_words(situation: Situation, bank: Bank) -> Decision:
    """Answer where the narrator's words are missing: recordings, or only a relative spoke."""
    values, seed = known_values(situation.profile, bank), seed_of(situation)
    said = interviewer_words(situation)
    why = unheard(situation.unanswered)
    if why is None:
        return Decision(Intent.ACKNOWLEDGE, (pick(bank.phrases.relative, values, seed, said),))
    waiting = why is Hearing.WAITING
    wordings = bank.phrases.kept_waiting if waiting else bank.phrases.kept_unsure
    return Decision(Intent.KEPT_RECORDING, (pick(wordings, values, seed, said),))
