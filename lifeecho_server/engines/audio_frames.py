"""What files and raw bytes decode to, frame by frame, and how frames become samples."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container.input import InputContainer

from lifeecho_server.engines.disk import ForFFmpeg, Readable, from_disk
from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples
from lifeecho_server.errors import LifeEchoError

DEMUXERS: Mapping[str, str] = {
    "m4a": "mov",
    "mp4": "mov",
    "webm": "matroska",
    "ogg": "ogg",
    "mp3": "mp3",
    "wav": "wav",
    "flac": "flac",
}
"""FFmpeg's demuxer by format of the protocol."""

_CODECS = ",".join(
    (
        *("aac", "aac_latm", "alac", "mp3", "mp3float", "opus", "libopus", "vorbis", "flac"),
        *("pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"),
        *("pcm_alaw", "pcm_mulaw"),
    )
)
_RATES = range(4_000, 192_001)
"""Sample rates of real recordings; a forged rate of 1 Hz would blow one byte up 16,000-fold."""

_CHANNELS = range(1, 9)
_PCM_READ = 64 * 1024

# What PyAV raises over damaged bytes, besides its own errors: IndexError for a missing stream,
# ValueError and OverflowError for impossible numbers in a header.
DAMAGE = (av.FFmpegError, IndexError, ValueError, OverflowError)


class BadAudio(LifeEchoError):
    """Bytes that no decoder reads, or a recording that is empty or too long."""


class TooLong(BadAudio):
    """A recording that is longer than the limit; what comes before it is sound."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the recording is longer than {seconds / 60:g} minutes; please send it in parts"
        )


class Frames(Protocol):
    """Decoded frames in order, and how to stop; that does not close the bytes they come from."""

    def __iter__(self) -> Iterator[AudioFrame]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class PcmLayout:
    """How raw sound is laid out: FFmpeg's name of it, its rate in Hz, bytes a moment takes."""

    codec: str
    rate: int
    channels: int
    block: int


class PcmFrames:
    """Frames of raw sound; what is less than a moment of all channels at the end is dropped.

    Raises BadAudio for a layout that no recording has.
    """

    def __init__(self, file: Readable, layout: PcmLayout) -> None:
        if layout.rate not in _RATES:
            raise BadAudio("raw audio needs a sample rate between 4000 and 192000 Hz")
        if layout.channels not in _CHANNELS or layout.codec not in _CODECS.split(","):
            raise BadAudio("there is no sound in this file that can be read")
        self._file = file
        self._block = layout.block
        context = av.CodecContext.create(layout.codec, "r")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate = layout.rate
        context.layout = _layout_name(layout.channels)
        self._context = context

    def __iter__(self) -> Iterator[AudioFrame]:
        rest = b""
        while raw := self._read():
            raw = rest + raw
            whole = len(raw) // self._block * self._block
            rest = raw[whole:]
            if whole:
                yield from self._decoded(raw[:whole])

    def _read(self) -> bytes:
        with from_disk():
            return self._file.read(_PCM_READ)

    def _decoded(self, raw: bytes) -> list[AudioFrame]:
        frames = self._context.decode(av.Packet(raw))
        for frame in frames:
            frame.sample_rate = self._context.sample_rate
        return frames

    def close(self) -> None:
        """Do nothing: there is nothing but the bytes."""


def _layout_name(channels: int) -> str:
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")


class ContainerFrames:
    """Frames of a file's first audio stream, going on after damaged ones.

    ``options`` go to the demuxer; ``heard`` is told each packet that gave sound, as its place
    and its length in bytes (-1 for a place that the demuxer does not know). Raises BadAudio,
    when made, for bytes in which there is nothing to be decoded; made and iterated, DiskFailed,
    and FileNotFoundError for a file that is gone.
    """

    def __init__(
        self,
        file: Readable,
        form: str,
        *,
        options: Mapping[str, str] | None = None,
        heard: Callable[[int, int], None] | None = None,
    ) -> None:
        self._heard = heard
        self._file = ForFFmpeg(file)
        try:
            self._container = _container(self._file, form, options or {})
        except BadAudio:
            self._file.check()
            raise
        try:
            self._stream = _audio_stream(self._container)
        except BadAudio:
            self._container.close()
            self._file.check()
            raise

    def __iter__(self) -> Iterator[AudioFrame]:
        yield from self._decoded()
        self._file.check()

    def _decoded(self) -> Iterator[AudioFrame]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    frames = packet.decode()
                except DAMAGE:
                    continue
                if frames and self._heard:
                    self._heard(-1 if packet.pos is None else packet.pos, packet.size)
                yield from frames
        except DAMAGE:
            return

    def close(self) -> None:
        """Free the decoder."""
        self._container.close()


def _container(file: ForFFmpeg, form: str, options: Mapping[str, str]) -> InputContainer:
    try:
        return av.open(
            file,
            "r",
            format=DEMUXERS[form],
            options={"codec_whitelist": _CODECS, "protocol_whitelist": "", **options},
            metadata_errors="ignore",
        )
    except DAMAGE as error:
        raise BadAudio("the recording is damaged and cannot be read") from error


def _audio_stream(container: InputContainer) -> AudioStream:
    for stream in container.streams.audio:
        context: AudioCodecContext | None = stream.codec_context  # None: no decoder for it
        if context and context.name in _CODECS.split(",") and context.sample_rate in _RATES:
            return stream
    raise BadAudio("there is no sound in this file that can be read")


def resampled(frames: Iterable[AudioFrame]) -> Iterator[Samples]:
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
    except DAMAGE:
        return
    for piece in ready:
        if piece.samples:
            yield piece.to_ndarray().reshape(-1).astype(np.float32) / np.float32(32768)
