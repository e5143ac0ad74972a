"""Recordings become samples: PyAV, piece by piece, bounded in length and memory."""

import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container.input import InputContainer

from lifeecho_server.engines.audio_format import SNIFF_BYTES, has_index, has_sane_chunks, sniff
from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples
from lifeecho_server.errors import LifeEchoError

LIMIT_SECONDS = 7200.0
"""The longest recording that is taken: two hours."""

PIECE_SECONDS = 30.0
"""How much ``decode`` asks for at a time."""

_DEMUXERS = {
    "m4a": "mov",
    "mp4": "mov",
    "webm": "matroska",
    "ogg": "ogg",
    "mp3": "mp3",
    "wav": "wav",
    "flac": "flac",
}
_CODECS = ",".join(
    (
        *("aac", "aac_latm", "alac", "mp3", "mp3float", "opus", "libopus", "vorbis", "flac"),
        *("pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"),
        *("pcm_alaw", "pcm_mulaw"),
    )
)
_RATES = range(4_000, 192_001)
"""Sample rates of real recordings; a forged rate of 1 Hz would blow one byte up 16,000-fold."""

_PCM_READ = 64 * 1024

# What PyAV raises over damaged bytes, besides its own errors: IndexError for a missing stream,
# ValueError and OverflowError for impossible numbers in a header.
_DAMAGE = (av.FFmpegError, IndexError, ValueError, OverflowError)


class BadAudio(LifeEchoError):
    """Bytes that no decoder reads, or a recording that is empty or too long."""


class _Frames(Protocol):
    """Decoded frames in order, and how to stop."""

    def __iter__(self) -> Iterator[AudioFrame]: ...

    def close(self) -> None: ...


class AudioDecoder:
    """One recording being decoded, ``read`` by ``read``.

    ``source`` is a file or its bytes; it is only ever read as bytes, so nothing in it can make
    the decoder open another file or address. ``format`` is used where the bytes do not tell;
    ``pcm_s16le`` (raw, mono) is never guessed and needs ``sample_rate`` in Hz.

    Raises BadAudio for what cannot be decoded at all, and from ``read`` beyond
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
        self._frames = _open(source, format, sample_rate)
        self._pieces = _resampled(self._frames)
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
                raise BadAudio(_too_long(self._limit / SAMPLE_RATE))
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


def _too_long(seconds: float) -> str:
    return f"the recording is longer than {seconds / 60:g} minutes; please send it in parts"


def _open(source: Path | bytes, form: str | None, sample_rate: int | None) -> _Frames:
    file = _file(source)
    try:
        return _frames_of(file, form, sample_rate)
    except BaseException:
        file.close()
        raise


def _file(source: Path | bytes) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        return source.open("rb")
    except OSError as error:
        raise BadAudio(f"the recording cannot be opened: {error.strerror}") from error


def _frames_of(file: BinaryIO, form: str | None, sample_rate: int | None) -> _Frames:
    if form == "pcm_s16le":
        return _RawPcm(file, sample_rate)
    head = file.read(SNIFF_BYTES)
    if not head:
        raise BadAudio("the recording is empty; please record it again")
    known = sniff(head) or form
    if known not in _DEMUXERS:
        raise BadAudio("this is not a recording in a format that can be read")
    return _Container(file, known)


class _RawPcm:
    """Frames of raw mono ``pcm_s16le``; half a sample at the end is dropped."""

    def __init__(self, file: BinaryIO, sample_rate: int | None) -> None:
        if sample_rate is None or sample_rate not in _RATES:
            raise BadAudio("raw audio needs a sample rate between 4000 and 192000 Hz")
        self._file = file
        self._rate = sample_rate

    def __iter__(self) -> Iterator[AudioFrame]:
        while raw := self._file.read(_PCM_READ):
            samples = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2")
            if len(samples):
                frame = AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
                frame.sample_rate = self._rate
                yield frame

    def close(self) -> None:
        self._file.close()


class _Container:
    """Frames of a file's first audio stream, going on after damaged ones."""

    def __init__(self, file: BinaryIO, form: str) -> None:
        self._file = file
        self._container = _container(file, form)
        try:
            self._stream = _audio_stream(self._container)
        except BadAudio:
            self._container.close()
            raise

    def __iter__(self) -> Iterator[AudioFrame]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    yield from packet.decode()
                except _DAMAGE:
                    continue
        except _DAMAGE:
            return

    def close(self) -> None:
        self._container.close()
        self._file.close()


def _container(file: BinaryIO, form: str) -> InputContainer:
    if form == "wav" and not has_sane_chunks(file):
        raise BadAudio("the recording is damaged and cannot be read")
    file.seek(0)
    try:
        return av.open(
            file,
            "r",
            format=_DEMUXERS[form],
            options={"codec_whitelist": _CODECS, "protocol_whitelist": ""},
            metadata_errors="ignore",
        )
    except _DAMAGE as error:
        if form in ("m4a", "mp4") and not has_index(file):
            raise BadAudio(
                "the recording was cut short: an m4a or mp4 file has its index at the end, and"
                " cannot be read without it; please send the whole file"
            ) from error
        raise BadAudio("the recording is damaged and cannot be read") from error


def _audio_stream(container: InputContainer) -> AudioStream:
    for stream in container.streams.audio:
        context: AudioCodecContext | None = stream.codec_context  # None: no decoder for it
        if context and context.name in _CODECS.split(",") and context.sample_rate in _RATES:
            return stream
    raise BadAudio("there is no sound in this file that can be read")


def _resampled(frames: _Frames) -> Iterator[Samples]:
    """Bring frames to 16 kHz mono; one that changes rate or layout on the way starts anew."""
    resampler: AudioResampler | None = None
    setup: tuple[object, ...] = ()
    for frame in frames:
        now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is None or now != setup:
            yield from _samples(resampler, None)
            # As integers: only then does the resampler keep a sum of channels from clipping.
            resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
            setup = now
        frame.pts = None  # gaps in the clock of a damaged file are not silence to be filled
        yield from _samples(resampler, frame)
    yield from _samples(resampler, None)


def _samples(resampler: AudioResampler | None, frame: AudioFrame | None) -> Iterator[Samples]:
    """Yield what a frame becomes, or with ``None`` what the resampler still holds."""
    try:
        ready = resampler.resample(frame) if resampler else []
    except _DAMAGE:
        return
    for piece in ready:
        if piece.samples:
            yield piece.to_ndarray().reshape(-1).astype(np.float32) / np.float32(32768)
