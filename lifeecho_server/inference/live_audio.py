"""The slices of a recording as sound that is read while they arrive."""

from functools import partial
from types import TracebackType
from typing import Self

import trio

from lifeecho_server.engines.audio import BadAudio, TooLong
from lifeecho_server.engines.slices import SliceDecoder, SliceSource
from lifeecho_server.engines.transcriber import Samples
from lifeecho_server.inference.edge import at_the_edge


class LiveAudio:
    """One recording in slices; implements ``Audio``. Close it, or use it as a context manager.

    Slices are appended in order of their index.
    """

    def __init__(self, *, limit_seconds: float, threads: trio.CapacityLimiter) -> None:
        self._decoder = SliceDecoder(limit_seconds=limit_seconds)
        self._threads = threads
        self._changed = trio.Event()
        self.too_long = False

    def append(self, source: SliceSource) -> None:
        """Add the next slice."""
        self._decoder.append(source)
        self._changed.set()

    def end(self) -> None:
        """Say that no more slices come."""
        self._decoder.end()
        self._changed.set()

    async def read(self, seconds: float) -> Samples | None:
        """Wait for more sound and return at most ``seconds`` of it; ``None`` after the end.

        Of a recording that is too long it gives as much as may be. Cancelled, it gives nothing
        more, and a thread whose disk does not answer is left behind. Raises BadAudio where there
        is nothing that can be read, DiskFailed and EngineFailed.
        """
        while not self.too_long:
            self._changed = trio.Event()
            try:
                piece = await self._read(seconds)
            except TooLong:
                self.too_long = True
                break
            if piece is None and self.unreadable and not self.seconds:
                raise BadAudio("there is nothing in the recording that can be read")
            if piece is None or len(piece):
                return piece
            await self._changed.wait()
        return None

    async def _read(self, seconds: float) -> Samples | None:
        try:
            piece: Samples | None = await trio.to_thread.run_sync(
                at_the_edge,
                partial(self._decoder.read, seconds),
                abandon_on_cancel=True,
                limiter=self._threads,
            )
        except trio.Cancelled:
            self._decoder.stop()  # the thread comes back at once
            raise
        return piece

    @property
    def contributed(self) -> int | None:
        """The last slice of which anything was read."""
        return self._decoder.contributed

    @property
    def unreadable(self) -> tuple[int, ...]:
        """The slices that no decoder could read, as far as is known."""
        return self._decoder.unreadable

    @property
    def seconds(self) -> float:
        """How much was read so far."""
        return self._decoder.seconds

    async def aclose(self) -> None:
        """Free files and threads."""
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._decoder.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
