"""Recognition by Whisper: voice activity, then window after window, one a step."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lifeecho_server.engines.hallucinations import is_often_made_up
from lifeecho_server.engines.script import ChineseScript
from lifeecho_server.engines.tape import Tape
from lifeecho_server.engines.transcriber import (
    SAMPLE_RATE,
    Hearing,
    Samples,
    Segment,
    SoFar,
    Transcript,
)
from lifeecho_server.engines.voice_activity import (
    FRAME,
    PAD,
    Probabilities,
    SpeechFinder,
    Stretch,
    VoiceDetector,
)
from lifeecho_server.engines.whisper_model import Heard, WhisperModel, open_whisper
from lifeecho_server.engines.windows import Packer, Window
from lifeecho_server.engines.wording import first_fitting, joined, last_words, without_loops

LISTEN_SAMPLES = 60 * SAMPLE_RATE
"""Samples judged for voice activity in a step: a minute of sound takes about 0.1 s."""

LANGUAGE_SURE = 0.8
"""From this share of the odds a language is locked, until another is as sure.

Confidence alone does not tell: Whisper is confident in the wrong language, and translates.
"""

UNSURE = -1.0
"""Below this mean log probability a segment is unsure: Whisper's own ``logprob_threshold``."""

NO_SPEECH = 0.6
"""From this probability the model itself hears no speech: Whisper's ``no_speech_threshold``."""

VOICE_MEAN = 0.5
"""Below this mean voice probability voice activity sees no speech in a segment."""

PROMPT_CHARACTERS = 50
"""Previous words given as a prompt: enough for names and style, too short to start a loop."""

HOTWORD_CHARACTERS = 50
"""Names given as hotwords. Whisper has 448 tokens for prompt, names and answer: half a minute of
Chinese takes about 200, and a character up to 3; a small model loses its way over many names."""


MARGIN_SECONDS = 0.3
"""Silence put before and after the sound of a window: a word at its very edge is heard worse.
Measured with the micro model on untrimmed phrases: 10 of 144 wrong without it, none of 288 with."""

LIVE_SECONDS = 6.0
"""Speech in a window that follows somebody who is talking: a sentence or two. The last one is what
is left to do when the talk ends, so it should be short beside the whole."""

LIVE_SHARE = 0.15
"""How much of its own length a live window may cost: a slow machine gets longer ones."""

GUESS_SECONDS = 1.5
"""Speech without a pause after which what is not in a window yet is guessed again."""


def load_whisper(folder: Path, threads: int | None = None) -> "WhisperTranscriber":
    """Load a CTranslate2 Whisper folder; ``threads`` of None suit the machine.

    Raises ModelBroken, saying what is wrong. Never goes to the network.
    """
    return WhisperTranscriber(open_whisper(folder, threads))


