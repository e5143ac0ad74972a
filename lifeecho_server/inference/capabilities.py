"""What the engines can do just now."""

from dataclasses import dataclass
from enum import StrEnum


class EngineState(StrEnum):
    """How it stands with one engine."""

    READY = "ready"
    LOADING = "loading"
    NONE = "none"
    """Nothing is installed."""
    FAILED = "failed"
    """Something is installed, but could not be loaded or stopped working."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The state of recognition, generation and speech."""

    asr: EngineState
    llm: EngineState
    tts: EngineState
