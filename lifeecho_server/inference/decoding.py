"""Recordings become samples in threads of their own, a piece at a time."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import trio

from lifeecho_server.engines.audio import PIECE_SECONDS, AudioDecoder, BadAudio
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


class Decoding:
    """Decodes several recordings side by side; less urgent ones give way between two pieces."""

    def __init__(self, activity: Activity, *, limit_seconds: float) -> None:
        self._activity = activity
        self._limit_seconds = limit_seconds
        self._threads = trio.CapacityLimiter(DECODING_THREADS)

    async def decode(self, source: AudioSource, priority: Priority) -> Samples:
        """Return all samples of a recording. Raises BadAudio, EngineFailed."""
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
            pieces = await self._pieces(decoder, priority)
        if not pieces:
            raise BadAudio("the recording is empty; please record it again")
        joined = partial(np.concatenate, pieces)
        return await trio.to_thread.run_sync(at_the_edge, joined, limiter=self._threads)

    async def _pieces(self, decoder: AudioDecoder, priority: Priority) -> list[Samples]:
        pieces: list[Samples] = []
        while True:
            await self._activity.turn(priority)
            piece = await trio.to_thread.run_sync(
                at_the_edge, partial(decoder.read, PIECE_SECONDS), limiter=self._threads
            )
            if piece is None:
                return pieces
            pieces.append(piece)
