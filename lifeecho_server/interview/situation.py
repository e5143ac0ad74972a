"""What the interviewer knows when it decides: plain values, read from the store, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from lifeecho_server.protocol.speaker import Speaker as Speaker


class Hearing(StrEnum):
    """What is known of a turn's words."""

    TYPED = "typed"
    HEARD = "heard"
    WAITING = "waiting"  # a recording that has not been recognised yet
    UNSURE = "unsure"  # speech, but not recognised with confidence; text may be empty
    FAILED = "failed"  # recognition failed; the recording is kept


PROFILE_FIELDS = ("nickname", "birth_year", "birth_place", "grew_up_place", "occupation")


@dataclass(frozen=True, slots=True)
class Profile:
    """Who is telling. ``refused`` names the fields that the person would rather not tell."""

    nickname: str | None = None
    birth_year: int | None = None
    birth_place: str | None = None
    grew_up_place: str | None = None
    occupation: str | None = None
    refused: frozenset[str] = frozenset()

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields still to be asked for, in their fixed order; refused ones count as collected."""
        return tuple(
            name
            for name in PROFILE_FIELDS
            if getattr(self, name) is None and name not in self.refused
        )

    @property
    def complete(self) -> bool:
        """True when nothing is left to ask for."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation; an interviewer's parts are joined by newlines."""

    id: str
    speaker: Speaker
    text: str
    said_at: datetime
    hearing: Hearing = Hearing.TYPED


class Coverage(StrEnum):
    """How much of a slot has been told."""

    EMPTY = "empty"
    TOUCHED = "touched"
    TOLD = "told"


class Leader(StrEnum):
    """Who leads the talk: the interviewer asks, or the person tells what they came to tell."""

    INTERVIEWER = "interviewer"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class SlotState:
    """Coverage of one slot, the ids of the turns that are its evidence, whether it was declined,
    and whether it is ``sensitive``: something told of it hurt, and nothing digs there any more.
    """

    coverage: Coverage = Coverage.EMPTY
    evidence: tuple[str, ...] = ()
    declined: bool = False
    sensitive: bool = False


class FactKind(StrEnum):
    """What the rolling summary keeps of a story."""

    PERSON = "person"
    PLACE = "place"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Fact:
    """A person, place or year of a story: its ``name`` and the ``words`` it was told in."""

    kind: FactKind
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked: ``question`` is its key in the bank, or ``profile.<field>``."""

    question: str
    slot: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class InterviewState:
    """What a narrator's memoir knows so far.

    ``stage`` is the memoir's current stage (``None`` before the first), ``slots`` is keyed by slot
    id (``childhood.home``), ``asked`` is in the order of asking, ``avoided`` are topics that a
    refusal named ("war"), ``leader`` led the talk when it was last decided.
    """

    stage: str | None = None
    slots: Mapping[str, SlotState] = field(default_factory=dict)
    asked: tuple[Asked, ...] = ()
    avoided: tuple[str, ...] = ()
    leader: Leader = Leader.INTERVIEWER


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a decision may look at.

    ``history`` holds the last turns of this conversation, oldest first, answered ones only;
    ``unanswered`` the person's turns that wait for a reply, oldest first; ``told_before`` turns of
    the narrator from earlier conversations, oldest first; ``remembered`` is the rolling summary of
    what was told before the history shown, ``said_before`` what the interviewer said before it,
    where a model may say it again. ``stage`` is the conversation's; ``family`` are the names of
    those at home who may read this memoir, for a moment of danger.
    """

    language: str
    profile: Profile
    state: InterviewState
    stage: str
    now: datetime
    history: tuple[Turn, ...] = ()
    unanswered: tuple[Turn, ...] = ()
    told_before: tuple[Turn, ...] = ()
    remembered: tuple[Fact, ...] = ()
    said_before: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
