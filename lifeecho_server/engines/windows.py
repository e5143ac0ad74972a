"""Windows: what a recogniser hears at once, cut where the speaker pauses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples
from lifeecho_server.engines.voice_activity import FRAME, Probabilities, Stretch

SEAM = round(0.4 * SAMPLE_RATE)
"""Samples by which a segment may reach over a pause without belonging to the other side."""


@dataclass(frozen=True, slots=True)
class Window:
    """Stretches of speech heard as one, with the longer pauses between them left out."""

    stretches: tuple[Stretch, ...]

    def samples(self, recording: Samples) -> Samples:
        """Return the sound of the window."""
        return np.concatenate([recording[s.start : s.end] for s in self.stretches])

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


def windows(
    stretches: Iterable[Stretch], probabilities: Probabilities, limit: int
) -> tuple[Window, ...]:
    """Pack stretches, in order, into windows of at most ``limit`` samples of sound."""
    packed: list[list[Stretch]] = []
    room = 0
    for stretch in _no_longer_than(limit, stretches, probabilities):
        length = stretch.end - stretch.start
        if not packed or length > room:
            packed.append([])
            room = limit
        packed[-1].append(stretch)
        room -= length
    return tuple(Window(tuple(group)) for group in packed)


def _no_longer_than(
    limit: int, stretches: Iterable[Stretch], probabilities: Probabilities
) -> Iterator[Stretch]:
    """Cut speech without a pause where the voice is weakest, in the later half of what fits."""
    for stretch in stretches:
        start = stretch.start
        while stretch.end - start > limit:
            earliest = -(-(start + limit // 2) // FRAME)
            latest = (start + limit) // FRAME
            cut = (earliest + int(np.argmin(probabilities[earliest:latest]))) * FRAME
            yield Stretch(start, cut)
            start = cut
        yield Stretch(start, stretch.end)
