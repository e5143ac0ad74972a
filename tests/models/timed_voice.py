"""Texts spoken by the espeak-ng library of the ``espeakng-loader`` wheel, with each word's time."""

import ctypes
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from av import AudioFrame, AudioResampler

from tests.models.voice import SAMPLE_RATE, Samples, Voice, Word

TRAINING_VARIANTS = (
    *("", "+m1", "+m3", "+m5", "+m6", "+m7", "+m8", "+f1", "+f2", "+f4", "+f5", "+klatt2"),
    *("+Alex", "+Alicia", "+Andy", "+Annie", "+Denis", "+Diogo", "+Gene", "+Henrique", "+Hugo"),
    *("+Lee", "+Mario", "+Michael", "+Mike", "+Nguyen", "+Reed", "+adam", "+anika", "+antonio"),
    *("+aunty", "+belinda", "+benjamin", "+boris", "+david", "+ed", "+edward", "+grandma"),
    *("+gustave", "+ian", "+john", "+linda", "+marcelo", "+max", "+michel", "+norbert", "+pablo"),
    *("+paul", "+pedro", "+quincy", "+rob", "+robert", "+sandro", "+steph", "+travis", "+zac"),
)
HELD_OUT_VARIANTS = ("+m2", "+m4", "+f3", "+Andrea", "+caleb", "+shelby")
"""Never heard in training."""

_SYNCHRONOUS, _UTF8 = 2, 1
_RATE, _PITCH = 1, 3  # parameters of a voice
_LIST_ENDS, _WORD = 0, 1  # kinds of event
_ALONE = {"in": "inn"}  # "in the" would be spoken as one word

_Pcm = npt.NDArray[np.int16]


class Timed(NamedTuple):
    """Speech and its words, with hardly any quiet around it."""

    samples: Samples
    words: tuple[Word, ...]


class SpeechFailed(Exception):
    """The library did not know the voice, or did not tell the time of every word."""


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # milliseconds
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def speak_timed(text: str, voice: Voice) -> Timed:
    """Speak words of one phrase. For one thread at a time. Raises SpeechFailed."""
    written = text.split()
    spoken = " ".join(_ALONE.get(word, word) for word in written)
    pcm, starts = _library().say(spoken, voice)
    if len(starts) != len(written):
        raise SpeechFailed(text)
    return _timed(_at_our_rate(pcm, _library().rate), written, starts)


def _timed(samples: Samples, written: list[str], starts: list[float]) -> Timed:
    """Cut the quiet around the speech and put the words where they are then."""
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    begin = max(0, int(loud[0]) - SAMPLE_RATE // 50)
    end = min(len(samples), int(loud[-1]) + SAMPLE_RATE // 20)
    length = (end - begin) / SAMPLE_RATE
    edges = [0.0, *(start - begin / SAMPLE_RATE for start in starts[1:]), length]
    words = (Word(*each) for each in zip(written, edges[:-1], edges[1:], strict=True))
    return Timed(samples[begin:end], tuple(words))


def _at_our_rate(pcm: _Pcm, rate: int) -> Samples:
    frame = AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
    frame.sample_rate = rate
    resampler = AudioResampler("flt", "mono", SAMPLE_RATE)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in parts])


class _Library:
    """The library, which is one for the process and keeps what it says in callbacks."""

    def __init__(self) -> None:
        import espeakng_loader

        self._espeak: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self.rate: int = self._espeak.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
        self._parts: list[_Pcm] = []
        self._starts: list[float] = []
        self._callback = _Callback(self._take)  # must live as long as the library
        self._espeak.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: Voice) -> tuple[_Pcm, list[float]]:
        """Return the sound, at ``rate``, and where each word begins. Raises SpeechFailed."""
        self._parts, self._starts = [], []
        if self._espeak.espeak_SetVoiceByName(voice.name.encode()):
            raise SpeechFailed(voice.name)
        self._espeak.espeak_SetParameter(_RATE, voice.speed, 0)
        self._espeak.espeak_SetParameter(_PITCH, voice.pitch, 0)
        line = text.encode() + b"\0"
        size = ctypes.c_size_t(len(line))
        self._espeak.espeak_Synth(line, size, 0, 1, 0, _UTF8, None, None)
        return np.concatenate(self._parts), self._starts

    def _take(self, sound: Any, count: int, events: Any) -> int:
        if sound and count:
            self._parts.append(np.ctypeslib.as_array(sound, (count,)).copy())
        for event in events:
            if event.type == _LIST_ENDS:
                break
            if event.type == _WORD:
                self._starts.append(event.sample / self.rate)
        return 0


@cache
def _library() -> _Library:
    return _Library()
