"""Going on with a webm stream after a gap: its header again, and the next whole block.

FFmpeg's demuxer alone would lose what is left of the cluster, which may be half a minute.
"""

import re

from lifeecho_server.engines.disk import Readable

_READ = 32 * 1024
_OVERLAP = 16 * 1024

# Matroska (RFC 9559): a cluster of unknown length with its time, and the start of a block that
# is whole: ID, length of one to three bytes, track below 16, two bytes of time, flags.
_CLUSTER = b"\x1f\x43\xb6\x75"
_OPEN_CLUSTER = _CLUSTER + b"\x01\xff\xff\xff\xff\xff\xff\xff" + b"\xe7\x81\x00"
_BLOCK = re.compile(
    rb"\xa3(?:[\x81-\xfe]|[\x40-\x7f].|[\x20-\x3f]..)[\x81-\x8f]..[\x00\x80]", re.DOTALL
)


def webm_header(beginning: bytes) -> bytes | None:
    """Return what stands before the first cluster in the beginning of a stream."""
    at = beginning.find(_CLUSTER)
    return beginning[:at] if at > 0 else None


class ResumedWebm:
    """A webm stream that goes on somewhere in its middle, read as if it began there."""

    def __init__(self, file: Readable, header: bytes) -> None:
        self._file = file
        self._header = header
        self._ahead: bytes | None = None
        self._shift = 0

    def seekable(self) -> bool:
        """Say that it can only be read."""
        return False

    def origin(self, place: int) -> int:
        """Return which place in ``file`` a place in the stream comes from."""
        return place + self._shift

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        if self._ahead is None:
            self._ahead = self._begin()
        if not self._ahead:
            return self._file.read(size)
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken

    def _begin(self) -> bytes:
        data, dropped = b"", 0
        while more := self._file.read(_READ):
            data += more
            if (found := _start(data)) is not None:
                at, bridge = found
                before = self._header + bridge
                self._shift = dropped + at - len(before)
                return before + data[at:]
            dropped += max(0, len(data) - _OVERLAP)
            data = data[-_OVERLAP:]
        return b""


def _start(data: bytes) -> tuple[int, bytes] | None:
    """Find the first cluster or block; return its place, and what is needed in front of it."""
    cluster = data.find(_CLUSTER)
    before = data if cluster < 0 else data[: cluster + len(_CLUSTER)]
    for block in _BLOCK.finditer(before):
        if _is_block(before, block.start()):
            return block.start(), _OPEN_CLUSTER
    return (cluster, b"") if cluster >= 0 else None


def _is_block(data: bytes, at: int) -> bool:
    """Whether a block is followed by another, and that one by whatever may follow a block."""
    second = _after_block(data, at)
    if not _BLOCK.match(data, second):
        return False
    third = _after_block(data, second)
    return data[third : third + 1] == b"\xa3" or data[third : third + 4] == _CLUSTER


def _after_block(data: bytes, at: int) -> int:
    width = 9 - data[at + 1].bit_length()
    coded = int.from_bytes(data[at + 1 : at + 1 + width], "big")
    return at + 1 + width + (coded & (1 << 7 * width) - 1)
