"""What a client sends, read: every refusal in the contract's order, and no bytes that break it."""

import base64
import json
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.incoming import (
    Audio,
    AudioMessage,
    EndConversation,
    Ignored,
    Ping,
    Text,
    TranscribeOnly,
    TtsCancel,
)
from lifeecho_server.protocol.reading import read_binary_frame, read_text_frame
from lifeecho_server.protocol.speaker import Speaker

BYTES = base64.b64encode(b"sound").decode()


def frame(type_: object = "text", data: object = None, **more: object) -> str:
    return json.dumps({"type": type_, "data": {} if data is None else data, **more})


def fault_of(text: str | bytes) -> Fault:
    with pytest.raises(Fault) as caught:
        read_text_frame(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "5",
        "null",
        '"text"',
        '{"type": "text"',
        '{"type": "ping", "data": 5}',
        '{"type": "ping", "data": []}',
        '{"type": "ping", "data": null}',
        '{"type": "text", "data": {"text": "\\ud800"}}',
        "[" * 100_000,
        '{"type": "text", "data": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_bad_message(text: str) -> None:
    assert fault_of(text).code is Code.BAD_MESSAGE


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("{}", Code.MISSING_FIELD, "type"),
        (frame(None), Code.MISSING_FIELD, "type"),
        (frame("  "), Code.MISSING_FIELD, "type"),
        (frame(5), Code.BAD_FIELD, "type"),
        (frame("ping", id=5), Code.BAD_FIELD, "id"),
        (frame("ping", id=""), Code.BAD_FIELD, "id"),
        (frame("ping", id="x" * 65), Code.BAD_FIELD, "id"),
        (frame("text"), Code.MISSING_FIELD, "text"),
        (frame("text", {"text": None}), Code.MISSING_FIELD, "text"),
        (frame("text", {"text": 5}), Code.BAD_FIELD, "text"),
        (frame("text", {"text": "x" * 8001}), Code.BAD_FIELD, "text"),
        (frame("text", {"text": "a", "speaker": "doctor"}), Code.BAD_FIELD, "speaker"),
        (frame("text", {"text": "a", "speaker": "interviewer"}), Code.BAD_FIELD, "speaker"),
        (frame("text", {"text": "a", "speaker": 1}), Code.BAD_FIELD, "speaker"),
        (frame("text", {"text": "a", "recorded_at": "yesterday"}), Code.BAD_FIELD, "recorded_at"),
        (
            frame("text", {"text": "a", "recorded_at": "2026-01-01T00:00:00"}),
            Code.BAD_FIELD,
            "recorded_at",
        ),
        (
            frame("text", {"text": "a", "recorded_at": "0001-01-01T00:00:00+08:00"}),
            Code.BAD_FIELD,
            "recorded_at",
        ),
        (frame("audio_message"), Code.MISSING_FIELD, "audio_base64"),
        (frame("audio_message", {"audio_base64": ""}), Code.MISSING_FIELD, "audio_base64"),
        (frame("audio_message", {"audio_base64": "!!"}), Code.BAD_FIELD, "audio_base64"),
        (frame("audio_message", {"audio_base64": "abc"}), Code.BAD_FIELD, "audio_base64"),
        (frame("audio_message", {"audio_base64": 5}), Code.BAD_FIELD, "audio_base64"),
        (
            frame("audio_message", {"audio_base64": BYTES, "format": "pcm_s16le"}),
            Code.MISSING_FIELD,
            "sample_rate",
        ),
        (
            frame(
                "audio_message",
                {"audio_base64": BYTES, "format": "pcm_s16le", "sample_rate": 1},
            ),
            Code.BAD_FIELD,
            "sample_rate",
        ),
        (frame("audio_message", {"audio_base64": BYTES, "format": 5}), Code.BAD_FIELD, "format"),
        (frame("transcribe_only"), Code.MISSING_FIELD, "audio_base64"),
    ],
)
def test_field_at_fault_is_named(text: str, code: Code, field: str) -> None:
    fault = fault_of(text)
    assert (fault.code, fault.field) == (code, field)


