"""A recording that arrives in slices: which of them may be heard next, and how long to wait.

No clock and no I/O: moments come in as seconds of any clock that only goes forward.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class SliceOrder:
    """The slices of one recording, in whatever order they arrive.

    An index that was received once is known for good; the first last slice wins. Slices are handed
    on in order, each once; one that is missing holds up those after it until ``give_up``.
    """

    received: set[int] = field(default_factory=set)
    last: int | None = None
    closed: bool = False
    """Whether missing slices are waited for no more."""
    handed: set[int] = field(default_factory=set)
    """The slices that were handed on."""
    _next: int = 0

    @classmethod
    def of(cls, received: Iterable[int], last: int | None) -> "SliceOrder":
        """Return the order of slices that were received before, none of them handed on."""
        return cls(set(received), last)

    def arrive(self, index: int, *, is_last: bool) -> bool:
        """Take a slice in; False for one that is here already, which changes nothing."""
        if index in self.received:
            return False
        self.received.add(index)
        if is_last and self.last is None:
            self.last = index
        return True

    def ready(self) -> list[int]:
        """Hand on the slices whose turn it is: those without a gap, or all that are left."""
        end = self._end if self.closed else self._gap
        handed = [index for index in range(self._next, end) if index in self.received]
        self._next = max(self._next, end)
        self.handed.update(handed)
        return handed

    def rewind(self) -> None:
        """Hand all slices on again, from the first."""
        self._next = 0
        self.handed.clear()

    def give_up(self) -> None:
        """Wait for nothing more: what is here is the recording, as far as anybody knows."""
        self.closed = True

    @property
    def complete(self) -> bool:
        """Whether every slice up to the last is here."""
        return self.last is not None and self._gap > self.last

    @property
    def over(self) -> bool:
        """Whether nothing more is waited for, and everything was handed on."""
        return (self.closed or self.complete) and self._next >= self._end

    @property
    def missing(self) -> tuple[int, ...]:
        """The slices that were passed over, or are not here, of those that are known to be."""
        return tuple(index for index in range(self._end) if not self._there(index))

    def _there(self, index: int) -> bool:
        return index in (self.handed if index < self._next else self.received)

    @property
    def _end(self) -> int:
        """One more than the last index that counts: slices after the last are no part of it."""
        if self.last is not None:
            return self.last + 1
        return max(self.received, default=-1) + 1

    @property
    def _gap(self) -> int:
        """The first index from the next on that is missing, or the end."""
        index = self._next
        while index < self._end and index in self.received:
            index += 1
        return index


@dataclass
class Patience:
    """How long nothing has come, counted only while somebody is connected."""

    _quiet: float = 0.0
    _since: float | None = None

    def arrived(self, now: float) -> None:
        """Something has come: start anew."""
        self._quiet = 0.0
        if self._since is not None:
            self._since = now

    def connected(self, now: float) -> None:
        """Somebody is there: go on counting."""
        if self._since is None:
            self._since = now

    def disconnected(self, now: float) -> None:
        """Nobody is there: stand still."""
        if self._since is not None:
            self._quiet += now - self._since
            self._since = None

    def ends_at(self, limit: float) -> float | None:
        """Return when it will have lasted ``limit`` seconds; None while it stands still."""
        return None if self._since is None else self._since + limit - self._quiet


def waits(order: SliceOrder, *, slice_wait: float, session_idle: float) -> float | None:
    """Return how long to wait for the next slice, in seconds; None when nothing is waited for.

    A missing slice of a recording whose last one is here is waited for shortly; a recording without
    a last slice may just be a person thinking.
    """
    if order.closed or order.complete:
        return None
    return slice_wait if order.last is not None else session_idle
