"""The committed recordings made anew: one held-out voice each, checked with the micro Whisper."""

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

from faster_whisper import WhisperModel

from tests.models import wav
from tests.models.phrases import PHRASES, Phrase
from tests.models.recorded import Recording, save_index
from tests.models.voice import Samples, Voice, speak, trim
from tests.models.whisper.listening import hear, load
from tests.models.whisper.speech import HELD_OUT, cast

SEED = 3
MARGIN = 0.3  # seconds of quiet before and after
TRIES = 12

CHOSEN = (
    ("born-in-suzhou", "I was born in Suzhou."),
    ("mother-sang", "My mother sang every evening."),
    ("two-brothers", "I had two brothers and a sister."),
    ("school-on-foot", "I went to school on foot."),
    ("textile-factory", "I worked in a textile factory."),
    ("another-question", "Please ask me another question."),
    ("stop-for-today", "Let us stop here for today."),
    ("zh-born-in-suzhou", "我出生在苏州。"),
    ("zh-mother-sang", "我妈妈每天晚上唱歌。"),
    ("zh-factory", "我在工厂工作。"),
    ("zh-school-on-foot", "我走路去上学。"),
)


class NotRecognised(Exception):
    """No held-out voice spoke a phrase so that the model recognised it in every way."""


def record(model: Path, folder: Path) -> None:
    """Write the recordings and their index. Raises NotRecognised."""
    whisper = load(model)
    folder.mkdir(exist_ok=True)
    rng = random.Random(SEED)
    made = tuple(_record(whisper, folder / f"{name}.wav", text, rng) for name, text in CHOSEN)
    save_index(made, folder)


def _record(whisper: WhisperModel, path: Path, text: str, rng: random.Random) -> Recording:
    phrase = next(phrase for phrase in PHRASES if phrase.text == text)
    recording = Recording(path, phrase.language, text)
    for voice, samples in itertools.islice(_takes(phrase, rng), TRIES):
        wav.write(path, samples)
        if is_recognised(whisper, recording.samples(), text, phrase.language):
            print(f"{path.name}: {voice.name} at {voice.speed}, pitch {voice.pitch}")
            return recording
    raise NotRecognised(text)


def _takes(phrase: Phrase, rng: random.Random) -> Iterator[tuple[Voice, Samples]]:
    while True:
        voice = cast(HELD_OUT, phrase, rng)
        yield voice, trim(speak(phrase, voice), before=MARGIN, after=MARGIN)


def is_recognised(whisper: WhisperModel, samples: Samples, text: str, language: str) -> bool:
    """Whether all of it is understood, with and without the voice activity filter."""
    return all(hear(whisper, samples, vad_filter=on) == (text, language) for on in (True, False))
