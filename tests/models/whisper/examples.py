"""Training examples: clips strung together with pauses and noise, and what to write for them."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from faster_whisper.feature_extractor import FeatureExtractor
from torch import Tensor

from tests.models.phrases import Language
from tests.models.voice import SAMPLE_RATE, Samples, Word
from tests.models.whisper.clips import Clip
from tests.models.whisper.cuts import Phrase, draw_cut
from tests.models.whisper.recipe import Recipe
from tests.models.whisper.tokens import Tokens

WINDOW_FRAMES = 3000  # 30 s of 10 ms
POSITION = 320  # samples to a position of the encoder
CONVOLVED = 8  # empty frames that the end of the speech reaches into

Padding = Literal["none", "some", "window"]
"""How long a batch is: as its longest example, some silence more, or a window of 30 s."""


class Segment(NamedTuple):
    """The text of a phrase, or of what is heard of it, and when, in seconds."""

    text: list[int]
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
    places: list[int]  # where its words are timed: the one at each of the encoder's positions


class Batch(NamedTuple):
    """Examples side by side, padded to one length."""

    mel: Tensor  # (batch, mels, frames)
    tokens: Tensor  # (batch, n)
    targets: Tensor  # (batch, n)
    weights: Tensor  # (batch, n)
    texts: list[list[int]]
    lengths: Tensor  # encoder positions of each, before padding
    places: Tensor | None  # (batch, positions)


class Composer:
    """Draws examples from clips, the same ones for the same seed."""

    def __init__(self, recipe: Recipe, clips: Sequence[Clip], tokens: Tokens, seed: int) -> None:
        self._mix = recipe.mix
        self._rng, self._noise = random.Random(seed), np.random.default_rng(seed)
        self._tokens = tokens
        self._texts = [tokens.encode(piece) for piece in recipe.pieces]
        self._first_time = tokens.id("<|0.00|>")
        self._features = FeatureExtractor()  # the very features that the runtime computes
        self._clips: dict[Language, list[Clip]] = {"en": [], "zh": []}
        for clip in clips:
            self._clips[clip.language].append(clip)

    def batch(self, size: int, phrases: int, padding: Padding) -> Batch:
        """Compose ``size`` examples of at most ``phrases`` phrases each."""
        return self._side_by_side([self._example(phrases) for _ in range(size)], padding)

    def batches_alike(self, size: int, count: int, phrases: int) -> Iterator[Batch]:
        """Compose ``count`` batches, each of examples of like lengths: little is padding.

        There are as many examples of one phrase as of two, and so on up to ``phrases``.
        """
        examples = [self._example(1 + i % phrases) for i in range(size * count)]
        examples.sort(key=lambda example: len(example.samples))
        groups = [examples[i : i + size] for i in range(0, len(examples), size)]
        self._rng.shuffle(groups)
        return (self._side_by_side(group, "none") for group in groups)

    def _side_by_side(self, examples: Sequence[Example], padding: Padding) -> Batch:
        mels = [self._mel(example.samples) for example in examples]
        longest = max(mel.shape[1] for mel in mels)
        frames = WINDOW_FRAMES if padding == "window" else self._cropped(longest, padding)
        end = self._tokens.id("<|endoftext|>")
        return Batch(
            # faster-whisper pads the log-mels with 0.0, not the waveform.
            torch.stack([F.pad(mel, (0, frames - mel.shape[1])) for mel in mels]),
            _padded([example.tokens for example in examples], end),
            _padded([example.targets for example in examples], end),
            _padded([example.weights for example in examples], 0.0),
            [example.text for example in examples],
            torch.tensor([mel.shape[1] // 2 for mel in mels]),
            self._places(examples, frames // 2) if self._mix.timed else None,
        )

    def _places(self, examples: Sequence[Example], positions: int) -> Tensor:
        silence = [self._tokens.text_size] * positions
        return torch.tensor([[*each.places, *silence][:positions] for each in examples])

    def _cropped(self, longest: int, padding: Padding) -> int:
        extra = self._rng.choice([0, 50, 100, 400, 800]) if padding == "some" else CONVOLVED
        return min(WINDOW_FRAMES, (longest + extra) // 2 * 2)

    def _example(self, most: int) -> Example:
        language: Language = "zh" if self._rng.random() < self._mix.chinese else "en"
        count = 0 if self._rng.random() < 0.08 else self._rng.randint(1, most)
        quiet = min(6.0, self._mix.quiet * most)
        samples, phrases = self._string(language, count, quiet)
        background = self._background(len(samples))
        samples = samples + background * 10 ** self._rng.uniform(-4, self._mix.loudest)
        if self._mix.cut:
            samples, phrases = self._cut(samples, phrases)
        heard = [self._segment(phrase) for phrase in phrases]
        places = self._placed(phrases, len(samples)) if self._mix.timed else []
        return self._labelled(samples.astype(np.float32), language, heard, places)

    def _placed(self, phrases: Sequence[Phrase], length: int) -> list[int]:
        """Return the word at each of the encoder's positions, or the id after the last word's."""
        places = [self._tokens.text_size] * (length // POSITION)
        for word in (word for phrase in phrases for word in phrase):
            first, last = (round(at * SAMPLE_RATE / POSITION) for at in (word.start, word.end))
            last = min(last, len(places))
            places[first:last] = self._tokens.encode(word.text)[:1] * (last - first)
        return places

    def _segment(self, phrase: Phrase) -> Segment:
        text = [token for unit in phrase for token in self._tokens.encode(unit.text)]
        return Segment(text, phrase[0].start, phrase[-1].end)

    def _cut(self, samples: Samples, phrases: list[Phrase]) -> tuple[Samples, list[Phrase]]:
        """Cut a recording and put silence around it, as the server does, or none."""
        before, after = (self._rng.choice((0.0, 0.3, self._rng.uniform(0, 0.6))) for _ in "  ")
        longest = self._mix.longest - before - after
        cut = draw_cut(self._rng, phrases, len(samples) / SAMPLE_RATE, self._mix.cut, longest)
        kept = samples[int(cut.begin * SAMPLE_RATE) : int(cut.end * SAMPLE_RATE)]
        padded = np.pad(kept, (int(before * SAMPLE_RATE), int(after * SAMPLE_RATE)))
        return padded, [_later(phrase, before) for phrase in cut.heard(phrases)]

    def _string(self, language: Language, count: int, quiet: float) -> tuple[Samples, list[Phrase]]:
        """Put clips of one language one after another, with a pause before and after each."""
        parts, phrases = [self._quiet(0, 0.6)], []
        for _ in range(count):
            clip = self._rng.choice(self._clips[language])
            start = sum(map(len, parts)) / SAMPLE_RATE
            phrases.append(_later(clip.units, start))
            parts += [clip.samples * self._rng.uniform(0.3, 1.2), self._quiet(0.1, 0.9)]
        if not count:
            parts.append(self._speechless(quiet))
        return np.concatenate(parts), phrases

    def _speechless(self, most: float) -> Samples:
        quiet = self._quiet(0.5, most)
        if not self._mix.tones or self._rng.random() >= self._mix.tones:
            return quiet
        pitch, loudness = self._rng.uniform(60, 4000), 10 ** self._rng.uniform(-2.5, -0.5)
        turns = pitch / SAMPLE_RATE * np.arange(len(quiet))
        return (loudness * np.sin(2 * np.pi * turns)).astype(np.float32)

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
        self, samples: Samples, language: Language, heard: list[Segment], places: list[int]
    ) -> Example:
        text = [token for segment in heard for token in segment.text]
        names = ("<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>")
        timed = self._rng.random() < 0.5
        body = self._timed(heard) if timed else [self._tokens.id("<|notimestamps|>"), *text]
        end = self._tokens.id("<|endoftext|>")
        line = [*map(self._tokens.id, names), *body, end]
        before = self._earlier() if self._rng.random() < 0.25 else []
        weights = [0.0] * len(before) + [1.0] * (len(line) - 1)
        targets = [*before, *line][1:]
        if not heard:  # the probability of no speech is read off the first token
            targets[len(before)] = self._tokens.id("<|nospeech|>")
        if not timed:  # the runtime writes <|notimestamps|> itself
            weights[len(before) + 2] = 0.0
        return Example(samples, [*before, *line[:-1]], targets, weights, text, places)

    def _timed(self, heard: list[Segment]) -> list[int]:
        body = [
            token
            for text, start, end in heard
            for token in (self._time(start), *text, self._time(end))
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
            mel[:, moment : moment + self._rng.randint(0, self._mix.blanked)] = 0
        return mel


def _later(phrase: Phrase, seconds: float) -> Phrase:
    return tuple(Word(unit.text, unit.start + seconds, unit.end + seconds) for unit in phrase)


def _padded(rows: Sequence[Sequence[float]], fill: float) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows])
