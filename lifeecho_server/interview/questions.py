"""What to ask: a follow-up while a story is alive, else the nearest slot that is still empty."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lifeecho_server.interview.bank import Bank, Slot
from lifeecho_server.interview.coverage import Covered, slot_state, word_hits
from lifeecho_server.interview.detail import Quoted
from lifeecho_server.interview.person import Hook, hooks_for, questions_for
from lifeecho_server.interview.situation import (
    Coverage,
    InterviewState,
    Profile,
    SlotState,
)
from lifeecho_server.interview.topics import touches
from lifeecho_server.interview.wording import can_fill, pick

_STAGE_DONE = (2, 3)  # a stage is left when two of three slots are told or declined
_BETWEEN_EVENTS = 8  # questions between two public events, at least
_FORMATIVE = 18  # the age around which public events are best remembered
_IN_ALL = 8  # follow-ups on one slot in a memoir's life, at most


@dataclass(frozen=True, slots=True)
class Question:
    """A question to be asked: its wording, its key in ``state.asked``, and its slot.

    ``also`` are keys of other questions that are asked with this one: the event whose wording
    stands for the slot's.
    """

    text: str
    key: str
    slot: str | None
    also: tuple[str, ...] = ()

    @property
    def stage(self) -> str | None:
        """The stage of its slot."""
        return self.slot.partition(".")[0] if self.slot else None


@dataclass(frozen=True)
class Grounds:
    """What a question is chosen on.

    ``slots`` are the slots as they are once the answer is taken in, ``told`` is what was just told
    (empty where nothing was), ``stage`` is where to look first.
    """

    state: InterviewState
    slots: Mapping[str, SlotState]
    profile: Profile
    stage: str
    told: str
    values: Mapping[str, str]
    seed: int
    bank: Bank
    avoided: tuple[str, ...] = field(default=())

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of all questions that were ever asked."""
        return asked_keys(self.state)

    def slot(self, slot_id: str) -> SlotState:
        """The state of a slot; an untouched one where nothing is known."""
        return self.slots.get(slot_id, SlotState())

    def sore(self, slot_id: str) -> bool:
        """Whether a slot was declined, or something told of it hurt."""
        known = self.slot(slot_id)
        return known.declined or known.sensitive

    def worded(self, wordings: Iterable[str], values: Mapping[str, str] | None = None) -> str:
        """Return one of the wordings that speaks of nothing refused; empty when there is none."""
        filled = {**self.values, **(values or {})}
        free = [
            text
            for text in wordings
            if can_fill(text, filled) and not touches(text, self.avoided, self.bank)
        ]
        return pick(free, filled, self.seed, fullest=False) if free else ""


def after(
    state: InterviewState, covered: Covered, declined: frozenset[str]
) -> Mapping[str, SlotState]:
    """Return the slots as they are once an answer's changes are applied."""
    slots = dict(state.slots)
    for slot, (coverage, evidence) in covered.items():
        before = slot_state(state, slot)
        slots[slot] = SlotState(
            coverage, before.evidence + evidence, before.declined, before.sensitive
        )
    for slot in declined:
        before = slots.get(slot, SlotState())
        slots[slot] = SlotState(before.coverage, before.evidence, True, before.sensitive)
    return slots


def asked_keys(state: InterviewState) -> frozenset[str]:
    """Return the keys of all questions that were ever asked."""
    return frozenset(asked.question for asked in state.asked)


def follows_up(key: str) -> bool:
    """Whether the key is that of a follow-up."""
    return any(f".{kind}." in key for kind in ("follow", "echo", "unfinished", "any", "more"))


def follow_ups_in_a_row(state: InterviewState) -> int:
    """Return how many of the last questions were follow-ups, one after the other."""
    count = 0
    for asked in reversed(state.asked):
        if not follows_up(asked.question):
            break
        count += 1
    return count


def may_follow_up(grounds: Grounds, slot: str) -> bool:
    """Whether a slot's story may be asked into at all."""
    asked = sum(key.startswith(f"{slot}.") and follows_up(key) for key in grounds.keys)
    return not grounds.sore(slot) and asked < _IN_ALL


def go_on(grounds: Grounds, slot: str) -> Question | None:
    """Return the question that lets a story which broke off go on; each wording is asked once."""
    return _once(grounds, slot, "unfinished", grounds.bank.phrases.unfinished)


def any_follow_up(grounds: Grounds, slot: str | None) -> Question | None:
    """Return a follow-up that fits whatever was told; each wording is asked once."""
    return _once(grounds, slot, "any", grounds.bank.phrases.follow_any)


def more_of_it(grounds: Grounds, slot: str | None) -> Question | None:
    """Return a question that takes up what was just recalled; each wording is asked once."""
    return _once(grounds, slot, "more", grounds.bank.phrases.thread_more)


def _once(
    grounds: Grounds, slot: str | None, kind: str, wordings: tuple[str, ...]
) -> Question | None:
    """The next of some wordings that are the same whatever they are about, so count for all."""
    for turn in range(len(wordings)):
        place = (grounds.seed + turn) % len(wordings)
        mark = f".{kind}.{place}"
        if not any(key.endswith(mark) for key in grounds.keys):
            return Question(wordings[place], f"{slot or 'story'}{mark}", slot)
    return None