def test_first_of_several_faults_is_told_in_order() -> None:
    assert fault_of(frame(5, {"text": 5}, id=5)).field == "id"
    assert fault_of(frame("text", {"text": 5, "speaker": 5})).field == "text"


def test_fault_names_the_message() -> None:
    assert fault_of(frame("text", {}, id="m-1")).reply_to == "m-1"
    assert fault_of(frame("text", {}, id=7)).reply_to is None


def test_text_with_all_fields() -> None:
    data = {"text": "你好", "speaker": "relative", "recorded_at": "2026-01-01T08:00:00+08:00"}
    incoming = read_text_frame(frame("text", data, id="m-1"))
    assert incoming.id == "m-1"
    assert incoming.body == Text("你好", Speaker.RELATIVE, datetime(2026, 1, 1, tzinfo=UTC))


def test_longest_text_counts_characters_not_bytes() -> None:
    body = read_text_frame(frame("text", {"text": "字" * 8000})).body
    assert isinstance(body, Text)
    assert len(body.text) == 8000


@pytest.mark.parametrize("blank", ["", "  ", "\n\t", "\u3000"])
def test_blank_text_is_ignored(blank: str) -> None:
    assert read_text_frame(frame("text", {"text": blank})).body == Ignored()


def test_unknown_type_is_ignored_and_named() -> None:
    assert read_text_frame(frame("future", {"x": 1})).body == Ignored(unknown="future")


def test_unknown_fields_are_ignored() -> None:
    text = frame("text", {"text": "a", "mood": {"deep": [1]}}, extra=1)
    assert read_text_frame(text).body == Text("a", Speaker.NARRATOR, None)


@pytest.mark.parametrize("duration", [None, "long", -1, [], {"s": 1}, 1e308])
def test_nonsense_duration_is_ignored(duration: object) -> None:
    data = {"audio_base64": BYTES, "duration": duration}
    body = read_text_frame(frame("audio_message", data)).body
    assert body == AudioMessage(Audio(b"sound"), Speaker.NARRATOR, None)


def test_raw_pcm_carries_its_rate() -> None:
    data = {"audio_base64": BYTES, "format": "pcm_s16le", "sample_rate": 16000}
    body = read_text_frame(frame("transcribe_only", data)).body
    assert body == TranscribeOnly(Audio(b"sound", "pcm_s16le", 16000))


def test_data_may_be_left_out_where_nothing_is_needed() -> None:
    assert read_text_frame('{"type": "ping"}').body == Ping()
    assert read_text_frame('{"type": "end_conversation"}').body == EndConversation()
    assert read_text_frame('{"type": "tts_cancel"}').body == TtsCancel()


def test_binary_frame_is_the_same_message() -> None:
    head = frame("audio_message", {"speaker": "relative"}, id="b").encode()
    incoming = read_binary_frame(struct.pack(">H", len(head)) + head + b"sound")
    assert incoming.id == "b"
    assert incoming.body == AudioMessage(Audio(b"sound"), Speaker.RELATIVE, None)


@pytest.mark.parametrize("bad", [b"", b"\x00", b"\x00\x09{}", b"\x00\x02[]", b"\x00\x00"])
def test_binary_frame_malformed(bad: bytes) -> None:
    with pytest.raises(Fault) as caught:
        read_binary_frame(bad)
    assert caught.value.code is Code.BAD_MESSAGE


def test_binary_frame_without_audio_misses_it() -> None:
    head = frame("audio_message").encode()
    with pytest.raises(Fault) as caught:
        read_binary_frame(struct.pack(">H", len(head)) + head)
    assert (caught.value.code, caught.value.field) == (Code.MISSING_FIELD, "audio_base64")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["text", "audio_message", "transcribe_only", "ping", "type", "x"])


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (read_text_frame, read_binary_frame):
        try:
            read(data)
        except Fault as fault:
            assert fault.malformed  # either outcome is right, nothing else is


@given(names | json_values, st.dictionaries(st.text(), json_values) | json_values, json_values)
def test_any_json_is_read_or_refused(kind: object, data: object, message_id: object) -> None:
    try:
        read_text_frame(json.dumps({"type": kind, "data": data, "id": message_id}))
    except Fault as fault:
        assert fault.malformed  # either outcome is right, nothing else is
