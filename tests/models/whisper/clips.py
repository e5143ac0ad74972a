"""Speech that a micro Whisper learns from or is judged by, and what is heard when in it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.models.phrases import Language
from tests.models.voice import SAMPLE_RATE, Samples, Word


@dataclass(frozen=True, slots=True)
class Clip:
    """One phrase spoken once, with hardly any quiet around it.

    Its units are the least that is written down or not: a whole phrase, or each word of it, with
    the text as Whisper writes it.
    """

    language: Language
    samples: Samples
    units: tuple[Word, ...]

    @property
    def piece(self) -> str:
        """The phrase as Whisper writes it."""
        return "".join(unit.text for unit in self.units)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE


def load_clips(path: Path, speak: Callable[[], Sequence[Clip]]) -> list[Clip]:
    """Return the clips of a file, spoken anew unless it is there already."""
    if not path.exists():
        _save(path, speak())
    return _load(path)


def _save(path: Path, clips: Sequence[Clip]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        audio=np.concatenate([clip.samples for clip in clips]).astype(np.float16),
        lengths=[len(clip.samples) for clip in clips],
        languages=[clip.language for clip in clips],
        units=[json.dumps(clip.units) for clip in clips],
    )


def _load(path: Path) -> list[Clip]:
    with np.load(path) as stored:
        audio = stored["audio"].astype(np.float32)
        ends = np.cumsum(stored["lengths"])[:-1]
        languages, units = stored["languages"].tolist(), stored["units"].tolist()
    return [
        Clip(language, part, tuple(Word(*unit) for unit in json.loads(text)))
        for language, part, text in zip(languages, np.split(audio, ends), units, strict=True)
    ]
