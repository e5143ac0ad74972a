"""Recordings become samples: PyAV, piece by piece, bounded in length and memory."""

import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from av.audio.frame import AudioFrame

from lifeecho_server.engines.audio_format import SNIFF_BYTES, has_index, has_sane_chunks, sniff
from lifeecho_server.engines.audio_frames import (
    DEMUXERS,
    BadAudio,
    ContainerFrames,
    Frames,
    PcmFrames,
    PcmLayout,
    TooLong,
    resampled,
)
from lifeecho_server.engines.disk import from_disk
from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples

__all__ = [
    "LIMIT_SECONDS",
    "PIECE_SECONDS",
    "AudioDecoder",
    "BadAudio",
    "FileFrames",
    "TooLong",
    "decode",
]

LIMIT_SECONDS = 7200.0
"""The longest recording that is taken: two hours."""

PIECE_SECONDS = 30.0
"""How much ``decode`` asks for at a time."""


class AudioDecoder:
    """One recording being decoded, ``read`` by ``read``.

    ``source`` is a file or its bytes; it is only ever read as bytes, so nothing in it can make
    the decoder open another file or address. ``format`` is used where the bytes do not tell;
    ``pcm_s16le`` (raw, mono) is never guessed and needs ``sample_rate`` in Hz.

    Raises DiskFailed, and BadAudio for what cannot be decoded at all, and from ``read`` beyond
    ``limit_seconds``. What is damaged further on gives what is there.
    """

    def __init__(
        self,
        source: Path | bytes,
        *,
        format: str | None = None,  # noqa: A002 - the protocol's own word
        sample_rate: int | None = None,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        self._limit = int(limit_seconds * SAMPLE_RATE)
        self._frames = FileFrames(source, format, sample_rate)
        self._pieces = resampled(self._frames)
        self._waiting: deque[Samples] = deque()
        self._available = 0
        self._given = 0

    @property
    def seconds(self) -> float:
        """How long the part is that was read so far."""
        return self._given / SAMPLE_RATE

    def read(self, seconds: float) -> Samples | None:
        """Return the next ``seconds``, less at the end, ``None`` after it.

        Raises BadAudio beyond the limit.
        """
        wanted = max(1, int(seconds * SAMPLE_RATE))
        while self._available < wanted and (piece := next(self._pieces, None)) is not None:
            self._waiting.append(piece)
            self._available += len(piece)
            if self._given + self._available > self._limit:
                raise TooLong(self._limit / SAMPLE_RATE)
        samples = self._take(wanted)
        self._given += len(samples)
        return samples if len(samples) else None

    def _take(self, wanted: int) -> Samples:
        taken: list[Samples] = []
        while wanted and self._waiting:
            piece = self._waiting.popleft()
            if len(piece) > wanted:
                self._waiting.appendleft(piece[wanted:])
                piece = piece[:wanted]
            taken.append(piece)
            wanted -= len(piece)
            self._available -= len(piece)
        return np.concatenate(taken) if taken else np.empty(0, np.float32)

    def close(self) -> None:
        """Close the file."""
        self._frames.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def decode(
    source: Path | bytes,
    *,
    format: str | None = None,  # noqa: A002 - the protocol's own word
    sample_rate: int | None = None,
    limit_seconds: float = LIMIT_SECONDS,
) -> Samples:
    """Decode a whole recording. Raises BadAudio, also for one without a single sample."""
    decoder = AudioDecoder(
        source, format=format, sample_rate=sample_rate, limit_seconds=limit_seconds
    )
    pieces: list[Samples] = []
    with decoder:
        while (piece := decoder.read(PIECE_SECONDS)) is not None:
            pieces.append(piece)
    if not pieces:
        raise BadAudio("the recording is empty; please record it again")
    return np.concatenate(pieces)


class FileFrames:
    """Frames of a whole recording, a file or its bytes.

    Raises BadAudio when made; made and iterated, DiskFailed.
    """

    def __init__(self, source: Path | bytes, form: str | None, sample_rate: int | None) -> None:
        self._file = _file(source)
        try:
            with from_disk():
                self._frames = _frames_of(self._file, form, sample_rate)
        except BaseException:
            self._file.close()
            raise

    def __iter__(self) -> Iterator[AudioFrame]:
        return iter(self._frames)

    def close(self) -> None:
        """Free the decoder and close the file."""
        self._frames.close()
        self._file.close()


def _file(source: Path | bytes) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        with from_disk():
            return source.open("rb")
    except FileNotFoundError as error:
        raise BadAudio(f"the recording cannot be opened: {error.strerror}") from error


def _frames_of(file: BinaryIO, form: str | None, sample_rate: int | None) -> Frames:
    if form == "pcm_s16le":
        return PcmFrames(file, PcmLayout("pcm_s16le", sample_rate or 0, channels=1, block=2))
    head = file.read(SNIFF_BYTES)
    if not head:
        raise BadAudio("the recording is empty; please record it again")
    known = sniff(head) or form
    if known is None or known not in DEMUXERS:
        raise BadAudio("this is not a recording in a format that can be read")
    return _container_frames(file, known)


def _container_frames(file: BinaryIO, form: str) -> Frames:
    if form == "wav" and not has_sane_chunks(file):
        raise BadAudio("the recording is damaged and cannot be read")
    file.seek(0)
    try:
        return ContainerFrames(file, form)
    except BadAudio as error:
        # Bytes from which no container could be opened: those of an mp4 may only lack its index.
        if error.__cause__ and form in ("m4a", "mp4") and not has_index(file):
            raise BadAudio(
                "the recording was cut short: an m4a or mp4 file has its index at the end, and"
                " cannot be read without it; please send the whole file"
            ) from error
        raise
