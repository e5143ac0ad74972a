"""What has been told: which slot an answer is about, and how much of it is told now."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.recognise import length
from lifeecho_server.interview.situation import Coverage, InterviewState, Leader, SlotState

Covered = Mapping[str, tuple[Coverage, tuple[str, ...]]]

_WANDERED = 2  # different words of another slot that show it is being talked about


@dataclass(frozen=True, slots=True)
class Told:
    """What one answer tells: the slot it is about, the coverage that changes by it, who led."""

    subject: str | None
    covered: Covered
    leader: Leader = Leader.INTERVIEWER


@lru_cache(maxsize=32)
def word_hits(text: str, bank: Bank) -> Mapping[str, int]:
    """Return for each slot how many of its different words are in ``text``; only those hit."""
    folded = text.casefold()
    hits = {slot_id: slot.words.count(folded) for slot_id, slot in bank.slots.items()}
    return {slot_id: count for slot_id, count in hits.items() if count}


def current_slot(state: InterviewState) -> str | None:
    """Return the slot of the last question, unless it was declined since."""
    slot = state.asked[-1].slot if state.asked else None
    return None if slot is None or slot_state(state, slot).declined else slot


def slot_state(state: InterviewState, slot: str) -> SlotState:
    """Return a slot's state; an untouched one where nothing is known."""
    return state.slots.get(slot, SlotState())


def told_by(
    text: str, turns: tuple[str, ...], state: InterviewState, stage: str, bank: Bank
) -> Told:
    """Return what an answer tells. ``turns`` are the ids of the narrator's turns that hold it."""
    current = current_slot(state)
    hits = word_hits(text, bank)
    answered = current is not None and slot_state(state, current).coverage is not Coverage.EMPTY
    subject = _subject(current, hits, stage, bank, answered=answered)
    about = {slot for slot, count in hits.items() if count >= _WANDERED}
    about |= {subject} if subject else set()
    covered = {
        slot: (_coverage(slot_state(state, slot), text, bank, subject == slot), turns)
        for slot in bank.slots
        if slot in about
    }
    wandered = current is not None and subject != current
    leader = Leader.PERSON if wandered else Leader.INTERVIEWER
    return Told(subject, covered if turns else {}, leader)


def wholly_told(told: Told, turns: tuple[str, ...]) -> Covered:
    """Return the coverage with the subject closed: nothing more will be asked about it."""
    if told.subject is None or not turns:
        return told.covered
    return {**told.covered, told.subject: (Coverage.TOLD, turns)}


def _subject(
    current: str | None, hits: Mapping[str, int], stage: str, bank: Bank, *, answered: bool
) -> str | None:
    """The slot that was asked about, unless the words are clearly of another one.

    Once the question has been answered, a single word of another slot is clear enough where there
    is none of the slot that was asked about.
    """
    if not hits:
        return current
    best = max(hits, key=lambda slot: _weight(slot, hits, stage, bank))
    if current is None:
        return best
    least = 1 if answered and current not in hits else _WANDERED
    wandered = hits[best] >= least and hits[best] > hits.get(current, 0)
    return best if wandered else current


def _weight(slot: str, hits: Mapping[str, int], stage: str, bank: Bank) -> tuple[int, int, bool]:
    """Own words first, then those of the slot's whole stage, then whether that is the current."""
    own_stage = bank.slots[slot].stage
    in_stage = sum(count for other, count in hits.items() if bank.slots[other].stage == own_stage)
    return hits[slot], in_stage, own_stage == stage


def _coverage(before: SlotState, text: str, bank: Bank, is_subject: bool) -> Coverage:
    """An ample answer tells a slot; so does a second one, however short."""
    if before.coverage is Coverage.TOLD:
        return Coverage.TOLD
    ample = length(text, bank) >= bank.measure.ample
    again = before.coverage is Coverage.TOUCHED
    return Coverage.TOLD if is_subject and (ample or again) else Coverage.TOUCHED
