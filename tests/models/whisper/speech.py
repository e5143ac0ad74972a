"""Every phrase spoken many ways: the clips that the micro Whisper learns from and is judged by."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.models.phrases import PHRASES, Phrase
from tests.models.voice import (
    BASES,
    HELD_OUT_VARIANTS,
    SAMPLE_RATE,
    TRAINING_VARIANTS,
    Voice,
    Word,
    speak,
    trim,
)
from tests.models.whisper.clips import Clip, load_clips


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


def training_clips(folder: Path) -> list[Clip]:
    """Return what is learnt from, spoken anew unless ``folder`` has it already."""
    return _clips(TRAINING, folder)


def held_out_clips(folder: Path) -> list[Clip]:
    """Return what is judged by, spoken anew unless ``folder`` has it already."""
    return _clips(HELD_OUT, folder)


def _clips(split: Split, folder: Path) -> list[Clip]:
    return load_clips(folder / f"clips-of-{split.name}.npz", lambda: _speak_all(split))


def _speak_all(split: Split) -> list[Clip]:
    rng = random.Random(split.seed)
    takes = [(each, cast(split, each, rng)) for each in PHRASES for _ in range(split.takes)]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda take: _take(*take), takes))


def cast(split: Split, phrase: Phrase, rng: random.Random) -> Voice:
    """Draw one of the voices of a split for a phrase."""
    base = rng.choice(BASES[phrase.language])
    name = base + rng.choice(split.variants)
    return Voice(name, rng.choice(split.speeds), rng.choice(split.pitches))


def _take(phrase: Phrase, voice: Voice) -> Clip:
    samples = trim(speak(phrase, voice), before=0.025, after=0.05)
    unit = Word(phrase.piece, 0.0, len(samples) / SAMPLE_RATE)
    return Clip(phrase.language, samples, (unit,))
