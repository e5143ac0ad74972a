"""Which slices of a stream gave nothing, told from the places of the packets that gave sound."""

from collections.abc import Callable

from lifeecho_server.engines.slice_bytes import JoinedSlices

BETWEEN_PACKETS = 4_096
"""What may stand between two packets: headers of clusters and fragments, indexes."""

MOST_OF_A_SLICE = 0.75
"""The packets before and after a damaged slice reach into it."""


class Losses:
    """Follows one stream; ``lost`` is told the index of each slice of which most is a hole.

    A hole is a stretch between packets longer than ``BETWEEN_PACKETS``. What comes before the
    first packet is the stream's header, and no hole.
    """

    def __init__(self, joined: JoinedSlices, lost: Callable[[int], None]) -> None:
        self._joined = joined
        self._lost = lost
        self._place = -1
        self._heard_to: int | None = None
        self._checked = 0
        self.origin: Callable[[int], int] = int
        """The place in the slices for a packet's place."""

    def heard(self, place: int, length: int) -> None:
        """Take note of a packet that gave sound.

        One without a place (-1), or with that of the packet before it, follows that: all
        packets of an Ogg page are placed where the page starts.
        """
        follows = place < 0 or place == self._place
        start = (self._heard_to or 0) if follows else self.origin(place)
        if self._heard_to is not None:
            self._hole(self._heard_to, start)
        self._heard_to = max(self._heard_to or 0, start + length)
        self._place = place

    def finish(self, *, anything: bool) -> None:
        """Look at the end of the stream; ``anything`` is whether it gave a single sample."""
        begun = self._joined.begun
        if not anything:
            for piece in begun:
                self._lost(piece.index)
        elif begun and self._heard_to is not None:
            self._hole(self._heard_to, begun[-1].end)

    def _hole(self, start: int, end: int) -> None:
        if end - start <= BETWEEN_PACKETS:
            return
        begun = self._joined.begun
        while self._checked < len(begun) and begun[self._checked].start < end:
            piece = begun[self._checked]
            inside = min(piece.end, end) - max(piece.start, start)
            if inside >= MOST_OF_A_SLICE * (piece.end - piece.start):
                self._lost(piece.index)
            if piece.end > end:
                break
            self._checked += 1
