"""The slices of one recording become samples while they arrive."""

import threading
import weakref
from contextlib import closing

import numpy as np
import outcome

from lifeecho_server.engines.audio_frames import TooLong, resampled
from lifeecho_server.engines.slice_frames import SliceFrames
from lifeecho_server.engines.slice_handover import Handover, Piece, SliceSource
from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples

__all__ = ["SliceDecoder", "SliceSource"]

WAITING_SECONDS = 30.0
"""How much is decoded ahead of what was read."""

CLOSE_SECONDS = 2.0
"""How long closing waits for the thread; a frame takes some milliseconds."""


class SliceDecoder:
    """One recording in slices, which are appended in order of their index; gaps are allowed.

    Its slices are complete files, or raw PCM, or the pieces of one stream whose header is in
    the first, cut anywhere; the bytes tell which (``slice_frames``). They are read from disk
    when they are needed, by a thread of the decoder's own, which starts with the first ``read``
    and ends with ``close``. ``read`` is for one thread at a time; everything else may be called
    from others meanwhile.
    """

    def __init__(self, *, limit_seconds: float) -> None:
        self._handover = Handover(int(WAITING_SECONDS * SAMPLE_RATE))
        self._limit = int(limit_seconds * SAMPLE_RATE)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._contributed: int | None = None
        self._given = 0
        # The thread knows the handover only, so a decoder that was never closed lets go of it.
        weakref.finalize(self, self._handover.close)

    def append(self, source: SliceSource) -> None:
        """Add the next slice; cheap."""
        self._handover.append(source)

    def end(self) -> None:
        """Say that no more slices come."""
        self._handover.end()

    def read(self, seconds: float) -> Samples | None:
        """Return at most ``seconds`` of what the slices so far give: float32 mono, 16 kHz, (n,).

        Nothing (an empty array) when there is no more until ``append`` or ``end``; ``None``
        after the end, and once closed. Raises TooLong beyond the limit, after all before it, and
        DiskFailed.
        """
        self._start()
        wanted = max(1, int(seconds * SAMPLE_RATE))
        taken: list[Samples] = []
        # What the thread failed with is told by a read of its own, after all that came before.
        while wanted and (piece := self._handover.take(wanted, telling=not taken)) is not None:
            taken.append(piece.samples)
            wanted -= len(piece.samples)
            self._given += len(piece.samples)
            self._contributed = piece.index
        if taken:
            return np.concatenate(taken)
        return None if self._handover.over else np.empty(0, np.float32)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None and not self._handover.closed:
                thread = threading.Thread(
                    target=_decode, args=(self._handover, self._limit), name="slices", daemon=True
                )
                thread.start()  # one that could not be started is none to wait for
                self._thread = thread

    @property
    def unreadable(self) -> tuple[int, ...]:
        """Indexes of slices that gave nothing, as far as is known; an empty one gave all it had."""
        return self._handover.unreadable

    @property
    def contributed(self) -> int | None:
        """Index of the last slice whose bytes were used for what was read."""
        return self._contributed

    @property
    def seconds(self) -> float:
        """How long the part is that was read so far."""
        return self._given / SAMPLE_RATE

    def stop(self) -> None:
        """Give nothing more: a ``read`` that is under way returns at once, and so does this."""
        self._handover.close()

    def close(self) -> None:
        """Free files and the thread; waits for the frame that is being decoded.

        A thread whose disk does not answer is left behind, and frees what is open when it does.
        """
        self.stop()
        with self._starting:
            thread = self._thread
        if thread and thread is not threading.current_thread():
            thread.join(CLOSE_SECONDS)


def _decode(handover: Handover, limit: int) -> None:
    """Run in the thread; what it fails with is told where the samples are read."""
    ended = outcome.capture(_hand_out_all, handover, limit)
    handover.finish(ended.error if isinstance(ended, outcome.Error) else None)


def _hand_out_all(handover: Handover, limit: int) -> None:
    with closing(SliceFrames(handover)) as frames:
        _hand_out(frames, handover, limit)


def _hand_out(frames: SliceFrames, handover: Handover, limit: int) -> None:
    given = 0
    for samples in resampled(frames):
        if handover.closed:
            return
        index = frames.index
        if given + len(samples) > limit:
            handover.put(Piece(samples[: limit - given], index))
            raise TooLong(limit / SAMPLE_RATE)
        handover.put(Piece(samples, index))
        given += len(samples)
