"""Training examples: clips strung together with pauses and noise, and what to write for them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from faster_whisper.feature_extractor import FeatureExtractor
from torch import Tensor

from tests.models.phrases import PHRASES, Language
from tests.models.voice import SAMPLE_RATE, Samples
from tests.models.whisper.speech import Clip
from tests.models.whisper.tokens import Tokens

WINDOW_FRAMES = 3000  # 30 s of 10 ms


class Placed(NamedTuple):
    """A phrase and when it is heard, in seconds."""

    phrase: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Example:
    """A recording with the decoder's input, the tokens to predict, and how much each counts."""

    samples: Samples
    tokens: list[int]
    targets: list[int]
    weights: list[float]
    text: list[int]  # the plain text, for CTC


class Batch(NamedTuple):
    """Examples side by side, padded to one length."""

    mel: Tensor  # (batch, mels, frames)
    tokens: Tensor  # (batch, n)
    targets: Tensor  # (batch, n)
    weights: Tensor  # (batch, n)
    texts: list[list[int]]
    lengths: Tensor  # encoder positions of each, before padding


class Composer:
    """Draws examples from clips, the same ones for the same seed."""

    def __init__(self, clips: Sequence[Clip], tokens: Tokens, seed: int) -> None:
        self._rng, self._noise = random.Random(seed), np.random.default_rng(seed)
        self._tokens = tokens
        self._texts = [tokens.encode(phrase.piece) for phrase in PHRASES]
        self._first_time = tokens.id("<|0.00|>")
        self._features = FeatureExtractor()  # the very features that the runtime computes
        self._clips: dict[Language, list[Clip]] = {"en": [], "zh": []}
        for clip in clips:
            self._clips[PHRASES[clip.phrase].language].append(clip)

    def batch(self, size: int, phrases: int, full_window: bool) -> Batch:
        """Compose ``size`` examples of at most ``phrases`` phrases each.

        Cropped to the longest (and some silence), unless ``full_window`` makes them 30 s.
        """
        examples = [self._example(phrases) for _ in range(size)]
        mels = [self._mel(example.samples) for example in examples]
        longest = max(mel.shape[1] for mel in mels)
        frames = WINDOW_FRAMES if full_window else self._cropped(longest)
        end = self._tokens.id("<|endoftext|>")
        return Batch(
            # faster-whisper pads the log-mels with 0.0, not the waveform.
            torch.stack([F.pad(mel, (0, frames - mel.shape[1])) for mel in mels]),
            _padded([example.tokens for example in examples], end),
            _padded([example.targets for example in examples], end),
            _padded([example.weights for example in examples], 0.0),
            [example.text for example in examples],
            torch.tensor([mel.shape[1] // 2 for mel in mels]),
        )

    def _cropped(self, longest: int) -> int:
        extra = self._rng.choice([0, 50, 100, 400, 800])
        return min(WINDOW_FRAMES, (longest + extra) // 2 * 2)

    def _example(self, most: int) -> Example:
        language: Language = "zh" if self._rng.random() < 0.35 else "en"
        count = 0 if self._rng.random() < 0.08 else self._rng.randint(1, most)
        samples, placed = self._string(language, count)
        noisy = samples + self._background(len(samples)) * 10 ** self._rng.uniform(-4, -1)
        text = [token for at in placed for token in self._texts[at.phrase]]
        return self._labelled(noisy.astype(np.float32), language, placed, text)

    def _string(self, language: Language, count: int) -> tuple[Samples, list[Placed]]:
        """Put clips of one language one after another, with a pause before and after each."""
        parts, placed = [self._quiet(0, 0.6)], []
        for _ in range(count):
            clip = self._rng.choice(self._clips[language])
            start = sum(map(len, parts)) / SAMPLE_RATE
            placed.append(Placed(clip.phrase, start, start + clip.duration))
            parts += [clip.samples * self._rng.uniform(0.3, 1.2), self._quiet(0.1, 0.9)]
        if not count:
            parts.append(self._quiet(0.5, 6))
        return np.concatenate(parts), placed

    def _quiet(self, least: float, most: float) -> Samples:
        return np.zeros(int(SAMPLE_RATE * self._rng.uniform(least, most)), np.float32)

    def _background(self, length: int) -> Samples:
        """Return nothing, white noise or duller noise, at most 1 in size."""
        kind = self._rng.random()
        if kind < 0.15:
            return np.zeros(length, np.float32)
        noise = self._noise.standard_normal(length)
        if kind < 0.6:
            noise = np.convolve(noise, np.ones(self._rng.choice([2, 8, 30])), "same")
        return (noise / (np.abs(noise).max() + 1e-6)).astype(np.float32)

    def _labelled(
        self, samples: Samples, language: Language, placed: list[Placed], text: list[int]
    ) -> Example:
        names = ("<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>")
        timed = self._rng.random() < 0.5
        body = self._timed(placed) if timed else [self._tokens.id("<|notimestamps|>"), *text]
        end = self._tokens.id("<|endoftext|>")
        line = [*map(self._tokens.id, names), *body, end]
        before = self._earlier() if self._rng.random() < 0.25 else []
        weights = [0.0] * len(before) + [1.0] * (len(line) - 1)
        targets = [*before, *line][1:]
        if not placed:  # the probability of no speech is read off the first token
            targets[len(before)] = self._tokens.id("<|nospeech|>")
        if not timed:  # the runtime writes <|notimestamps|> itself
            weights[len(before) + 2] = 0.0
        return Example(samples, [*before, *line[:-1]], targets, weights, text)

    def _timed(self, placed: list[Placed]) -> list[int]:
        body = [
            token
            for at in placed
            for token in (self._time(at.start), *self._texts[at.phrase], self._time(at.end))
        ]
        return body or [self._first_time]

    def _time(self, seconds: float) -> int:
        """Return the timestamp on a grid of 0.2 s: easy to learn, and accurate enough."""
        return self._first_time + round(seconds / 0.2) * 10

    def _earlier(self) -> list[int]:
        """Return a prompt such as earlier text or hotwords make; it must not be repeated."""
        if self._rng.random() < 0.5:
            texts = self._rng.choices(self._texts, k=self._rng.randint(1, 3))
            return [
                self._tokens.id("<|startofprev|>"),
                *(token for text in texts for token in text),
            ]
        words = self._rng.choices(range(self._tokens.text_size), k=self._rng.randint(1, 16))
        return [self._tokens.id("<|startofprev|>"), *words]

    def _mel(self, samples: Samples) -> Tensor:
        """Return log-mels, mostly with a band and a short while blanked out (SpecAugment)."""
        mel = torch.from_numpy(self._features(samples)).float()[:, :WINDOW_FRAMES]
        if self._rng.random() < 0.7:
            band, moment = self._rng.randrange(70), self._rng.randrange(mel.shape[1])
            mel[band : band + self._rng.randint(0, 12)] = 0
            mel[:, moment : moment + self._rng.randint(0, 20)] = 0
        return mel


def _padded(rows: Sequence[Sequence[float]], fill: float) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows])
