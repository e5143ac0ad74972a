"""The interface of speech: a sentence in, PCM out, piece by piece."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Voice:
    """How to speak: language (BCP 47) and rate in words a minute."""

    language: str
    rate: int


class Speaker(Protocol):
    """A loaded speech engine. One thread at a time."""

    @property
    def sample_rate(self) -> int:
        """Samples a second of the PCM that ``speak`` yields."""
        ...

    def speak(self, sentence: str, voice: Voice) -> Iterator[bytes]:
        """Yield mono signed 16-bit little-endian PCM; closing the iterator stops the speech."""
        ...

    def close(self) -> None:
        """Free the engine."""
        ...
