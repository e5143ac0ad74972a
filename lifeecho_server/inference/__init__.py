"""The door to the engines; nothing else calls them while serving."""

from lifeecho_server.inference.capabilities import Capabilities, EngineState
from lifeecho_server.inference.decoding import AudioSource
from lifeecho_server.inference.door import Inference
from lifeecho_server.inference.errors import (
    AsrUnavailable,
    ContextOverflow,
    EngineFailed,
    LlmUnavailable,
    QueueFull,
)
from lifeecho_server.inference.metrics import Metrics
from lifeecho_server.inference.schedule import Priority

__all__ = [
    "AsrUnavailable",
    "AudioSource",
    "Capabilities",
    "ContextOverflow",
    "EngineFailed",
    "EngineState",
    "Inference",
    "LlmUnavailable",
    "Metrics",
    "Priority",
    "QueueFull",
]
