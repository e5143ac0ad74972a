"""Typed messages to text frames: the one place where envelopes are built."""

from datetime import datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

from lifeecho_server.protocol.codes import ERRORS
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.outgoing import ErrorMessage, Outgoing


class _Envelope(Struct, frozen=True):
    type: str
    conversation_id: str
    data: Outgoing
    timestamp: datetime


_encoder = msgspec.json.Encoder()


def write_frame(message: Outgoing, conversation_id: str, now: datetime) -> str:
    """Return the text frame of a message; ``now`` is aware, in UTC."""
    envelope = _Envelope(message.type_name, conversation_id, message, now)
    return _encoder.encode(envelope).decode()


def error_message(fault: Fault, language: str) -> ErrorMessage:
    """Return the ``error`` that tells a fault in a language."""
    entry = ERRORS[fault.code]
    return ErrorMessage(
        code=fault.code,
        message=entry.text(language, fault.field),
        retryable=entry.retryable,
        reply_to=_or_unset(fault.reply_to),
        field=_or_unset(fault.field),
        resets_at=_or_unset(fault.resets_at),
        retry_after=UNSET if fault.retry_after is None else fault.retry_after,
        reference=_or_unset(fault.reference),
        voice_session_id=_or_unset(fault.voice_session_id),
        segment_index=UNSET if fault.segment_index is None else fault.segment_index,
    )


def _or_unset(value: str | None) -> str | UnsetType:
    return UNSET if value is None else value
