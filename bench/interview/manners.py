"""Manners of answering, as figures."""

from dataclasses import dataclass

from bench.interview.sheet import Manner

ALL = 99


@dataclass(frozen=True, slots=True)
class Ways:
    """``at_once``: sentences of a story told unasked, once ``warms`` answers have been given.

    Chances from 0 to 1: ``second``, that a story calls up another; ``beside``, that the answer has
    nothing to do with the question; ``volunteers``, that something is told where nothing led to it.
    """

    at_once: int = ALL
    warms: int = 0
    second: float = 0.0
    beside: float = 0.0
    volunteers: float = 0.2


MANNERS = {
    Manner.OPEN: Ways(volunteers=0.6),
    Manner.TERSE: Ways(at_once=1, volunteers=0.0),
    Manner.RAMBLING: Ways(second=0.7, volunteers=0.5),
    Manner.SHY: Ways(warms=8, volunteers=0.0),
    Manner.DEAF: Ways(beside=0.5, volunteers=0.4),
    Manner.SWITCHING: Ways(),
    Manner.REFUSING: Ways(volunteers=0.1),
}
