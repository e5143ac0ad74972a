"""Recognition by Whisper: voice activity, then window after window, one a step."""

from collections import Counter
from pathlib import Path

import numpy as np

from lifeecho_server.engines.hallucinations import is_often_made_up
from lifeecho_server.engines.script import ChineseScript
from lifeecho_server.engines.transcriber import (
    SAMPLE_RATE,
    Hearing,
    Samples,
    Segment,
    Transcript,
)
from lifeecho_server.engines.voice_activity import (
    FRAME,
    Probabilities,
    frames_in,
    speech_stretches,
    voice_probabilities,
)
from lifeecho_server.engines.whisper_model import Heard, WhisperModel, open_whisper
from lifeecho_server.engines.windows import Window, windows
from lifeecho_server.engines.wording import first_fitting, joined, last_words, without_loops

LISTEN_FRAMES = round(60 * SAMPLE_RATE / FRAME)
"""Frames of voice activity a step: a minute of sound, judged in about 0.1 s."""

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

    def begin(self, samples: Samples, hearing: Hearing) -> "WhisperRecognition":
        """Start on a recording; cheap, the work is in the steps."""
        return WhisperRecognition(self._model, self._script, samples, hearing)

    def close(self) -> None:
        """Free the model."""
        self._model.close()


class WhisperRecognition:
    """One recording being recognised."""

    def __init__(
        self, model: WhisperModel, script: ChineseScript, samples: Samples, hearing: Hearing
    ) -> None:
        self._model = model
        self._script = script
        self._samples = samples
        self._hearing = hearing
        self._hotwords = first_fitting(hearing.hotwords, HOTWORD_CHARACTERS)
        self._languages = model.spoken(hearing.languages)
        self._locked: str | None = None
        self._voice = np.empty(0, np.float32)
        self._windows: tuple[Window, ...] | None = None
        self._next = 0
        self._speech = False
        self._segments: list[Segment] = []
        self._spoken = Counter[str]()  # samples of sound by language
        self._prompt = ("", "")

    def step(self) -> Transcript | None:
        """Listen to the next minute, or recognise the next window.

        Returns the transcript after the last. Raises RecognitionFailed.
        """
        if self._windows is None:
            self._listen()
        else:
            self._recognise(self._windows[self._next])
            self._next += 1
        if self._windows is None or self._next < len(self._windows):
            return None
        return self._transcript()

    def _listen(self) -> None:
        start = len(self._voice)
        heard = voice_probabilities(self._samples, start, start + LISTEN_FRAMES)
        self._voice = np.concatenate([self._voice, heard])
        if len(self._voice) == frames_in(self._samples):
            stretches = speech_stretches(self._voice, len(self._samples))
            limit = round((self._model.window_seconds - 2 * MARGIN_SECONDS) * SAMPLE_RATE)
            self._windows = windows(stretches, self._voice, limit)

    def _recognise(self, window: Window) -> None:
        sound = np.pad(window.samples(self._samples), round(MARGIN_SECONDS * SAMPLE_RATE))
        language = self._language(sound)
        heard = self._hear(sound, language)
        found = [s for piece in heard if (s := self._segment(window, piece))]
        self._speech |= bool(found) or not heard  # a window made up from end to end is none
        self._segments += found
        self._spoken[language] += len(sound) if found else 0
        self._prompt = (language, joined(s.text for s in found if not s.unsure))

    def _language(self, sound: Samples) -> str:
        if len(self._languages) == 1:
            return self._languages[0]
        odds = self._model.language_odds(sound, self._languages)
        likeliest = max(odds, key=lambda code: odds[code])
        if odds[likeliest] >= LANGUAGE_SURE:
            self._locked = likeliest
        return self._locked or likeliest

    def _hear(self, sound: Samples, language: str) -> tuple[Heard, ...]:
        spoken, words = self._prompt
        prompt = last_words(words, PROMPT_CHARACTERS) if spoken == language else ""
        return self._model.hear(sound, language, prompt, self._hotwords)

    def _segment(self, window: Window, heard: Heard) -> Segment | None:
        start, end = window.span(heard.start - MARGIN_SECONDS, heard.end - MARGIN_SECONDS)
        if self._is_made_up(heard, start, end):
            return None
        text = self._script.convert(without_loops(heard.text), self._hearing.script)
        return Segment(start, end, text, unsure=heard.confidence < UNSURE)

    def _is_made_up(self, heard: Heard, start: float, end: float) -> bool:
        silent = heard.no_speech >= NO_SPEECH or _voice_mean(self._voice, start, end) < VOICE_MEAN
        return silent and is_often_made_up(self._script.convert(heard.text, "hans"))

    def _transcript(self) -> Transcript:
        spoken = self._spoken.most_common(1)
        return Transcript(
            text=joined(segment.text for segment in self._segments),
            language=spoken[0][0] if spoken else self._languages[0],
            segments=tuple(self._segments),
            duration=len(self._samples) / SAMPLE_RATE,
            speech=self._speech,
            unsure=self._speech and all(segment.unsure for segment in self._segments),
        )


def _voice_mean(voice: Probabilities, start: float, end: float) -> float:
    frames = voice[int(start * SAMPLE_RATE / FRAME) : int(end * SAMPLE_RATE / FRAME) + 1]
    return float(frames.mean()) if len(frames) else 0.0
