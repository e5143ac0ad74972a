"""Bytes from a client to typed messages: the one place where they are checked.

The head is decoded first, ``data`` left raw; then the fields of the type, in the order of the
contract, each on its own, so that a fault names its field.
"""

import re
import struct
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from msgspec import Raw

from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.incoming import (
    Audio,
    AudioMessage,
    AudioSegment,
    Body,
    EndConversation,
    Ignored,
    Incoming,
    Ping,
    RecordingStarted,
    Text,
    TranscribeOnly,
    TtsCancel,
)
from lifeecho_server.protocol.speaker import Speaker

TEXT_MAX = 8_000
ID_MAX = 64
MESSAGE_OVERHEAD = 512
"""Bytes that even the smallest message takes in memory, so that many small ones count too."""
PCM_RATES = range(4_000, 192_001)
SEGMENT_INDEXES = range(100_000)
SPEAKERS = (Speaker.NARRATOR, Speaker.RELATIVE)

_T = TypeVar("_T")
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SLICE_ID = re.compile(r"(.+)[:_-](\d+)", re.ASCII | re.DOTALL)
_DECIMAL = re.compile(r"-?\d{1,18}", re.ASCII)
_ABSENT = Raw(b"")
_NULL = b"null"


class _Head(msgspec.Struct):
    type: Raw = _ABSENT
    id: Raw = _ABSENT
    data: Raw = Raw(b"{}")


class _Fields(msgspec.Struct):
    text: Raw = _ABSENT
    voice_session_id: Raw = _ABSENT
    client_segment_id: Raw = _ABSENT
    segment_index: Raw = _ABSENT
    is_last: Raw = _ABSENT
    audio_base64: Raw = _ABSENT
    format: Raw = _ABSENT
    sample_rate: Raw = _ABSENT
    speaker: Raw = _ABSENT
    recorded_at: Raw = _ABSENT


def read_text_frame(frame: str) -> Incoming:
    """Read a JSON text frame. Raises Fault."""
    return _read(frame, None)


def read_binary_frame(frame: bytes) -> Incoming:
    """Read a binary frame: big-endian uint16 length, JSON of that length, then audio bytes.

    Raises Fault.
    """
    if len(frame) < 2:
        raise Fault(Code.BAD_MESSAGE)
    (length,) = struct.unpack_from(">H", frame)
    if len(frame) < 2 + length:
        raise Fault(Code.BAD_MESSAGE)
    try:
        json = frame[2 : 2 + length].decode()
    except UnicodeDecodeError:
        raise Fault(Code.BAD_MESSAGE) from None
    return _read(json, frame[2 + length :])


def _read(json: str, attached: bytes | None) -> Incoming:
    head = _decoded(json, _Head)
    message_id = _message_id(head.id)
    try:
        kind = _required(head.type, "type", str)
        fields = _decoded(head.data, _Fields)
        body = _body(kind, fields, attached)
    except Fault as fault:
        raise fault.about(message_id) from None
    size = len(json) + len(attached or b"") + MESSAGE_OVERHEAD
    return Incoming(message_id, body, size)


