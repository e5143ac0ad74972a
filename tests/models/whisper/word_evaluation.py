"""The word-by-word micro Whisper judged on phrases and voices it has not heard, whole and cut."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from faster_whisper import WhisperModel

from tests.models.voice import SAMPLE_RATE, Samples, Word
from tests.models.whisper.clips import Clip
from tests.models.whisper.cuts import Cut, Phrase
from tests.models.whisper.listening import (
    PLAIN,
    Spoken,
    load,
    suite,
    suite_of_nothing,
    with_noise,
)
from tests.models.whisper.word_speech import held_out_clips

SEED = 7
MARGIN = 0.3  # seconds of silence on both sides, as the server puts them there
WINDOW = 6.0 - 2 * MARGIN  # seconds that are heard at once
SHORTEST = 0.2  # seconds

Side = Literal["begin", "end", "both"]


def evaluate(folder: Path, scratch: Path) -> None:
    """Print the share of exact transcripts of many kinds of recording."""
    model = load(folder)
    studio = WordStudio(held_out_clips(scratch))
    _whole(model, studio)
    _several(model, studio)
    _cut(model, studio)
    _timed(model, studio)
    suite_of_nothing(model, studio.noise)


def _whole(model: WhisperModel, studio: "WordStudio") -> None:
    whole = [studio.whole(clip) for clip in studio.clips]
    bare = [studio.whole(clip, margin=0.0) for clip in studio.clips]
    suite("phrase, language given", model, whole, given=True, **PLAIN)
    suite("phrase, all defaults", model, whole)
    suite("phrase, voice activity filter, all defaults", model, whole, vad_filter=True)
    suite("phrase, no silence around it", model, bare, given=True, **PLAIN)
    suite("phrase, with hotwords", model, whole, hotwords="Suzhou Chen", **PLAIN)
    noisy = [studio.noisy(each) for each in whole]
    suite("phrase, white noise of 0.01", model, noisy, given=True, **PLAIN)


def _several(model: WhisperModel, studio: "WordStudio") -> None:
    for count in (2, 3):
        several = [studio.several(count) for _ in range(40)]
        suite(f"{count} phrases in a window", model, several, **PLAIN)
        suite(
            f"{count} phrases in a window, voice activity filter", model, several, vad_filter=True
        )
    windows = [studio.window() for _ in range(40)]
    suite("a window out of longer speech", model, windows, given=True, **PLAIN)


def _cut(model: WhisperModel, studio: "WordStudio") -> None:
    sides: tuple[Side, ...] = ("begin", "end", "both")
    for side in sides:
        clear = [studio.cut(clip, side, clear=True) for clip in studio.clips]
        suite(f"{side} cut between words or nearly", model, clear, given=True, **PLAIN)
        anywhere = [studio.cut(clip, side) for clip in studio.clips]
        suite(f"{side} cut anywhere", model, anywhere, given=True, **PLAIN)
        bare = [studio.cut(clip, side, clear=True, margin=0.0) for clip in studio.clips]
        suite(f"{side} cut, no silence around it", model, bare, given=True, **PLAIN)
    defaults = [studio.cut(clip, "both", clear=True) for clip in studio.clips]
    suite("both cut, all defaults", model, defaults, given=True)


def _timed(model: WhisperModel, studio: "WordStudio") -> None:
    """Print how far the segments' times are off, in seconds, where two phrases make two segments.

    faster-whisper itself lets a segment that is alone begin with its window.
    """
    off: list[float] = []
    for first, second in zip(studio.clips[::2], studio.clips[1::2], strict=True):
        both = np.concatenate([first.samples, np.zeros(SAMPLE_RATE // 2, np.float32)])
        after = MARGIN + len(both) / SAMPLE_RATE
        both = np.pad(np.concatenate([both, second.samples]), int(MARGIN * SAMPLE_RATE))
        segments = list(model.transcribe(both, language="en")[0])
        wanted = (MARGIN, MARGIN + first.duration, after, after + second.duration)
        if len(segments) == 2:
            found = [at for segment in segments for at in (segment.start, segment.end)]
            off += [abs(a - b) for a, b in zip(found, wanted, strict=True)]
    pairs = len(off) // 4
    print(f"whisper, times of {pairs} pairs: {np.mean(off):.2f} s off, {max(off):.2f} s at most")


class WordStudio:
    """Makes recordings out of clips and cuts them, the same ones every time."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self.clips = clips
        self.noise = np.random.default_rng(SEED)
        self._rng = random.Random(SEED)

    def whole(self, clip: Clip, margin: float = MARGIN) -> Spoken:
        """Return one clip in a quiet room."""
        return self._spoken(clip.samples, [clip.units], Cut(0, clip.duration), margin)

    def noisy(self, spoken: Spoken) -> Spoken:
        """Return a recording with white noise over it."""
        louder = with_noise(spoken.samples, 0.01, self.noise)
        return Spoken(louder, spoken.language, spoken.text)

    def cut(self, clip: Clip, side: Side, clear: bool = False, margin: float = MARGIN) -> Spoken:
        """Return a clip cut at an arbitrary instant; ``clear``: not amidst a word.

        Where the cut is not clear, the words in doubt are right and wrong.
        """
        while True:
            cut = self._instants(clip.duration, side)
            if not clear or cut.is_clear([clip.units]):
                return self._spoken(clip.samples, [clip.units], cut, margin)

    def several(self, count: int) -> Spoken:
        """Return phrases one after another that fit into a window."""
        while True:
            samples, phrases = self._string(count)
            seconds = len(samples) / SAMPLE_RATE
            if seconds <= WINDOW:
                return self._spoken(samples, phrases, Cut(0, seconds), MARGIN)

    def window(self) -> Spoken:
        """Return a window's length of several phrases, cut clearly at both ends."""
        samples, phrases = self._string(5)
        while True:
            begin = self._rng.uniform(0, len(samples) / SAMPLE_RATE - WINDOW)
            cut = Cut(begin, begin + WINDOW)
            if cut.is_clear(phrases):
                return self._spoken(samples, phrases, cut, MARGIN)

    def _instants(self, seconds: float, side: Side) -> Cut:
        begin = 0.0 if side == "end" else self._rng.uniform(0, seconds - SHORTEST)
        end = seconds if side == "begin" else self._rng.uniform(begin + SHORTEST, seconds)
        return Cut(begin, end)

    def _string(self, count: int) -> tuple[Samples, list[Phrase]]:
        parts: list[Samples] = []
        phrases: list[Phrase] = []
        for clip in self._rng.sample(self.clips, count):
            before = sum(map(len, parts)) / SAMPLE_RATE
            units = (Word(text, start + before, end + before) for text, start, end in clip.units)
            phrases.append(tuple(units))
            pause = int(SAMPLE_RATE * self._rng.uniform(0.1, 0.6))
            parts += [clip.samples, np.zeros(pause, np.float32)]
        return np.concatenate(parts[:-1]), phrases

    def _spoken(
        self, samples: Samples, phrases: Sequence[Phrase], cut: Cut, margin: float
    ) -> Spoken:
        kept = samples[round(cut.begin * SAMPLE_RATE) : round(cut.end * SAMPLE_RATE)]
        padded = np.pad(with_noise(kept, 0.001, self.noise), round(margin * SAMPLE_RATE))
        text, *others = (_text(words) for words in cut.readings(phrases))
        return Spoken(padded, "en", text, frozenset(others))


def _text(phrases: Sequence[Phrase]) -> str:
    return "".join(word.text for phrase in phrases for word in phrase).strip()
