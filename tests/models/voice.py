"""Phrases spoken by the espeak-ng command (Debian's ``espeak-ng``, 1.51)."""

import io
import subprocess
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tests.models.phrases import Language, Phrase

Samples = npt.NDArray[np.float32]
"""Mono PCM, 16 kHz, float32 in [-1, 1], shape (n,)."""

SAMPLE_RATE = 16_000


class Word(NamedTuple):
    """Words of a recording (one, mostly) and when they are heard, in seconds."""

    text: str
    start: float
    end: float


BASES: dict[Language, tuple[str, ...]] = {
    "en": ("en", "en-us", "en-gb"),
    "zh": ("cmn-latn-pinyin",),
}
TRAINING_VARIANTS = (
    *("", "+m1", "+m3", "+m5", "+m6", "+m7", "+m8", "+f1", "+f2", "+f4", "+f5", "+klatt2"),
    *("+Andy", "+Alicia", "+Annie", "+Denis", "+Gene", "+Linda", "+Lee", "+Mike", "+Paul"),
    *("+steph", "+grandma", "+Michael"),
)
HELD_OUT_VARIANTS = ("+m2", "+m4", "+f3")
"""Never heard in training."""

_AUDIBLE = 0.01


@dataclass(frozen=True, slots=True)
class Voice:
    """An espeak-ng voice, its speed in words a minute and its pitch from 0 to 99."""

    name: str
    speed: int = 160
    pitch: int = 50


def speak(phrase: Phrase, voice: Voice) -> Samples:
    """Return the phrase as that voice speaks it. Raises CalledProcessError if espeak-ng fails."""
    from faster_whisper.audio import decode_audio  # here: recorded.py has no need of it

    options = ["-v", voice.name, "-s", str(voice.speed), "-p", str(voice.pitch)]
    wav = subprocess.run(
        ["espeak-ng", *options, "--stdout", phrase.spoken], capture_output=True, check=True
    )
    samples: Samples = decode_audio(io.BytesIO(wav.stdout), sampling_rate=SAMPLE_RATE)
    return samples


def trim(samples: Samples, before: float, after: float) -> Samples:
    """Cut the quiet around the speech, but for ``before`` and ``after`` seconds of it.

    Pads with zeros where the recording holds less than that.
    """
    loud = np.flatnonzero(np.abs(samples) > _AUDIBLE)
    lead, tail = int(before * SAMPLE_RATE), int(after * SAMPLE_RATE)
    padded = np.pad(samples, (lead, tail))
    return padded[loud[0] : loud[-1] + 1 + lead + tail]