def echo(grounds: Grounds, slot: str | None, quoted: Quoted) -> Question | None:
    """Return a follow-up on a word just said; ``None`` when that was asked about before.

    ``slot`` is ``None`` where the story is of none.
    """
    wordings = getattr(grounds.bank.phrases.echo, quoted.kind.value)
    mark = f".echo.{zlib.crc32(quoted.text.casefold().encode()):08x}"
    text = grounds.worded(wordings, {"quote": quoted.text})
    if not text or any(key.endswith(mark) for key in grounds.keys):
        return None
    return Question(text, f"{slot or 'story'}{mark}", slot)


def own_follow_up(grounds: Grounds, slot: Slot) -> Question | None:
    """Return one of a slot's own follow-ups that was not asked yet."""
    for turn in range(len(slot.follow_ups)):
        place = (grounds.seed + turn) % len(slot.follow_ups)
        key, text = f"{slot.id}.follow.{place}", grounds.worded([slot.follow_ups[place]])
        if text and key not in grounds.keys:
            return Question(text, key, slot.id)
    return None


def next_question(grounds: Grounds, *, follow: bool = False) -> Question | None:
    """Return the first question of the next slot, or ``None`` when all is told.

    Stages are taken in order from ``grounds.stage`` on, done ones left out; then whatever is open
    anywhere, and at last the public events that were not asked about. With ``follow`` a slot of any
    stage comes first if its words were just said.
    """
    hook = _hook_due(grounds)
    if hook is not None:
        return hook
    for slot in _next_slots(grounds, follow=follow):
        question = first_question_of(grounds, slot)
        if question is not None:
            return question
    hooks = _open_hooks(grounds)
    return next((asked for hook in hooks if (asked := _hooked(grounds, hook)) is not None), None)


def first_question_of(grounds: Grounds, slot: Slot) -> Question | None:
    """Return a slot's first question, by way of an event where one leads there."""
    for hook in _open_hooks(grounds):
        if hook.event.slot == slot.id:
            asked = _hooked(grounds, hook)
            if asked is not None:
                return Question(asked.text, slot.id, slot.id, (asked.key,))
    text = grounds.worded(questions_for(slot, grounds.profile, grounds.bank))
    text = text or grounds.worded(slot.questions)
    return Question(text, slot.id, slot.id) if text else None


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


def _next_slots(grounds: Grounds, *, follow: bool) -> list[Slot]:
    """Every slot that may be asked about, the next one first."""
    bank = grounds.bank
    order = bank.stage_ids
    start = order.index(grounds.stage)
    onward = [*order[start:], *order[:start]]
    done = [one for one in onward if stage_done(one, grounds.slots, bank)]
    hits = word_hits(grounds.told, bank)
    found: list[Slot] = []
    for stage in [*(one for one in onward if one not in done), *done]:
        candidates = open_slots(stage, grounds.slots, grounds.keys, bank)
        found += sorted(candidates, key=lambda slot: _distance(slot, hits, grounds))
    if follow:
        found.sort(key=lambda slot: slot.id not in hits or _touched(slot, grounds))
    return found


def _distance(slot: Slot, hits: Mapping[str, int], grounds: Grounds) -> tuple[bool, int]:
    """Empty slots come first, of them those whose words were just said."""
    return (_touched(slot, grounds), -hits.get(slot.id, 0))


def _touched(slot: Slot, grounds: Grounds) -> bool:
    return grounds.slot(slot.id).coverage is Coverage.TOUCHED


def _open_hooks(grounds: Grounds) -> list[Hook]:
    """The events that may be asked about, those of the formative years first."""
    hooks = [
        hook
        for hook in hooks_for(grounds.profile, grounds.bank)
        if f"event.{hook.event.id}" not in grounds.keys
        and not grounds.slot(hook.event.slot).declined
        and not grounds.slot(hook.event.slot).sensitive
        and not any(hook.event.mentions.search(topic) for topic in grounds.avoided)
    ]
    return sorted(hooks, key=lambda hook: abs(hook.age - _FORMATIVE))


def _hook_due(grounds: Grounds) -> Question | None:
    """An event of this stage, once in a while, where its slot has been asked about already."""
    since = 0
    for asked in reversed(grounds.state.asked):
        if asked.question.startswith("event."):
            break
        since += asked.slot is not None
    if since < _BETWEEN_EVENTS:
        return None
    for hook in _open_hooks(grounds):
        of_stage = hook.event.slot.partition(".")[0] == grounds.stage
        if of_stage and hook.event.slot in grounds.keys:
            asked_of = _hooked(grounds, hook)
            if asked_of is not None:
                return asked_of
    return None


def _hooked(grounds: Grounds, hook: Hook) -> Question | None:
    text = grounds.worded(hook.event.questions, {"age": str(hook.age)})
    return Question(text, f"event.{hook.event.id}", hook.event.slot) if text else None
