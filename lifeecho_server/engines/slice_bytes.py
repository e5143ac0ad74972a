"""Slices as bytes: each of them, and those of one stream joined."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lifeecho_server.engines.audio_format import SNIFF_BYTES
from lifeecho_server.engines.disk import from_disk
from lifeecho_server.engines.slice_handover import Handover, SliceSource

KEPT_BYTES = 64 * 1024
"""How much of a stream's beginning is kept: its header, for going on after a gap."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice that can be read: its first bytes, and whether what came before it is missing."""

    source: SliceSource
    head: bytes
    after_gap: bool

    @property
    def index(self) -> int:
        """Its place in the recording."""
        return self.source.index

    @property
    def raw(self) -> bool:
        """Whether it is raw PCM."""
        return self.source.format == "pcm_s16le"


class Line:
    """The slices in order, each looked at when it is its turn."""

    def __init__(self, handover: Handover) -> None:
        self._handover = handover
        self._next: Slice | None = None
        self._expected = 0
        self._gap = False

    def first(self) -> Slice | None:
        """Wait for the next slice that has bytes, and look at it; ``None`` after the last.

        Raises DiskFailed; a file that is not there is lost.
        """
        while self._next is None and (source := self._handover.first()) is not None:
            self._next = self._looked_at(source)
            self._handover.remove_first()
        return None if self._handover.closed else self._next

    def _looked_at(self, source: SliceSource) -> Slice | None:
        self._gap = self._gap or source.index != self._expected
        self._expected = source.index + 1
        try:
            with from_disk(), source.path.open("rb") as file:
                head = file.read(SNIFF_BYTES)
        except FileNotFoundError:
            self._handover.lost(source.index)
            self._gap = True
            return None
        if not head:
            return None
        after_gap, self._gap = self._gap, False
        return Slice(source, head, after_gap)

    def remove_first(self) -> None:
        """Go on to the slice after the one that ``first`` returned."""
        self._next = None

    def lose_first(self) -> None:
        """Go on to the slice after it, for nothing can be made of this one."""
        if self._next:
            self._handover.lost(self._next.index)
        self._next = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A slice of a stream: its place in the recording, and that of its bytes in the stream."""

    index: int
    path: Path
    start: int
    end: int


class JoinedSlices:
    """The bytes of a slice, and of those after it up to one that ``belongs`` does not know.

    A file to read from, and never to seek in. ``read`` gives what there is of one slice and
    waits only when there is nothing, so that what needs the bytes so far gets them. What reads
    or looks ahead raises DiskFailed.
    """

    def __init__(self, line: Line, belongs: Callable[[Slice], bool]) -> None:
        self._line = line
        self._belongs = belongs
        self._file: BinaryIO | None = None
        self._ahead = b""
        self._fetched = 0
        self.begun: list[Begun] = []
        self.beginning = bytearray()
        self.at_end = False

    def seekable(self) -> bool:
        """Say that it can only be read."""
        return False

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end of the stream."""
        if self._ahead:
            taken, self._ahead = self._ahead[:size], self._ahead[size:]
            return taken
        return self._fetch(size)

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer at the end of the stream; they stay there."""
        while len(self._ahead) < size and (more := self._fetch(size - len(self._ahead))):
            self._ahead += more
        return self._ahead[:size]

    def left_in_slice(self) -> int:
        """Return how many bytes of the slice that is being read are left."""
        position = self._fetched - len(self._ahead)
        return self.begun[-1].end - position if self.begun else 0

    def _fetch(self, size: int) -> bytes:
        while self._file or self._open_next():
            taken = self._some(size)
            if taken:
                self._fetched += len(taken)
                if len(self.beginning) < KEPT_BYTES:
                    self.beginning += taken
                return taken
            self.close()
        return b""

    def _some(self, size: int) -> bytes:
        with from_disk():
            return self._file.read(size) if self._file else b""

    def _open_next(self) -> bool:
        while not self.at_end:
            following = self._line.first()
            if following is None or (self.begun and not self._belongs(following)):
                self.at_end = True
                break
            try:
                with from_disk():
                    self._file = following.source.path.open("rb")
            except FileNotFoundError:  # it was there when it was looked at
                self._line.lose_first()
                continue
            self._line.remove_first()
            with from_disk():
                size = self._file.seek(0, 2)
                self._file.seek(0)
            start = self._fetched
            self.begun.append(Begun(following.index, following.source.path, start, start + size))
            return True
        return False

    def close(self) -> None:
        """Close the slice that is open."""
        if self._file:
            self._file.close()
            self._file = None
