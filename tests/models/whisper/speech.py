"""Every phrase spoken many ways: the clips that the micro Whisper learns from and is judged by."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.models.phrases import PHRASES
from tests.models.voice import (
    BASES,
    HELD_OUT_VARIANTS,
    SAMPLE_RATE,
    TRAINING_VARIANTS,
    Samples,
    Voice,
    speak,
    trim,
)


@dataclass(frozen=True, slots=True)
class Clip:
    """One phrase (an index into PHRASES) spoken once, with hardly any quiet around it."""

    phrase: int
    samples: Samples

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Split:
    """How one set of clips is spoken."""

    name: str
    seed: int
    takes: int  # of each phrase
    variants: Sequence[str]
    speeds: Sequence[int]
    pitches: Sequence[int]


TRAINING = Split("training", 1, 90, TRAINING_VARIANTS, range(125, 200, 5), range(25, 80, 5))
# Speeds and pitches between those of the training grid, too.
HELD_OUT = Split("held-out", 2, 6, HELD_OUT_VARIANTS, range(128, 198, 5), range(27, 78, 5))


def load_clips(split: Split, folder: Path) -> list[Clip]:
    """Return the split's clips, spoken anew unless ``folder`` has them already."""
    path = folder / f"clips-{split.name}.npz"
    if not path.exists():
        _save(path, _speak_all(split))
    return _load(path)


def _speak_all(split: Split) -> list[Clip]:
    rng = random.Random(split.seed)
    takes = [(i, cast(split, i, rng)) for i in range(len(PHRASES)) for _ in range(split.takes)]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda take: _take(*take), takes))


def cast(split: Split, phrase: int, rng: random.Random) -> Voice:
    """Draw one of the voices of a split for a phrase."""
    base = rng.choice(BASES[PHRASES[phrase].language])
    name = base + rng.choice(split.variants)
    return Voice(name, rng.choice(split.speeds), rng.choice(split.pitches))


def _take(phrase: int, voice: Voice) -> Clip:
    return Clip(phrase, trim(speak(PHRASES[phrase], voice), before=0.025, after=0.05))


def _save(path: Path, clips: Sequence[Clip]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        audio=np.concatenate([clip.samples for clip in clips]).astype(np.float16),
        lengths=[len(clip.samples) for clip in clips],
        phrases=[clip.phrase for clip in clips],
    )


def _load(path: Path) -> list[Clip]:
    with np.load(path) as stored:
        audio = stored["audio"].astype(np.float32)
        ends = np.cumsum(stored["lengths"])[:-1]
        phrases = stored["phrases"].tolist()
    return [Clip(phrase, part) for phrase, part in zip(phrases, np.split(audio, ends), strict=True)]
