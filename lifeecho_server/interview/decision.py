"""What the interviewer has decided to say, and what that changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lifeecho_server.interview.situation import Coverage, Leader


class Intent(StrEnum):
    """Why something is said."""

    PROFILE_GREETING = "profile_greeting"
    PROFILE_QUESTION = "profile_question"
    OPENING = "opening"
    RE_GREETING = "re_greeting"
    FOLLOW_UP = "follow_up"
    NEXT_SLOT = "next_slot"
    COMFORT = "comfort"
    FAREWELL = "farewell"
    KEPT_RECORDING = "kept_recording"  # a recording that cannot be understood (yet)
    ACKNOWLEDGE = "acknowledge"  # a wish, a refusal, a command obeyed: no question
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Changes:
    """What a decision changes in the narrator's state; applied with the reply's first part.

    ``profile`` maps a profile field to its new value; ``coverage`` maps a slot id to its new
    coverage and the turn ids to add to its evidence. ``seal`` names the turns that the person wants
    kept out of the book; ``slower`` is True when the person asked for slower speech. ``avoided``
    maps topics named by a refusal to the turn that named them; ``sensitive`` are slots where
    something told hurt; ``reopened`` and ``lifted`` are declined slots and avoided topics that the
    person brought up again. ``leader`` is who leads now, ``None`` where that stays as it is.
    """

    profile: Mapping[str, str | int] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    coverage: Mapping[str, tuple[Coverage, tuple[str, ...]]] = field(default_factory=dict)
    declined: frozenset[str] = frozenset()
    asked: tuple[tuple[str, str | None], ...] = ()  # (question key, slot id)
    stage: str | None = None
    seal: tuple[str, ...] = ()
    slower: bool = False
    avoided: Mapping[str, str] = field(default_factory=dict)
    sensitive: frozenset[str] = frozenset()
    reopened: frozenset[str] = frozenset()
    lifted: tuple[str, ...] = ()
    leader: Leader | None = None


@dataclass(frozen=True, slots=True)
class Direction:
    """What a model is told to do when it words a decision.

    ``note`` is one short instruction in the interview's language; ``question_allowed`` is False
    where a question would be wrong (a farewell, a refusal, grief).
    """

    note: str
    question_allowed: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A topic suggestion. ``text`` is sent back as the person's own message when it is tapped."""

    id: str
    label: str
    text: str
    slot: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What to say: ``parts`` are the script's own words, always good enough to be sent.

    ``direction`` is None where only the script's words may be used (danger, profile confirmation).
    """

    intent: Intent
    parts: tuple[str, ...]
    direction: Direction | None = None
    changes: Changes = field(default_factory=Changes)
