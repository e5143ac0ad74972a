"""Phrases with the time of each word, spoken many ways: what the word-by-word Whisper learns."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.models.phrases_words import PHRASES, salad, sentence
from tests.models.timed_voice import HELD_OUT_VARIANTS, TRAINING_VARIANTS, Timed, speak_timed
from tests.models.voice import Voice, Word
from tests.models.whisper.clips import Clip, load_clips

BASES = ("en", "en-us", "en-gb-x-rp")
TRAINING_SEED, HELD_OUT_SEED = 11, 12
SENTENCES, SALADS = 5000, 3500
HELD_OUT_TAKES = 1


@dataclass(frozen=True, slots=True)
class Cast:
    """The voices, speeds and pitches to draw from."""

    variants: tuple[str, ...]
    speeds: range
    pitches: range

    def draw(self, rng: random.Random) -> Voice:
        """Draw a voice."""
        name = rng.choice(BASES) + rng.choice(self.variants)
        return Voice(name, rng.choice(self.speeds), rng.choice(self.pitches))


TRAINING = Cast(TRAINING_VARIANTS, range(125, 200, 5), range(25, 80, 5))
# Speeds and pitches between those of the training grid, too.
HELD_OUT = Cast(HELD_OUT_VARIANTS, range(128, 198, 5), range(27, 78, 5))


def training_clips(folder: Path) -> list[Clip]:
    """Return sentences and salads, none of them a phrase of the set, in the training's voices."""
    return load_clips(folder / "word-clips-training.npz", _speak_training)


def held_out_clips(folder: Path) -> list[Clip]:
    """Return the phrases of the set in voices that the training had not."""
    return load_clips(folder / "word-clips-held-out.npz", _speak_held_out)


def clip(timed: Timed) -> Clip:
    """Return the speech as a clip of words."""
    return Clip("en", timed.samples, tuple(Word(f" {text}", *at) for text, *at in timed.words))


def _speak_training() -> list[Clip]:
    rng = random.Random(TRAINING_SEED)
    texts = [_unlike_the_set(sentence, rng) for _ in range(SENTENCES)]
    texts += [_unlike_the_set(salad, rng) for _ in range(SALADS)]
    return [clip(speak_timed(text, TRAINING.draw(rng))) for text in texts]


def _unlike_the_set(draw: Callable[[random.Random], str], rng: random.Random) -> str:
    while (text := draw(rng)) in PHRASES:
        pass
    return text


def _speak_held_out() -> list[Clip]:
    rng = random.Random(HELD_OUT_SEED)
    texts = [text for text in PHRASES for _ in range(HELD_OUT_TAKES)]
    return [clip(speak_timed(text, HELD_OUT.draw(rng))) for text in texts]
