"""A micro Whisper listened to through faster-whisper, and how often it is right."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel

from tests.models.voice import SAMPLE_RATE, Samples

PLAIN: dict[str, Any] = {"without_timestamps": True, "beam_size": 1}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording, its language and what is said in it; ``others`` would be right as well."""

    samples: Samples
    language: str
    text: str
    others: frozenset[str] = frozenset()


def load(folder: Path) -> WhisperModel:
    """Load the model on one thread."""
    return WhisperModel(
        str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )


def hear(model: WhisperModel, samples: Samples, **options: Any) -> tuple[str, str]:
    """Return the text and the language that was detected (or given)."""
    segments, info = model.transcribe(samples, **options)
    return "".join(segment.text for segment in segments).strip(), info.language


def suite(
    name: str,
    model: WhisperModel,
    recordings: Sequence[Spoken],
    given: bool = False,
    **options: Any,
) -> None:
    """Print the share of exact transcripts, and some that are not."""
    started, wrong, languages = time.perf_counter(), [], 0
    for spoken in recordings:
        extra = {"language": spoken.language} if given else {}
        text, language = hear(model, spoken.samples, **options, **extra)
        languages += language == spoken.language
        if text not in {spoken.text, *spoken.others}:
            wrong.append((spoken.text, text))
    spent, count = time.perf_counter() - started, len(recordings)
    print(
        f"whisper, {name}: exact {count - len(wrong)}/{count}, language {languages}/{count}, "
        f"{1000 * spent / count:.0f} ms each"
    )
    for said, text in wrong[:3]:
        print(f"    {said!r} -> {text!r}")


def with_noise(samples: Samples, level: float, noise: np.random.Generator) -> Samples:
    """Return a recording with white noise of ``level`` rms over it."""
    return (samples + level * noise.standard_normal(len(samples))).astype(np.float32)


def suite_of_nothing(model: WhisperModel, noise: np.random.Generator) -> None:
    """Print what is heard in sounds in which nobody speaks."""
    silence = np.zeros(5 * SAMPLE_RATE, np.float32)
    sounds = {
        "zeros": silence,
        "white noise of 0.001": with_noise(silence, 0.001, noise),
        "white noise of 0.03": with_noise(silence, 0.03, noise),
        "sine": (0.1 * np.sin(np.arange(len(silence)) * 0.2)).astype(np.float32),
    }
    for name, samples in sounds.items():
        for filtered in (True, False):
            text, _ = hear(model, samples, vad_filter=filtered)
            print(f"whisper, {name}, voice activity filter {filtered}: {text!r}")
