"""Speech cut at arbitrary instants, and which of its words are then heard."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from tests.models.voice import Word

HARDLY = 0.5
"""A word of which less than this share is inside a cut is not written down."""

NEARLY_ALL = 0.8
"""A word of which at least this share is inside a cut is written down."""

_BETWEEN = (HARDLY + NEARLY_ALL) / 2
_SHORTEST = 0.2  # seconds
_DRAWS = 30

Phrase = tuple[Word, ...]
"""The units of one phrase; their times are those of the recording."""


class Cut(NamedTuple):
    """The part of a recording that is kept, in seconds."""

    begin: float
    end: float

    def share(self, unit: Word) -> float:
        """How much of a unit is inside, from 0 to 1."""
        inside = min(unit.end, self.end) - max(unit.start, self.begin)
        return max(0.0, inside) / (unit.end - unit.start)

    def is_clear(self, phrases: Sequence[Phrase]) -> bool:
        """Whether no unit is inside by so much that it could be written down or not."""
        shares = [self.share(unit) for phrase in phrases for unit in phrase]
        return not any(HARDLY <= share < NEARLY_ALL for share in shares)

    def heard(self, phrases: Sequence[Phrase], least: float = _BETWEEN) -> list[Phrase]:
        """Return the units that are written down, timed from the cut's begin, by phrase.

        Those are the units of which at least a share of ``least`` is inside.
        """
        kept = (tuple(self._moved(u) for u in p if self.share(u) >= least) for p in phrases)
        return [phrase for phrase in kept if phrase]

    def readings(self, phrases: Sequence[Phrase]) -> list[list[Phrase]]:
        """Return every answer that is right, one alone if the cut is clear."""
        shares = {self.share(unit) for phrase in phrases for unit in phrase}
        doubtful = sorted(share for share in shares if HARDLY <= share < NEARLY_ALL)
        return [self.heard(phrases, least) for least in (*doubtful, NEARLY_ALL)]

    def _moved(self, unit: Word) -> Word:
        start, end = max(unit.start, self.begin), min(unit.end, self.end)
        return Word(unit.text, start - self.begin, end - self.begin)


def draw_cut(
    rng: random.Random, phrases: Sequence[Phrase], seconds: float, share: float, longest: float
) -> Cut:
    """Draw what is kept of a recording: a clear cut at one end or both, or (mostly) all of it.

    All is kept in ``1 - share`` of the draws. What is longer than ``longest`` is cut anyway.
    """
    is_cut = rng.random() < share
    for _ in range(_DRAWS):
        drawn = _one(rng, seconds, is_cut, longest)
        if drawn.is_clear(phrases):
            break
    return drawn


def _one(rng: random.Random, seconds: float, is_cut: bool, longest: float) -> Cut:
    begin, end = 0.0, seconds
    if is_cut:
        ends = rng.choice(("begin", "end", "both"))
        if ends != "end":
            begin = rng.uniform(0, max(0.0, seconds - _SHORTEST))
        if ends != "begin":
            end = rng.uniform(min(begin + _SHORTEST, seconds), seconds)
    if end - begin > longest:
        begin = rng.uniform(begin, end - longest)
        end = begin + longest
    return Cut(begin, end)
