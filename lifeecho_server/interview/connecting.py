"""What happens on connecting: who speaks first, and in which stage (protocol, by row)."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from lifeecho_server.interview.bank import Bank


class Connecting(StrEnum):
    """What the interviewer does when a connection opens."""

    ENDED = "ended"
    ANSWER = "answer"
    PROFILE_GREETING = "profile_greeting"
    OPENING = "opening"
    RE_GREETING = "re_greeting"
    RESUME_CHIPS = "resume_chips"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ConnectingFacts:
    """What the choice rests on; ``since_last`` is the age of the last turn of any speaker."""

    ended: bool
    history_empty: bool
    profile_complete: bool
    unanswered: bool
    since_last: timedelta | None = None
    re_greeting: bool = True
    idle: timedelta = timedelta(hours=6)


def on_connecting(facts: ConnectingFacts) -> Connecting:
    """Return the first row that fits."""
    if facts.ended:
        return Connecting.ENDED
    if facts.unanswered:
        return Connecting.ANSWER
    if facts.history_empty:
        return Connecting.OPENING if facts.profile_complete else Connecting.PROFILE_GREETING
    if not facts.profile_complete:
        return Connecting.NOTHING
    long_ago = facts.since_last is not None and facts.since_last >= facts.idle
    return Connecting.RE_GREETING if facts.re_greeting and long_ago else Connecting.RESUME_CHIPS


def aligned_stage(conversation_stage: str | None, memoir_stage: str | None, bank: Bank) -> str:
    """Return the conversation's stage: the memoir's, unless that is earlier than its own."""
    order = {stage: place for place, stage in enumerate(bank.stage_ids)}
    own = order.get(conversation_stage or "", 0)
    return bank.stage_ids[max(own, order.get(memoir_stage or "", 0))]
