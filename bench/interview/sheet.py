"""A narrator's sheet: one invented life, told as an old person would, and how it is asked for."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

import msgspec

SHEETS = Path(__file__).parent / "sheets"
INTRODUCTIONS = Path(__file__).parent / "introductions.toml"

Texts = tuple[str, ...]


class Manner(StrEnum):
    """How somebody answers."""

    OPEN = "open"
    TERSE = "terse"
    RAMBLING = "rambling"
    SHY = "shy"
    DEAF = "deaf"  # to the question, not hard of hearing
    SWITCHING = "switching"
    REFUSING = "refusing"


class Wished(StrEnum):
    """A wish about the conversation itself."""

    KEEP_OUT = "keep_out"
    CHANGE_TOPIC = "change_topic"
    END = "end"


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a sheet: unknown and missing keys are errors."""


class Fact(Record, frozen=True):
    """Something to tell: ``more`` is told only when asked further, ``asks`` would lead to it.

    ``hurts`` is True where digging would be wrong.
    """

    id: str
    asks: Texts
    tell: str
    more: str = ""
    hurts: bool = False


class About(Record, frozen=True):
    """One thing of the profile: ``says`` in the order of being asked, ``means`` what is right.

    A thing without a meaning is one that this person does not tell.
    """

    says: Texts
    means: tuple[str | int, ...] = ()


class Taboo(Record, frozen=True):
    """What this person will not talk about, and how they say so."""

    id: str
    asks: Texts
    says: Texts


class Wish(Record, frozen=True):
    """Said once: right ``after`` a fact was told, or at a ``turn``."""

    kind: Wished
    says: str
    after: str | None = None
    turn: int | None = None


class Sheet(Record, frozen=True, dict=True):
    """Everything that one narrator knows, and their own ways of saying that they do not.

    ``further`` are questions that lead deeper into whatever was told last; ``asides`` join a story
    to the next one.
    """

    language: Literal["zh", "en"]
    manner: Manner
    seed: int
    about: str
    profile: Mapping[str, About]
    facts: tuple[Fact, ...]
    further: Texts
    shrugs: Texts
    yeses: Texts
    told_already: Texts
    asides: Texts = ()
    taboos: tuple[Taboo, ...] = ()
    wishes: tuple[Wish, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Fact]:
        """The facts by id."""
        return {fact.id: fact for fact in self.facts}

    @property
    def asked(self) -> Texts:
        """Every question that leads somewhere."""
        facts = (ask for fact in self.facts for ask in fact.asks)
        taboos = (ask for taboo in self.taboos for ask in taboo.asks)
        return (*facts, *taboos, *self.further)

    @property
    def said(self) -> Texts:
        """Everything that this person may say."""
        told = [text for fact in self.facts for text in (fact.tell, fact.more) if text]
        told += [text for thing in self.profile.values() for text in thing.says]
        told += [text for taboo in self.taboos for text in taboo.says]
        told += [wish.says for wish in self.wishes]
        return (*told, *self.shrugs, *self.yeses, *self.told_already, *self.asides)


def load(name: str) -> Sheet:
    """Read a sheet by its file's name. Raises OSError, msgspec.ValidationError."""
    return msgspec.toml.decode((SHEETS / f"{name}.toml").read_bytes(), type=Sheet)


@cache
def introductions(language: str) -> Mapping[str, Texts]:
    """Return how people are asked who they are, by what is asked for."""
    every = msgspec.toml.decode(
        INTRODUCTIONS.read_bytes(), type=dict[str, dict[str, tuple[str, ...]]]
    )
    return every[language]


def names() -> Texts:
    """Return the names of all sheets, sorted."""
    return tuple(sorted(file.stem for file in SHEETS.glob("*.toml")))
