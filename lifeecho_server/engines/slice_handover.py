"""What a slice decoder's caller and its thread hand each other, under one lock."""

import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from lifeecho_server.engines.transcriber import Samples


@dataclass(frozen=True, slots=True)
class SliceSource:
    """One slice on disk.

    ``format`` is the client's word for it; raw ``pcm_s16le`` (mono) is known by it alone, and
    needs ``sample_rate`` in Hz.
    """

    index: int
    path: Path
    format: str | None
    sample_rate: int | None


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples, and the index of the last slice whose bytes had been used when they came out."""

    samples: Samples
    index: int


class Handover:
    """Slices go in, pieces come out.

    The thread waits in ``first`` for slices, then it is *hungry*: nothing more can come out of
    what was appended. It waits in ``put`` while more than ``most`` samples wait to be taken.
    """

    def __init__(self, most: int) -> None:
        self._changed = threading.Condition()
        self._sources: deque[SliceSource] = deque()
        self._pieces: deque[Piece] = deque()
        self._waiting = 0
        self._wanted = 1
        self._most = most
        self._unreadable: set[int] = set()
        self._failure: BaseException | None = None
        self._hungry = False
        self._ended = False
        self._finished = False
        self._closed = False

    # --- the caller's side ---

    def append(self, source: SliceSource) -> None:
        """Add the next slice."""
        with self._changed:
            self._sources.append(source)
            self._hungry = False
            self._changed.notify_all()

    def end(self) -> None:
        """Say that no more slices come."""
        with self._changed:
            self._ended = True
            self._hungry = False
            self._changed.notify_all()

    def close(self) -> None:
        """Let both sides go on at once: nothing more goes in or comes out."""
        with self._changed:
            self._closed = True
            self._sources.clear()
            self._pieces.clear()
            self._changed.notify_all()

    def take(self, most: int, *, telling: bool = True) -> Piece | None:
        """Wait for ``most`` samples, or all that come for now, and return some of them, in order.

        Returns ``None`` when nothing comes for now, or ever (``over`` tells). Raises what the
        thread failed with, after all that came before, if ``telling``.
        """
        with self._changed:
            self._wanted = min(most, self._most)
            self._changed.wait_for(self._something_to_tell)
            if self._closed or not self._pieces:
                if self._failure and telling and not self._closed:
                    raise self._failure
                return None
            piece = self._pieces.popleft()
            if len(piece.samples) > most:
                self._pieces.appendleft(Piece(piece.samples[most:], piece.index))
                piece = Piece(piece.samples[:most], piece.index)
            self._waiting -= len(piece.samples)
            self._changed.notify_all()
            return piece

    def _something_to_tell(self) -> bool:
        enough = self._waiting >= self._wanted
        return enough or self._hungry or self._finished or self._closed

    @property
    def over(self) -> bool:
        """Whether everything was taken and nothing more will come."""
        with self._changed:
            return self._closed or (self._finished and not self._pieces)

    @property
    def unreadable(self) -> tuple[int, ...]:
        """The slices said to be lost, in order."""
        with self._changed:
            return tuple(sorted(self._unreadable))

    # --- the thread's side ---

    @property
    def closed(self) -> bool:
        """Whether the caller wants nothing more."""
        return self._closed

    def first(self) -> SliceSource | None:
        """Wait for the next slice and return it without removing it; ``None`` after the last."""
        with self._changed:
            while not (self._sources or self._ended or self._closed):
                self._hungry = True
                self._changed.notify_all()
                self._changed.wait()
            self._hungry = False
            return self._sources[0] if self._sources else None

    def remove_first(self) -> None:
        """Remove what ``first`` returned."""
        with self._changed:
            if self._sources:
                self._sources.popleft()

    def put(self, piece: Piece) -> None:
        """Hand out a piece, when there is room for it."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting < self._most or self._closed)
            if len(piece.samples) and not self._closed:
                self._pieces.append(piece)
                self._waiting += len(piece.samples)
                if self._waiting >= self._wanted:  # waking the reader for less costs much
                    self._changed.notify_all()

    def lost(self, *indexes: int) -> None:
        """Say that slices gave nothing."""
        with self._changed:
            self._unreadable.update(indexes)

    def finish(self, failure: BaseException | None = None) -> None:
        """Say that nothing more will be put, and why if that is a failure."""
        with self._changed:
            self._failure = failure
            self._finished = True
            self._changed.notify_all()
