"""The micro Whisper judged through faster-whisper, on voices it has not heard."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel

from tests.models.phrases import PHRASES
from tests.models.voice import SAMPLE_RATE, Samples
from tests.models.whisper.speech import HELD_OUT, Clip, load_clips

SEED = 5
PLAIN: dict[str, Any] = {"without_timestamps": True, "beam_size": 1}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording, its language and what is said in it."""

    samples: Samples
    language: str
    text: str


def load(folder: Path) -> WhisperModel:
    """Load the model on one thread."""
    return WhisperModel(
        str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )


def hear(model: WhisperModel, samples: Samples, **options: Any) -> tuple[str, str]:
    """Return the text and the language that was detected (or given)."""
    segments, info = model.transcribe(samples, **options)
    return "".join(segment.text for segment in segments).strip(), info.language


def evaluate(folder: Path, scratch: Path) -> None:
    """Print the share of exact transcripts of many kinds of recording."""
    model = load(folder)
    studio = Studio(load_clips(HELD_OUT, scratch))
    singles = [studio.single(clip) for clip in studio.clips]
    some = singles[::3]
    _suite("single phrase, language given", model, singles, given=True, **PLAIN)
    _suite("single phrase, language detected", model, singles, **PLAIN)
    _suite("single phrase, all defaults", model, some)
    _suite("single phrase, voice activity filter, all defaults", model, singles, vad_filter=True)
    _suite("single phrase, white noise of 0.02", model, [studio.noisy(s) for s in some], **PLAIN)
    for least, most, count in ((2, 3, 60), (4, 4, 20)):
        several = [studio.several(least, most) for _ in range(count)]
        name = f"{least} to {most} phrases" if most > least else f"{least} phrases"
        _suite(f"{name}, no timestamps", model, several, **PLAIN)
        _suite(f"{name}, all defaults", model, several)
        _suite(f"{name}, voice activity filter", model, several, vad_filter=True, **PLAIN)
    _suite("single phrase, with hotwords", model, some, hotwords="Suzhou 苏州 Chen", **PLAIN)
    for name, samples in studio.speechless():
        for filtered in (True, False):
            text, _ = hear(model, samples, vad_filter=filtered)
            print(f"whisper, {name}, voice activity filter {filtered}: {text!r}")


def _suite(
    name: str,
    model: WhisperModel,
    recordings: Sequence[Spoken],
    given: bool = False,
    **options: Any,
) -> None:
    started, wrong, languages = time.perf_counter(), [], 0
    for spoken in recordings:
        extra = {"language": spoken.language} if given else {}
        text, language = hear(model, spoken.samples, **options, **extra)
        languages += language == spoken.language
        if text != spoken.text:
            wrong.append((spoken.text, text))
    spent, count = time.perf_counter() - started, len(recordings)
    print(
        f"whisper, {name}: exact {count - len(wrong)}/{count}, language {languages}/{count}, "
        f"{1000 * spent / count:.0f} ms each"
    )
    for said, text in wrong[:3]:
        print(f"    {said!r} -> {text!r}")


class Studio:
    """Makes recordings out of clips, the same ones every time."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self.clips = clips
        self._rng, self._noise = random.Random(SEED), np.random.default_rng(SEED)

    def single(self, clip: Clip) -> Spoken:
        """Return one clip in a quiet room."""
        phrase = PHRASES[clip.phrase]
        return Spoken(self._in_room(clip.samples), phrase.language, phrase.text)

    def noisy(self, spoken: Spoken) -> Spoken:
        """Return a recording with loud white noise over it."""
        return Spoken(self._with_noise(spoken.samples, 0.02), spoken.language, spoken.text)

    def several(self, least: int, most: int) -> Spoken:
        """Return clips of one language after another."""
        language = self._rng.choice(["en", "en", "zh"])
        same = [clip for clip in self.clips if PHRASES[clip.phrase].language == language]
        chosen = self._rng.choices(same, k=self._rng.randint(least, most))
        parts = [part for clip in chosen for part in (clip.samples, self._pause())]
        text = "".join(PHRASES[clip.phrase].piece for clip in chosen).strip()
        return Spoken(self._in_room(np.concatenate(parts)), language, text)

    def speechless(self) -> Iterator[tuple[str, Samples]]:
        """Yield sounds in which nobody speaks."""
        silence = np.zeros(5 * SAMPLE_RATE, np.float32)
        yield "zeros", silence
        yield "white noise of 0.001", self._with_noise(silence, 0.001)
        yield "white noise of 0.03", self._with_noise(silence, 0.03)
        yield "sine", (0.1 * np.sin(np.arange(len(silence)) * 0.2)).astype(np.float32)

    def _pause(self) -> Samples:
        return np.zeros(int(SAMPLE_RATE * self._rng.uniform(0.15, 0.8)), np.float32)

    def _in_room(self, samples: Samples) -> Samples:
        return self._with_noise(np.pad(samples, int(0.3 * SAMPLE_RATE)), 0.001)

    def _with_noise(self, samples: Samples, level: float) -> Samples:
        noise = self._noise.standard_normal(len(samples))
        return (samples + level * noise).astype(np.float32)
