"""The door to the engines; nothing else calls them while serving."""

from lifeecho_server.inference.beside import beside
from lifeecho_server.inference.capabilities import Capabilities, EngineState
from lifeecho_server.inference.decoding import Audio, AudioSource
from lifeecho_server.inference.door import Inference
from lifeecho_server.inference.errors import (
    AsrUnavailable,
    ContextOverflow,
    EngineFailed,
    EngineReplaced,
    LlmUnavailable,
    QueueFull,
    TtsUnavailable,
)
from lifeecho_server.inference.live_audio import LiveAudio
from lifeecho_server.inference.metrics import Metrics, ReplyMetrics
from lifeecho_server.inference.schedule import Priority

__all__ = [
    "AsrUnavailable",
    "Audio",
    "AudioSource",
    "Capabilities",
    "ContextOverflow",
    "EngineFailed",
    "EngineReplaced",
    "EngineState",
    "Inference",
    "LiveAudio",
    "LlmUnavailable",
    "Metrics",
    "Priority",
    "QueueFull",
    "ReplyMetrics",
    "TtsUnavailable",
    "beside",
]
