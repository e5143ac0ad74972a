"""What to ask: a follow-up while a story is alive, else the nearest slot that is still empty."""

from collections.abc import Mapping
from dataclasses import dataclass

from lifeecho_server.interview.bank import Bank, Slot
from lifeecho_server.interview.coverage import Covered, slot_state, word_hits
from lifeecho_server.interview.detail import Quoted
from lifeecho_server.interview.situation import Coverage, InterviewState, SlotState
from lifeecho_server.interview.wording import pick

_STAGE_DONE = (2, 3)  # a stage is left when two of three slots are told or declined
_FOLLOW_UPS_MAX = 2


@dataclass(frozen=True, slots=True)
class Question:
    """A question to be asked: its wording, its key in ``state.asked``, and its slot."""

    text: str
    key: str
    slot: str | None

    @property
    def stage(self) -> str | None:
        """The stage of its slot."""
        return self.slot.partition(".")[0] if self.slot else None


def after(
    state: InterviewState, covered: Covered, declined: frozenset[str]
) -> Mapping[str, SlotState]:
    """Return the slots as they are once an answer's changes are applied."""
    slots = dict(state.slots)
    for slot, (coverage, evidence) in covered.items():
        before = slot_state(state, slot)
        slots[slot] = SlotState(coverage, before.evidence + evidence, before.declined)
    for slot in declined:
        before = slots.get(slot, SlotState())
        slots[slot] = SlotState(before.coverage, before.evidence, True)
    return slots


def asked_keys(state: InterviewState) -> frozenset[str]:
    """Return the keys of all questions that were ever asked."""
    return frozenset(asked.question for asked in state.asked)


def follow_up(
    slot: Slot,
    state: InterviewState,
    quoted: Quoted | None,
    ample: bool,
    values: Mapping[str, str],
    seed: int,
    bank: Bank,
) -> Question | None:
    """Return a follow-up on a slot's story, or ``None`` when the story is best left as it is.

    The first one goes to a detail just dropped in an ample answer, else to the slot's own. A second
    one is asked only of someone who is telling freely.
    """
    keys = asked_keys(state)
    before = [key for key in keys if key.startswith((f"{slot.id}.follow", f"{slot.id}.echo"))]
    if slot_state(state, slot.id).declined or len(before) >= _FOLLOW_UPS_MAX:
        return None
    echo = f"{slot.id}.echo"
    if quoted and ample and echo not in keys:
        wordings = getattr(bank.phrases.echo, quoted.kind.value)
        return Question(pick(wordings, {**values, "quote": quoted.text}, seed), echo, slot.id)
    if before:
        return None
    place = seed % len(slot.follow_ups)
    return Question(slot.follow_ups[place], f"{slot.id}.follow.{place}", slot.id)


def next_question(
    state: InterviewState,
    slots: Mapping[str, SlotState],
    stage: str,
    text: str,
    values: Mapping[str, str],
    seed: int,
    bank: Bank,
) -> Question | None:
    """Return the first question of the next slot, or ``None`` when all is told.

    Stages are taken in order from ``stage`` on, done ones left out; then whatever is open anywhere.
    """
    slot = _next_slot(asked_keys(state), slots, stage, text, bank)
    if slot is None:
        return None
    return Question(pick(slot.questions, values, seed), slot.id, slot.id)


def open_slots(
    stage: str, slots: Mapping[str, SlotState], keys: frozenset[str], bank: Bank
) -> list[Slot]:
    """Return a stage's slots that may still be asked about, in order."""
    return [
        slot
        for slot in bank.stage(stage).slots
        if slot.id not in keys
        and not slots.get(slot.id, SlotState()).declined
        and slots.get(slot.id, SlotState()).coverage is not Coverage.TOLD
    ]


def stage_done(stage: str, slots: Mapping[str, SlotState], bank: Bank) -> bool:
    """Whether two thirds of a stage's slots are told or declined."""
    states = [slots.get(slot.id, SlotState()) for slot in bank.stage(stage).slots]
    done = sum(state.declined or state.coverage is Coverage.TOLD for state in states)
    return done * _STAGE_DONE[1] >= len(states) * _STAGE_DONE[0]


def stage_after(
    stage: str, slots: Mapping[str, SlotState], keys: frozenset[str], bank: Bank
) -> str:
    """Return the next stage that has a slot to ask about, from the first again after the last."""
    order = bank.stage_ids
    start = order.index(stage) + 1
    onward = [*order[start:], *order[: start - 1]]
    return next((one for one in onward if open_slots(one, slots, keys, bank)), onward[0])


def _next_slot(
    keys: frozenset[str], slots: Mapping[str, SlotState], stage: str, text: str, bank: Bank
) -> Slot | None:
    order = bank.stage_ids
    start = order.index(stage)
    onward = [*order[start:], *order[:start]]
    unfinished = [one for one in onward if not stage_done(one, slots, bank)]
    for one in [*unfinished, *onward]:
        candidates = open_slots(one, slots, keys, bank)
        if candidates:
            return _nearest(candidates, slots, text, bank)
    return None


def _nearest(candidates: list[Slot], slots: Mapping[str, SlotState], text: str, bank: Bank) -> Slot:
    """The slot whose words were just said; else the first one that is still empty."""
    hits = word_hits(text, bank)

    def order(slot: Slot) -> tuple[int, bool]:
        touched = slots.get(slot.id, SlotState()).coverage is Coverage.TOUCHED
        return (-hits.get(slot.id, 0), touched)

    return min(candidates, key=order)
