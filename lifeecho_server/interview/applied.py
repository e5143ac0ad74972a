"""What is known once a decision's changes are applied: the pure twin of what the store does."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from lifeecho_server.interview.decision import Changes
from lifeecho_server.interview.questions import after
from lifeecho_server.interview.situation import Asked, InterviewState, Profile, SlotState


def profile_after(profile: Profile, changes: Changes) -> Profile:
    """Return the profile with what was told and refused."""
    values: dict[str, Any] = dict(changes.profile)
    return replace(profile, refused=profile.refused | changes.refused, **values)


def state_after(state: InterviewState, changes: Changes, at: datetime) -> InterviewState:
    """Return the memoir's state; ``at`` is when the questions were asked."""
    avoided = dict.fromkeys((*state.avoided, *changes.avoided))
    return InterviewState(
        stage=changes.stage or state.stage,
        slots=_slots(state, changes),
        asked=state.asked + tuple(Asked(key, slot, at) for key, slot in changes.asked),
        avoided=tuple(sorted(topic for topic in avoided if topic not in changes.lifted)),
        leader=changes.leader or state.leader,
    )


def _slots(state: InterviewState, changes: Changes) -> Mapping[str, SlotState]:
    slots = dict(after(state, changes.coverage, changes.declined))
    for slot in changes.sensitive:
        slots[slot] = replace(slots.get(slot, SlotState()), sensitive=True)
    for slot in changes.reopened:
        slots[slot] = replace(slots.get(slot, SlotState()), declined=False)
    return slots
