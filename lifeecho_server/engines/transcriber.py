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
class SoFar:
    """What has been recognised of a recording that goes on.

    The first ``stable`` characters (code points) of ``text`` will not change any more.
    """

    text: str
    stable: int


@dataclass(frozen=True, slots=True)
class Hearing:
    """How to listen: languages that may occur, the script of Chinese, words to expect.

    ``live`` asks for windows short enough to follow somebody who is talking, which costs more.
    """

    languages: tuple[str, ...] = ("zh", "en")
    script: str | None = None  # "hans", "hant", or None for as it comes
    hotwords: tuple[str, ...] = ()
    live: bool = False


class Recognition(Protocol):
    """One recording being recognised while it comes in.

    How it is cut into pieces, and when they come, makes no difference to the transcript.
    """

    def hear(self, samples: Samples) -> None:
        """Take in what comes next; cheap, the work is in the steps."""
        ...

    def finish(self) -> None:
        """Say that nothing more comes."""
        ...

    @property
    def idle(self) -> bool:
        """Whether there is nothing to be done until more comes, or the end."""
        ...

    def step(self) -> Transcript | None:
        """Do one short piece of work; return the transcript after the last, else ``None``."""
        ...

    @property
    def guess_due(self) -> bool:
        """Whether there are words that no window holds yet."""
        ...

    def guess(self) -> None:
        """Recognise those words for now; it changes nothing but ``so_far``."""
        ...

    def so_far(self) -> SoFar:
        """Return what has been recognised."""
        ...


class Transcriber(Protocol):
    """A loaded recognition model."""

    def begin(self, hearing: Hearing) -> Recognition:
        """Start on a recording; cheap."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...
