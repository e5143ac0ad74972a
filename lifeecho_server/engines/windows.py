"""Windows: what a recogniser hears at once, cut where the speaker pauses."""

from dataclasses import dataclass

import numpy as np

from lifeecho_server.engines.tape import Tape
from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples
from lifeecho_server.engines.voice_activity import Stretch

SEAM = round(0.4 * SAMPLE_RATE)
"""Samples by which a segment may reach over a pause without belonging to the other side."""


@dataclass(frozen=True, slots=True)
class Window:
    """Stretches of speech heard as one, with the longer pauses between them left out."""

    stretches: tuple[Stretch, ...]

    @property
    def start(self) -> int:
        """The first sample."""
        return self.stretches[0].start

    @property
    def end(self) -> int:
        """The sample after the last."""
        return self.stretches[-1].end

    def samples(self, recording: Tape) -> Samples:
        """Return the sound of the window."""
        return np.concatenate([recording.between(s.start, s.end) for s in self.stretches])

    def span(self, start: float, end: float) -> tuple[float, float]:
        """Turn the times of a segment of the window into the recording's, all in seconds.

        A segment that touches the next stretch (or the one before) by less than ``SEAM`` was
        spoken on this side of the pause: a recogniser's times are that rough.
        """
        first, begins = self._place(round(start * SAMPLE_RATE))
        last, ends = self._place(round(end * SAMPLE_RATE))
        if first < last and self.stretches[first].end - begins < SEAM:
            first += 1
            begins = self.stretches[first].start
        if first < last and ends - self.stretches[last].start < SEAM:
            last -= 1
            ends = self.stretches[last].end
        return begins / SAMPLE_RATE, max(begins, ends) / SAMPLE_RATE

    def _place(self, sample: int) -> tuple[int, int]:
        """Find a sample of the window: in which stretch it is, and where in the recording."""
        for index, stretch in enumerate(self.stretches):
            length = stretch.end - stretch.start
            if sample < length:
                return index, stretch.start + max(0, sample)
            sample -= length
        return len(self.stretches) - 1, self.stretches[-1].end


class Packer:
    """Packs stretches, in order, into windows of at most ``limit`` samples of sound.

    What a window holds depends on the stretches alone, not on when they become known.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: list[Stretch] = []
        self._room = limit

    @property
    def open(self) -> tuple[Stretch, ...]:
        """The stretches of the window that is not full yet."""
        return tuple(self._open)

    def add(self, stretch: Stretch) -> Window | None:
        """Take a stretch in; return the window that it no longer fits into, if there is one."""
        full = self.close() if stretch.end - stretch.start > self._room else None
        self._open.append(stretch)
        self._room -= stretch.end - stretch.start
        return full

    def close(self) -> Window | None:
        """Return the open window, if it holds anything."""
        window = Window(tuple(self._open)) if self._open else None
        self._open, self._room = [], self._limit
        return window
