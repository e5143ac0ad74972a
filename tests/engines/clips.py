"""Sound for the tests: the committed recordings, noises, and any of it in any format."""

import csv
import io
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples

RECORDINGS = Path(__file__).parents[1] / "models" / "recordings"

ENCODINGS: Mapping[str, tuple[str, str, int]] = {
    "m4a": ("ipod", "aac", 44_100),
    "mp4": ("mp4", "aac", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "ogg": ("ogg", "libopus", 48_000),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "wav": ("wav", "pcm_s16le", 16_000),
    "flac": ("flac", "flac", 16_000),
}
"""Container, codec and sample rate by format."""


@dataclass(frozen=True)
class Clip:
    """A committed recording and what is said in it."""

    path: Path
    language: str
    text: str

    def samples(self) -> Samples:
        with wave.open(str(self.path)) as file:
            assert (file.getframerate(), file.getnchannels()) == (SAMPLE_RATE, 1)
            raw = file.readframes(file.getnframes())
        return np.frombuffer(raw, "<i2").astype(np.float32) / np.float32(32768)


def clips(language: str | None = None) -> list[Clip]:
    """Return the committed recordings, those of one language or all."""
    with (RECORDINGS / "index.tsv").open(encoding="utf-8", newline="") as index:
        rows = csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE)
        found = [Clip(RECORDINGS / row["file"], row["language"], row["text"]) for row in rows]
    return [clip for clip in found if language in (None, clip.language)]


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def noise(seconds: float, loudness: float) -> Samples:
    rng = np.random.default_rng(7)
    return (loudness * rng.standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)


def sine(seconds: float, hertz: float = 440.0) -> Samples:
    moments = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.1 * np.sin(2 * np.pi * hertz * moments)).astype(np.float32)


def spaced(recordings: Sequence[Samples], pause: float) -> Samples:
    """Put recordings one after the other with a pause after each."""
    return np.concatenate([part for samples in recordings for part in (samples, silence(pause))])


def encoded(samples: Samples, form: str, *, options: Mapping[str, str] | None = None) -> bytes:
    """Encode samples as a complete file of one of ``ENCODINGS``."""
    container, codec, rate = ENCODINGS[form]
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=dict(options or {})) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        integers = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
        frame = AudioFrame.from_ndarray(integers.reshape(1, -1), "s16", "mono")
        frame.sample_rate = SAMPLE_RATE
        resampler = av.AudioResampler(
            stream.codec_context.format, "mono", rate, frame_size=stream.frame_size or 1024
        )
        for ready in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(stream.encode(ready))
        output.mux(stream.encode(None))
    return file.getvalue()


def pcm(samples: Samples) -> bytes:
    """Return samples as raw ``pcm_s16le``."""
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