class WhisperTranscriber:
    """A loaded Whisper model, as a ``Transcriber``. One thread at a time."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model
        self._script = ChineseScript()

    def begin(self, hearing: Hearing) -> "WhisperRecognition":
        """Start on a recording; cheap, the work is in the steps."""
        return WhisperRecognition(self._model, self._script, hearing)

    def close(self) -> None:
        """Free the model."""
        self._model.close()


@dataclass(frozen=True, slots=True)
class _Context:
    """What is known when a window is heard: the language locked, and the last sure words."""

    locked: str | None = None
    language: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class _Understood:
    """What came of one window.

    ``made_up``: the model heard words, and none of them was spoken.
    """

    window: Window
    before: _Context
    after: _Context
    language: str
    segments: tuple[Segment, ...]
    made_up: bool


class WhisperRecognition:
    """One recording being recognised, window after window."""

    def __init__(self, model: WhisperModel, script: ChineseScript, hearing: Hearing) -> None:
        self._model = model
        self._script = script
        self._hearing = hearing
        self._hotwords = first_fitting(hearing.hotwords, HOTWORD_CHARACTERS)
        self._languages = model.spoken(hearing.languages)
        self._limit = _window_samples(model, live=hearing.live)
        self._waiting: deque[Samples] = deque()
        self._over = False
        self._flushed = False
        self._sound = Tape()
        self._voice = Tape()
        self._detector = VoiceDetector()
        self._finder = SpeechFinder(self._limit // FRAME - PAD)
        self._packer = Packer(self._limit)
        self._windows: deque[Window] = deque()
        self._context = _Context()
        self._speech = False
        self._segments: list[Segment] = []
        self._text = ""
        self._spoken = Counter[str]()  # samples of sound by language
        self._guesses: tuple[_Understood, ...] = ()

    def hear(self, samples: Samples) -> None:
        """Take in what comes next."""
        self._waiting.append(samples)

    def finish(self) -> None:
        """Say that nothing more comes."""
        self._over = True

    @property
    def idle(self) -> bool:
        """Whether there is nothing to be done until more comes, or the end."""
        return not (self._windows or self._waiting or self._over)

    def step(self) -> Transcript | None:
        """Recognise the next window, or listen to the next minute.

        Returns the transcript after the last. Raises RecognitionFailed.
        """
        if self._windows:
            self._take(self._understood(self._windows.popleft(), self._context))
        elif self._waiting:
            self._listen()
        elif self._over and not self._flushed:
            self._flush()
        self._forget()
        left = self._windows or self._waiting or not self._flushed
        return None if left else self._transcript()

    @property
    def guess_due(self) -> bool:
        """Whether somebody has said words that no window holds yet."""
        if not self.idle:
            return False
        tail = self._tail()
        known = tuple(s for guess in self._guesses for s in guess.window.stretches)
        if tail == known:
            return False
        new = _samples_in(tail) - _samples_in(known)
        return self._finder.pausing or new >= GUESS_SECONDS * SAMPLE_RATE

    def guess(self) -> None:
        """Recognise those words for now. Raises RecognitionFailed."""
        packer = Packer(self._limit)
        windows = [full for stretch in self._tail() if (full := packer.add(stretch))]
        guesses: list[_Understood] = []
        context = self._context
        for window in (*windows, packer.close()):
            if window is not None:
                guesses.append(self._understood(window, context))
                context = guesses[-1].after
        self._guesses = tuple(guesses)

    def so_far(self) -> SoFar:
        """Return what has been recognised; what stands in windows that are done is stable."""
        guessed = (segment.text for guess in self._guesses for segment in guess.segments)
        return SoFar(joined([self._text, *guessed]), len(self._text))

    def _listen(self) -> None:
        """Judge at most a minute of what waits, and find the windows that are full now."""
        samples = self._waiting.popleft()
        if len(samples) > LISTEN_SAMPLES:
            self._waiting.appendleft(samples[LISTEN_SAMPLES:])
            samples = samples[:LISTEN_SAMPLES]
        self._sound.append(samples)
        self._settle(self._detector.judge(samples))

    def _settle(self, judged: Probabilities) -> None:
        self._voice.append(judged)
        for stretch in self._finder.feed(judged):
            self._pack(stretch)

    def _flush(self) -> None:
        """Close what the end of the recording closes."""
        self._settle(self._detector.finish())
        for stretch in self._finder.finish(self._sound.end):
            self._pack(stretch)
        if last := self._packer.close():
            self._windows.append(last)
        self._flushed = True

    def _pack(self, stretch: Stretch) -> None:
        if full := self._packer.add(stretch):
            self._windows.append(full)

    def _tail(self) -> tuple[Stretch, ...]:
        """Return the speech that is in no window yet."""
        growing = self._finder.open
        return (*self._packer.open, growing) if growing else self._packer.open

    def _forget(self) -> None:
        """Drop the sound that nothing needs any more: memory does not grow with the length."""
        needed = [self._finder.needed_from]
        needed += [window.start for window in self._windows]
        needed += [stretch.start for stretch in self._packer.open]
        self._sound.forget(min(needed))
        self._voice.forget(min(needed) // FRAME)

    def _take(self, understood: _Understood) -> None:
        window, segments = understood.window, understood.segments
        self._speech |= not understood.made_up
        self._segments += segments
        self._text = joined([self._text, *(segment.text for segment in segments)])
        self._spoken[understood.language] += _samples_in(window.stretches) if segments else 0
        self._context = understood.after
        self._guesses = tuple(g for g in self._guesses if g.window.start >= window.end)

    def _understood(self, window: Window, context: _Context) -> _Understood:
        """Recognise a window, or say again what it was guessed to hold."""
        for guess in self._guesses:
            if (guess.window, guess.before) == (window, context):
                return guess
        sound = np.pad(window.samples(self._sound), round(MARGIN_SECONDS * SAMPLE_RATE))
        language, locked = self._language(sound, context)
        heard = self._hear(sound, language, context)
        found = tuple(s for piece in heard if (s := self._segment(window, piece)))
        words = joined(segment.text for segment in found if not segment.unsure)
        return _Understood(
            window=window,
            before=context,
            after=_Context(locked, language, words),
            language=language,
            segments=found,
            made_up=bool(heard) and not found,
        )

    def _language(self, sound: Samples, context: _Context) -> tuple[str, str | None]:
        """Return the language of a window, and the one that is locked from here on."""
        if len(self._languages) == 1:
            return self._languages[0], context.locked
        odds = self._model.language_odds(sound, self._languages)
        likeliest = max(odds, key=lambda code: odds[code])
        locked = likeliest if odds[likeliest] >= LANGUAGE_SURE else context.locked
        return locked or likeliest, locked

    def _hear(self, sound: Samples, language: str, context: _Context) -> tuple[Heard, ...]:
        same = context.language == language
        prompt = last_words(context.words, PROMPT_CHARACTERS) if same else ""
        return self._model.hear(sound, language, prompt, self._hotwords)

    def _segment(self, window: Window, heard: Heard) -> Segment | None:
        start, end = window.span(heard.start - MARGIN_SECONDS, heard.end - MARGIN_SECONDS)
        if self._is_made_up(heard, start, end):
            return None
        text = self._script.convert(without_loops(heard.text), self._hearing.script)
        return Segment(start, end, text, unsure=heard.confidence < UNSURE)

    def _is_made_up(self, heard: Heard, start: float, end: float) -> bool:
        silent = heard.no_speech >= NO_SPEECH or self._voice_mean(start, end) < VOICE_MEAN
        return silent and is_often_made_up(self._script.convert(heard.text, "hans"))

    def _voice_mean(self, start: float, end: float) -> float:
        first, last = int(start * SAMPLE_RATE / FRAME), int(end * SAMPLE_RATE / FRAME)
        frames = self._voice.between(first, last + 1)
        return float(frames.mean()) if len(frames) else 0.0

    def _transcript(self) -> Transcript:
        spoken = self._spoken.most_common(1)
        return Transcript(
            text=self._text,
            language=spoken[0][0] if spoken else self._languages[0],
            segments=tuple(self._segments),
            duration=self._sound.end / SAMPLE_RATE,
            speech=self._speech,
            unsure=self._speech and all(segment.unsure for segment in self._segments),
        )


def _window_samples(model: WhisperModel, *, live: bool) -> int:
    """Return how much speech a window may hold: what the model hears at once, or less when live."""
    seconds = model.window_seconds - 2 * MARGIN_SECONDS
    if live:
        seconds = min(seconds, max(LIVE_SECONDS, model.window_cost / LIVE_SHARE))
    return round(seconds * SAMPLE_RATE)


def _samples_in(stretches: Iterable[Stretch]) -> int:
    return sum(stretch.end - stretch.start for stretch in stretches)
