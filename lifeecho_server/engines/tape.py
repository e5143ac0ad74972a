"""What has been heard and may still be needed: it grows at its end, is forgotten at its front."""

from collections import deque

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]
"""Samples, or probabilities of frames: shape (n,)."""


class Tape:
    """Values by their position from the very first one, of which the oldest may be gone.

    Memory is that of what was not forgotten.
    """

    def __init__(self) -> None:
        self._pieces: deque[Values] = deque()
        self._start = 0
        self._end = 0

    @property
    def start(self) -> int:
        """The first position that is still there."""
        return self._start

    @property
    def end(self) -> int:
        """The position after the last."""
        return self._end

    def append(self, values: Values) -> None:
        """Add values at the end."""
        if len(values):
            self._pieces.append(values)
            self._end += len(values)

    def between(self, start: int, end: int) -> Values:
        """Return the values from ``start`` up to ``end``, as far as they are there."""
        taken: list[Values] = []
        at = self._start
        for piece in self._pieces:
            if at >= end:
                break
            if at + len(piece) > start:
                taken.append(piece[max(0, start - at) : end - at])
            at += len(piece)
        return np.concatenate(taken) if taken else np.empty(0, np.float32)

    def forget(self, before: int) -> None:
        """Drop what lies before a position."""
        while self._pieces and self._start + len(self._pieces[0]) <= before:
            self._start += len(self._pieces.popleft())
        if self._pieces and before > self._start:
            # A copy, or the view would keep the whole piece in memory.
            self._pieces[0] = self._pieces[0][before - self._start :].copy()
            self._start = before
