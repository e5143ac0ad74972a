"""An mp4 in slices: its boxes (ISO/IEC 14496-12), and how a stream of them goes on after damage."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from lifeecho_server.engines.disk import Readable, from_disk

_READ = 32 * 1024
_OVERLAP = 16
_MOST_INDEX = 1024 * 1024
_FEW_BOXES = 1_000
_LEAST_MEAN_BOX = 32
"""Bytes that a box has on average: a single frame of speech in a fragment of its own has 60."""

_TYPES = frozenset(
    b"ftyp styp moov moof mdat mfra sidx ssix emsg prft free skip wide meta uuid pdin udta".split()
)
_FRAGMENT = re.compile(rb"\x00[\x00-\x0f]..moof\x00\x00\x00\x10mfhd", re.DOTALL)


def mp4_header(beginning: bytes) -> bytes | None:
    """Return what stands before the first fragment in the beginning of a stream."""
    found = _FRAGMENT.search(beginning)
    return beginning[: found.start()] if found else None


def is_finished_mp4(file: BinaryIO) -> bool:
    """Whether an mp4 or m4a is all there and not fragmented, so that it is read by its index.

    A fragmented file has ``moof`` boxes, and announces them by ``mvex`` in its ``moov``.
    """
    end, position, indexed, boxes = file.seek(0, 2), 0, False, 0
    while position + 8 <= end and not _too_many(boxes, position):
        file.seek(position)
        head = file.read(16)
        size = _box_size(head) or end - position
        if size < 8 or head[4:8] == b"moof":
            return False
        if head[4:8] == b"moov":
            file.seek(position)
            indexed = b"mvex" not in file.read(min(size, _MOST_INDEX))
        position += size
        boxes += 1
    return indexed and position == end


def _too_many(boxes: int, size: int) -> bool:
    """Whether so many boxes in so many bytes hold no sound, and only keep their reader busy."""
    return boxes > _FEW_BOXES and size < boxes * _LEAST_MEAN_BOX


def _box_size(head: bytes) -> int:
    """Return the size of a box from its first 16 bytes; 0 means that it goes on to the end."""
    size = int.from_bytes(head[:4], "big")
    return int.from_bytes(head[8:16], "big") if size == 1 else size


class Mp4Boxes:
    """The boxes of an mp4 stream; what stands where a box should is left out up to a fragment.

    Without it a forged length makes FFmpeg skip all that follows. Nothing comes after boxes that
    are too many for their size. With the ``header`` of a
    stream (``mp4_header``) it reads one that goes on somewhere in its middle.
    """

    def __init__(self, file: Readable, header: bytes = b"") -> None:
        self._file = file
        self._ahead = b""
        self._at = 0  # in what is ahead: boxes may be small, and are not worth moving it
        self._ready = header
        self._boxes = 0
        self._left = 0
        self._given = 0
        self._taken = 0
        self._moves: list[tuple[int, int]] = [(0, -len(header))]

    def seekable(self) -> bool:
        """Say that it can only be read."""
        return False

    def origin(self, place: int) -> int:
        """Return which place in ``file`` a place in the stream comes from."""
        return place + next(shift for start, shift in reversed(self._moves) if start <= place)

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        if self._ready:
            given, self._ready = self._ready[:size], self._ready[size:]
        else:
            if not self._left:
                self._next_box()
            given = self._take(min(size, self._left))
            self._left -= len(given)
        self._given += len(given)
        return given

    def _take(self, size: int) -> bytes:
        if size and not self._waiting:
            self._fill(1)
        taken = self._ahead[self._at : self._at + size]
        self._drop(len(taken))
        return taken

    @property
    def _waiting(self) -> int:
        return len(self._ahead) - self._at

    def _fill(self, size: int) -> None:
        while self._waiting < size and (more := self._file.read(_READ)):
            self._ahead, self._at = self._ahead[self._at :] + more, 0

    def _next_box(self) -> None:
        if _too_many(self._boxes, self._taken):
            return
        self._boxes += 1
        self._fill(16)
        if self._ahead[self._at + 4 : self._at + 8] not in _TYPES:
            self._find_fragment()
        size = _box_size(self._ahead[self._at : self._at + 16])
        self._left = size if size >= 8 else 1 << 62

    def _find_fragment(self) -> None:
        while (found := _FRAGMENT.search(self._ahead, self._at)) is None:
            self._drop(max(0, self._waiting - _OVERLAP))
            before = self._waiting
            self._fill(before + 1)
            if self._waiting == before:
                self._drop(before)
                return
        self._drop(found.start() - self._at)
        self._moves.append((self._given, self._taken - self._given))

    def _drop(self, size: int) -> None:
        self._at += size
        self._taken += size


class WholeMp4:
    """A plain mp4 that was cut into slices, all of them there: its index is at the end.

    ``parts`` are the slices' files. Each is opened to be read from only.
    """

    def __init__(self, parts: Sequence[Path]) -> None:
        self._parts = parts
        with from_disk():
            self._sizes = [path.stat().st_size for path in parts]
        self._position = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, from the start (0), from here (1) or from the end (2)."""
        base = (0, self._position, sum(self._sizes))[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Return the place."""
        return self._position

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        start = self._position
        for path, length in zip(self._parts, self._sizes, strict=True):
            if start < length:
                with path.open("rb") as file:
                    file.seek(start)
                    given = file.read(size)
                self._position += len(given)
                return given
            start -= length
        return b""
