"""The socket's messages as JSON Schema, made from the types that write them."""

from typing import Any

import msgspec

from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.outgoing import (
    AgentResponse,
    AgentResponseDelta,
    Capabilities,
    Connect,
    Ended,
    ErrorMessage,
    ListeningFeedback,
    MessageAck,
    Outgoing,
    Pong,
    ReplyCancelled,
    SegmentAck,
    TopicSuggestions,
    TranscriptMessage,
    TranscriptPartial,
    TtsAudio,
    TtsCancelled,
)
from lifeecho_server.protocol.reading import ID_MAX, PCM_RATES, SEGMENT_INDEXES, SPEAKERS, TEXT_MAX

SENT: tuple[type[Outgoing], ...] = (
    Connect,
    Capabilities,
    AgentResponse,
    AgentResponseDelta,
    ReplyCancelled,
    TopicSuggestions,
    ListeningFeedback,
    SegmentAck,
    MessageAck,
    TranscriptPartial,
    TranscriptMessage,
    TtsAudio,
    TtsCancelled,
    Ended,
    Pong,
    ErrorMessage,
)

_SPEAKER = {"enum": [str(speaker) for speaker in SPEAKERS], "default": str(SPEAKERS[0])}
_RECORDED_AT = {"type": "string", "format": "date-time"}
_AUDIO = {
    "audio_base64": {"type": "string", "contentEncoding": "base64", "minLength": 1},
    "format": {"type": "string"},
    "sample_rate": {"type": "integer", "minimum": PCM_RATES[0], "maximum": PCM_RATES[-1]},
}
_NAME = {"voice_session_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}}
_SESSION = {**_NAME, "client_segment_id": {"type": "string"}}
_TURN = {"speaker": _SPEAKER, "recorded_at": _RECORDED_AT}

RECEIVED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "text": ({"text": {"type": "string", "maxLength": TEXT_MAX}, **_TURN}, ["text"]),
    "recording_started": (_NAME, ["voice_session_id"]),
    "audio_segment": (
        {
            **_SESSION,
            "segment_index": {
                "type": ["integer", "string"],
                "minimum": SEGMENT_INDEXES[0],
                "maximum": SEGMENT_INDEXES[-1],
            },
            "is_last": {"type": "boolean", "default": False},
            **_AUDIO,
            **_TURN,
            "duration": {},
        },
        ["audio_base64", "segment_index"],
    ),
    "audio_message": ({**_AUDIO, **_TURN, "duration": {}}, ["audio_base64"]),
    "transcribe_only": (_AUDIO, ["audio_base64"]),
    "tts_cancel": ({}, []),
    "ping": ({}, []),
    "end_conversation": ({}, []),
}
"""What a client may send: the fields of each type, and those that it needs."""


def socket_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of what goes over the socket, both ways."""
    components: dict[str, Any]
    _, components = msgspec.json.schema_components(SENT, ref_template="#/$defs/{name}")
    components["ErrorMessage"]["properties"]["code"] = {"enum": [str(code) for code in Code]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "LifeEcho conversation socket",
        "server": {"oneOf": [_sent(message) for message in SENT]},
        "client": {"oneOf": [_received(kind) for kind in RECEIVED]},
        "$defs": components,
    }


def _sent(message: type[Outgoing]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "type": {"const": message.type_name},
            "conversation_id": {"type": "string"},
            "data": {"$ref": f"#/$defs/{message.__name__}"},
            "timestamp": {"type": "string", "format": "date-time"},
        },
        "required": ["type", "conversation_id", "data", "timestamp"],
    }


def _received(kind: str) -> dict[str, Any]:
    fields, needed = RECEIVED[kind]
    return {
        "type": "object",
        "properties": {
            "type": {"const": kind},
            "id": {"type": "string", "minLength": 1, "maxLength": ID_MAX},
            "data": {"type": "object", "properties": fields, "required": needed},
        },
        "required": ["type", "data"] if needed else ["type"],
    }