def _decoded(json: str | Raw, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(json, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise Fault(Code.BAD_MESSAGE) from None


def _body(kind: str, fields: _Fields, attached: bytes | None) -> Body:
    match kind:
        case "text":
            return _text(fields)
        case "audio_message":
            audio = _audio(fields, attached)
            return AudioMessage(audio, _speaker(fields), _recorded_at(fields))
        case "recording_started":
            return RecordingStarted(_voice_session_id(fields))
        case "audio_segment":
            return _segment(fields, attached)
        case "transcribe_only":
            return TranscribeOnly(_audio(fields, attached))
        case "ping":
            return Ping()
        case "tts_cancel":
            return TtsCancel()
        case "end_conversation":
            return EndConversation()
        case _:
            return Ignored(unknown=kind)


def _text(fields: _Fields) -> Text | Ignored:
    if _absent(fields.text):
        raise Fault(Code.MISSING_FIELD, field="text")
    text = _value(fields.text, "text", str)
    if len(text) > TEXT_MAX:
        raise Fault(Code.BAD_FIELD, field="text")
    speaker, recorded_at = _speaker(fields), _recorded_at(fields)
    return Text(text, speaker, recorded_at) if text.strip() else Ignored()


def _segment(fields: _Fields, attached: bytes | None) -> AudioSegment:
    """Read a slice, its fields in the order of the contract; a fault names what is known of it."""
    session: str | None = None
    index: int | None = None
    try:
        session = _voice_session_id(fields)
        data = _audio_bytes(fields, attached)
        index = _segment_index(fields)
        return AudioSegment(
            voice_session_id=session,
            index=index,
            is_last=_optional(fields.is_last, "is_last", bool) or False,
            audio=_as_audio(fields, data),
            speaker=_speaker(fields),
            recorded_at=_recorded_at(fields),
        )
    except Fault as fault:
        raise fault.about_slice(session, index) from None


def _voice_session_id(fields: _Fields) -> str:
    """Read the client's name of a recording, or take it from its name of the slice."""
    name = _optional(fields.voice_session_id, "voice_session_id", str)
    if name is None or not name.strip():
        return _session_of_slice(fields)
    if _SESSION_ID.fullmatch(name) is None:
        raise Fault(Code.BAD_FIELD, field="voice_session_id")
    return name


def _session_of_slice(fields: _Fields) -> str:
    slice_name = _optional(fields.client_segment_id, "client_segment_id", str)
    if slice_name is None or not slice_name.strip():
        raise Fault(Code.MISSING_FIELD, field="voice_session_id")
    parts = _SLICE_ID.fullmatch(slice_name)
    if parts is None or _SESSION_ID.fullmatch(parts[1]) is None:
        raise Fault(Code.BAD_FIELD, field="client_segment_id")
    return parts[1]


def _segment_index(fields: _Fields) -> int:
    """Read a slice's index: a whole number, or one in a string of decimal digits."""
    raw = fields.segment_index
    if bytes(raw).startswith(b'"'):
        digits = _required(raw, "segment_index", str)
        if _DECIMAL.fullmatch(digits) is None:
            raise Fault(Code.BAD_FIELD, field="segment_index")
        value = int(digits)
    else:
        value = _required(raw, "segment_index", int)
    if value not in SEGMENT_INDEXES:
        raise Fault(Code.BAD_FIELD, field="segment_index")
    return value


def _audio(fields: _Fields, attached: bytes | None) -> Audio:
    return _as_audio(fields, _audio_bytes(fields, attached))


def _audio_bytes(fields: _Fields, attached: bytes | None) -> bytes:
    return attached or _required(fields.audio_base64, "audio_base64", bytes)


def _as_audio(fields: _Fields, data: bytes) -> Audio:
    format_ = _optional(fields.format, "format", str)
    rate = None
    if format_ == "pcm_s16le":
        rate = _required(fields.sample_rate, "sample_rate", int)
        if rate not in PCM_RATES:
            raise Fault(Code.BAD_FIELD, field="sample_rate")
    return Audio(data, format_, rate)


def _speaker(fields: _Fields) -> Speaker:
    name = _optional(fields.speaker, "speaker", str)
    if name is None:
        return Speaker.NARRATOR
    if name not in SPEAKERS:
        raise Fault(Code.BAD_FIELD, field="speaker")
    return Speaker(name)


def _recorded_at(fields: _Fields) -> datetime | None:
    moment = _optional(fields.recorded_at, "recorded_at", datetime)
    if moment is None:
        return None
    try:
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Fault(Code.BAD_FIELD, field="recorded_at") from None


def _message_id(raw: Raw) -> str | None:
    message_id = _optional(raw, "id", str)
    if message_id is not None and not 1 <= len(message_id) <= ID_MAX:
        raise Fault(Code.BAD_FIELD, field="id")
    return message_id


def _absent(raw: Raw) -> bool:
    return bytes(raw) in (b"", _NULL)


def _optional(raw: Raw, field: str, kind: type[_T]) -> _T | None:
    return None if _absent(raw) else _value(raw, field, kind)


def _required(raw: Raw, field: str, kind: type[_T]) -> _T:
    value = _optional(raw, field, kind)
    blank = isinstance(value, str) and not value.strip()
    if value is None or value == b"" or blank:
        raise Fault(Code.MISSING_FIELD, field=field)
    return value


def _value(raw: Raw, field: str, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeError):
        raise Fault(Code.BAD_FIELD, field=field) from None
