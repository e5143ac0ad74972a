"""The interface of speech: a sentence in, PCM out, piece by piece."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Voice:
    """How to speak: language (BCP 47) and rate in words a minute."""

    language: str
    rate: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence as sound: mono signed 16-bit little-endian PCM; none where nothing is to be said.

    ``sample_rate`` in samples a second.
    """

    pcm: bytes
    sample_rate: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / 2 / self.sample_rate


Take = Callable[[bytes], bool]
"""Takes the next piece of PCM; False when no more is wanted."""


class Speaker(Protocol):
    """A loaded speech engine. One thread at a time."""

    @property
    def sample_rate(self) -> int:
        """Samples a second of the PCM that ``speak`` gives."""
        ...

    def speak(self, sentence: str, voice: Voice, take: Take) -> None:
        """Give ``take`` the sentence as mono signed 16-bit little-endian PCM, piece by piece.

        ``take`` is called in this thread; once it has returned False the speech stops at once.
        """
        ...

    def close(self) -> None:
        """Free the engine."""
        ...
