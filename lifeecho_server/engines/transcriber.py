"""The interface of recognition: stepwise, so that other work gets between two windows."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
"""Mono PCM, 16 kHz, float32 in [-1, 1], shape (n,)."""

SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of recognised speech; ``start`` and ``end`` in seconds from the beginning."""

    start: float
    end: float
    text: str
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was recognised.

    ``speech`` is False when no voice was found; ``unsure`` is True when there was speech but
    nothing (or nothing with confidence) could be made of it. ``duration`` is in seconds.
    """

    text: str
    language: str
    segments: tuple[Segment, ...]
    duration: float
    speech: bool
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Hearing:
    """How to listen: languages that may occur, the script of Chinese, words to expect."""

    languages: tuple[str, ...] = ("zh", "en")
    script: str | None = None  # "hans", "hant", or None for as it comes
    hotwords: tuple[str, ...] = ()


class Recognition(Protocol):
    """One recording being recognised."""

    def step(self) -> Transcript | None:
        """Recognise the next window; return the transcript after the last, else ``None``."""
        ...


class Transcriber(Protocol):
    """A loaded recognition model."""

    def begin(self, samples: Samples, hearing: Hearing) -> Recognition:
        """Start on a recording; cheap, the work is in the steps."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...
