"""espeak-ng through ctypes, out of the espeakng-loader wheel: Mandarin, Cantonese, English.

The C names are those of espeak-ng 1.52's ``speak_lib.h``.
"""

import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL, CFUNCTYPE, POINTER, c_int, c_short, c_void_p, string_at
from functools import cache
from typing import Any

from lifeecho_server.engines.faults import ModelBroken, SpeechFailed
from lifeecho_server.engines.speaker import Take, Voice
from lifeecho_server.engines.spoken_text import CHINESE, Run, runs

RATES = range(80, 451)
"""Words a minute that espeak-ng can do: ``espeakRATE`` in speak_lib.h."""
PATIENCE = 10.0
"""Seconds that one speech waits for another, of some milliseconds, to leave the library."""

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: the callback is called within espeak_Synth
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: report missing data, do not end the process
_BUFFER_MS = 60  # of sound a piece; the callback is where a speech can be stopped
_RATE = 1  # espeakRATE
_UTF8 = 1  # espeakCHARS_UTF8
_CHARACTERS = 1  # POS_CHARACTER
_FINE = 0  # EE_OK
_GO_ON, _STOP = 0, 1

_Callback = CFUNCTYPE(c_int, POINTER(c_short), c_int, c_void_p)

_INSIDE = threading.Lock()
"""The library's state is the process's own, however often it is loaded: one thread at a time."""


def load_espeak() -> "EspeakSpeaker | None":
    """Load the library out of its wheel; None when that is not installed. Raises ModelBroken."""
    if importlib.util.find_spec("espeakng_loader") is None:
        return None
    return EspeakSpeaker(*_initialised())


@cache
def _initialised() -> tuple[Any, int]:
    """Load and initialise the library; return it with its sample rate. Raises ModelBroken.

    Once a process: initialised again it reads its tables anew and goes on with pointers into the
    old ones, so that words come out silent.
    """
    import espeakng_loader

    try:
        library = CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path())
    except (OSError, RuntimeError) as error:
        raise ModelBroken(f"espeak-ng cannot be loaded ({type(error).__name__})") from error
    with _inside():
        rate = library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, data.encode(), _DONT_EXIT)
    if rate <= 0:
        raise ModelBroken("espeak-ng does not find its data; install espeakng-loader anew")
    return library, rate


class EspeakSpeaker:
    """espeak-ng, loaded; implements ``Speaker``."""

    def __init__(self, library: Any, sample_rate: int) -> None:
        self._library = library
        self._sample_rate = sample_rate

    @property
    def sample_rate(self) -> int:
        """Samples a second: 22050."""
        return self._sample_rate

    def speak(self, sentence: str, voice: Voice, take: Take) -> None:
        """Speak a sentence, each stretch of one language in a voice of that language.

        Raises SpeechFailed.
        """
        wanted = True

        def heard(samples: Any, count: int, _events: Any) -> int:
            nonlocal wanted
            if samples and count and wanted:
                wanted = take(string_at(samples, count * 2))
            return _GO_ON if wanted else _STOP

        callback = _Callback(heard)
        with _inside():
            self._library.espeak_SetSynthCallback(callback)
            self._library.espeak_SetParameter(_RATE, _within(voice.rate), 0)
            for run in runs(sentence, voice.language):
                if wanted:
                    self._say(run, voice.language)

    def close(self) -> None:
        """Leave the library as it is: it stays in the process, and another speaker may use it."""

    def _say(self, run: Run, language: str) -> None:
        name = voice_name(run.language, language)
        text = run.text.encode() + b"\0"
        outcome = self._library.espeak_SetVoiceByName(name.encode())
        if outcome == _FINE:
            outcome = self._library.espeak_Synth(
                text, len(text), 0, _CHARACTERS, 0, _UTF8, None, None
            )
        if outcome != _FINE:
            raise SpeechFailed(f"espeak-ng failed with the voice {name} ({outcome})")


def voice_name(spoken: str, language: str) -> str:
    """Return espeak-ng's voice for words in ``spoken`` within talk in ``language`` (BCP 47)."""
    parts = language.lower().split("-")
    if spoken == CHINESE:
        cantonese = "yue" in parts or (parts[0] == "zh" and {"hk", "mo"} & set(parts))
        return "yue" if cantonese else "cmn"
    return "en-us" if parts[0] == "en" and "us" in parts else "en"


def _within(rate: int) -> int:
    return min(max(rate, RATES[0]), RATES[-1])


@contextmanager
def _inside() -> Iterator[None]:
    """Be the one thread in the library. Raises SpeechFailed when another hangs in it."""
    if not _INSIDE.acquire(timeout=PATIENCE):
        raise SpeechFailed("espeak-ng hangs; restart the server")
    try:
        yield
    finally:
        _INSIDE.release()
