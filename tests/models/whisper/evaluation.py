"""The micro Whisper of a closed set judged on voices it has not heard."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.models.voice import SAMPLE_RATE, Samples
from tests.models.whisper.clips import Clip
from tests.models.whisper.listening import (
    PLAIN,
    Spoken,
    load,
    suite,
    suite_of_nothing,
    with_noise,
)
from tests.models.whisper.speech import held_out_clips

SEED = 5


def evaluate(folder: Path, scratch: Path) -> None:
    """Print the share of exact transcripts of many kinds of recording."""
    model = load(folder)
    studio = Studio(held_out_clips(scratch))
    singles = [studio.single(clip) for clip in studio.clips]
    some = singles[::3]
    suite("single phrase, language given", model, singles, given=True, **PLAIN)
    suite("single phrase, language detected", model, singles, **PLAIN)
    suite("single phrase, all defaults", model, some)
    suite("single phrase, voice activity filter, all defaults", model, singles, vad_filter=True)
    suite("single phrase, white noise of 0.02", model, [studio.noisy(s) for s in some], **PLAIN)
    for least, most, count in ((2, 3, 60), (4, 4, 20)):
        several = [studio.several(least, most) for _ in range(count)]
        name = f"{least} to {most} phrases" if most > least else f"{least} phrases"
        suite(f"{name}, no timestamps", model, several, **PLAIN)
        suite(f"{name}, all defaults", model, several)
        suite(f"{name}, voice activity filter", model, several, vad_filter=True, **PLAIN)
    suite("single phrase, with hotwords", model, some, hotwords="Suzhou 苏州 Chen", **PLAIN)
    suite_of_nothing(model, studio.noise)


class Studio:
    """Makes recordings out of clips, the same ones every time."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self.clips = clips
        self._rng, self.noise = random.Random(SEED), np.random.default_rng(SEED)

    def single(self, clip: Clip) -> Spoken:
        """Return one clip in a quiet room."""
        return Spoken(self._in_room(clip.samples), clip.language, clip.piece.strip())

    def noisy(self, spoken: Spoken) -> Spoken:
        """Return a recording with loud white noise over it."""
        louder = with_noise(spoken.samples, 0.02, self.noise)
        return Spoken(louder, spoken.language, spoken.text)

    def several(self, least: int, most: int) -> Spoken:
        """Return clips of one language after another."""
        language = self._rng.choice(["en", "en", "zh"])
        same = [clip for clip in self.clips if clip.language == language]
        chosen = self._rng.choices(same, k=self._rng.randint(least, most))
        parts = [part for clip in chosen for part in (clip.samples, self._pause())]
        text = "".join(clip.piece for clip in chosen).strip()
        return Spoken(self._in_room(np.concatenate(parts)), language, text)

    def _pause(self) -> Samples:
        return np.zeros(int(SAMPLE_RATE * self._rng.uniform(0.15, 0.8)), np.float32)

    def _in_room(self, samples: Samples) -> Samples:
        return with_noise(np.pad(samples, int(0.3 * SAMPLE_RATE)), 0.001, self.noise)
