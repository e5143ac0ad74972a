"""Recordings become samples in threads of their own, a piece at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import trio

from lifeecho_server.engines.audio import AudioDecoder, BadAudio
from lifeecho_server.engines.transcriber import Samples
from lifeecho_server.inference.activity import Activity
from lifeecho_server.inference.edge import at_the_edge
from lifeecho_server.inference.schedule import Priority

DECODING_THREADS = 2


@dataclass(frozen=True, slots=True)
class AudioSource:
    """A recording: a file or its bytes, in a format of the protocol.

    ``sample_rate`` (Hz) is needed for raw PCM only.
    """

    path: Path | None = None
    data: bytes | None = None
    format: str | None = None
    sample_rate: int | None = None


class Audio(Protocol):
    """Sound that is read piece by piece, while it comes in or from a file."""

    async def read(self, seconds: float) -> Samples | None:
        """Wait for more and return at most ``seconds`` of it; ``None`` after the end.

        Raises BadAudio, DiskFailed, EngineFailed.
        """
        ...


class Decoding:
    """Decodes several recordings side by side; less urgent ones give way between two pieces."""

    def __init__(self, activity: Activity, *, limit_seconds: float) -> None:
        self._activity = activity
        self._limit_seconds = limit_seconds
        self._threads = trio.CapacityLimiter(DECODING_THREADS)

    @asynccontextmanager
    async def opened(self, source: AudioSource, priority: Priority) -> AsyncIterator[Audio]:
        """Open a recording for reading. Raises BadAudio, DiskFailed, EngineFailed."""
        given = source.path if source.data is None else source.data
        if given is None:
            raise BadAudio("there is no recording")
        start = partial(
            AudioDecoder,
            given,
            format=source.format,
            sample_rate=source.sample_rate,
            limit_seconds=self._limit_seconds,
        )
        decoder = await trio.to_thread.run_sync(at_the_edge, start, limiter=self._threads)
        with decoder:
            yield _Decoded(decoder, self._activity, priority, self._threads)


class _Decoded:
    """A whole recording being read; one without a single sample is bad audio."""

    def __init__(
        self,
        decoder: AudioDecoder,
        activity: Activity,
        priority: Priority,
        threads: trio.CapacityLimiter,
    ) -> None:
        self._decoder = decoder
        self._activity = activity
        self._priority = priority
        self._threads = threads

    async def read(self, seconds: float) -> Samples | None:
        """Return the next piece when work of this priority may go on."""
        await self._activity.turn(self._priority)
        piece: Samples | None = await trio.to_thread.run_sync(
            at_the_edge, partial(self._decoder.read, seconds), limiter=self._threads
        )
        if piece is None and not self._decoder.seconds:
            raise BadAudio("the recording is empty; please record it again")
        return piece
