"""What is shown in the terminal, and whose turn it is."""

import struct

import msgspec
import pytest

from lifeecho_server.cli.dialogue import (
    Dialogue,
    audio_frame,
    chosen,
    lines,
    read,
    text_frame,
)
from lifeecho_server.protocol.incoming import AudioMessage, Text
from lifeecho_server.protocol.outgoing import (
    AgentResponse,
    Capabilities,
    Connect,
    Ended,
    ErrorMessage,
    MessageAck,
    NarratorName,
    Pong,
    Resume,
    Suggestion,
    TopicSuggestions,
    TranscriptMessage,
)
from lifeecho_server.protocol.reading import read_binary_frame, read_text_frame

CHIPS = (Suggestion("1", "Home", "Let us talk of home.", "childhood.home"),)


def connect(*, ended: bool = False, last: str | None = None) -> Connect:
    able = Capabilities("none", "none", "none", ("zh", "en"))
    return Connect(NarratorName("n", "奶奶"), ended, able, Resume(last))


def part(text: str = "Well?", *, final: bool = True) -> AgentResponse:
    return AgentResponse(text, 0, 1 if final else None, "a1", final)


def transcript(text: str, message_id: str | None) -> TranscriptMessage:
    return TranscriptMessage(text, 1.0, message_id, "en", ())


def test_a_typed_turn_is_read_by_the_server():
    message = read_text_frame(text_frame("m1", "你好"))
    assert message.id == "m1"
    assert isinstance(message.body, Text)
    assert message.body.text == "你好"


def test_a_recording_is_read_by_the_server():
    frame = audio_frame("m1", b"RIFF....")
    assert struct.unpack_from(">H", frame)[0] < len(frame)
    message = read_binary_frame(frame)
    assert message.id == "m1"
    assert isinstance(message.body, AudioMessage)
    assert message.body.audio.data == b"RIFF...."


def test_what_a_terminal_has_no_use_for_is_passed_over():
    envelope = {"type": "something_new", "conversation_id": "c", "data": {"x": 1}}
    assert read(msgspec.json.encode(envelope)) is None
    envelope = {"type": "agent_response", "conversation_id": "c", "data": part(), "new": 1}
    assert read(msgspec.json.encode(envelope)) == part()


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (part("One.\nTwo."), ["One.", "Two."]),
        (TopicSuggestions("opening", "childhood", CHIPS), ["  [1] Home"]),
        (transcript("hello", "m"), ["» hello"]),
        (transcript("", None), ["» (no speech was heard)"]),
        (ErrorMessage("BUSY", "busy, please wait", True), ["! busy, please wait"]),
        (Ended(), ["The conversation has ended."]),
        (MessageAck("m", "t", "stored"), []),
        (Pong(), []),
    ],
)
def test_messages_as_lines(message, shown):
    assert lines(message) == shown


@pytest.mark.parametrize(
    ("line", "said"),
    [("1\n", CHIPS[0].text), (" 1 ", CHIPS[0].text), ("2\n", "2"), ("0\n", "0"), ("hm\n", "hm")],
)
def test_a_chips_number_says_its_text(line, said):
    assert chosen(line, CHIPS) == said


def test_chips_last_until_something_is_said():
    dialogue = Dialogue()
    dialogue.came(TopicSuggestions("resume", "childhood", CHIPS))
    assert dialogue.chips == CHIPS
    dialogue.sent("m1")
    assert dialogue.chips == ()


def test_the_interviewer_opens_a_new_conversation():
    dialogue = Dialogue()
    dialogue.came(connect())
    assert dialogue.answer_due
    dialogue.came(part(final=False))
    assert dialogue.answer_due
    dialogue.came(part())
    assert not dialogue.answer_due


def test_nothing_is_due_in_an_old_or_ended_conversation():
    for first in (connect(last="m0"), connect(ended=True)):
        dialogue = Dialogue()
        dialogue.came(first)
        assert not dialogue.answer_due
    assert dialogue.ended


def test_a_turn_is_answered_by_a_final_part_after_its_acknowledgement():
    dialogue = Dialogue()
    dialogue.sent("m1")
    dialogue.came(part())  # of the reply that the turn cancelled
    dialogue.came(MessageAck("other", "t", "stored"))
    assert dialogue.answer_due
    dialogue.came(MessageAck("m1", "t", "stored"))
    dialogue.came(part(final=False))
    assert dialogue.answer_due
    dialogue.came(part())
    assert not dialogue.answer_due


def test_a_refused_turn_is_not_waited_for():
    dialogue = Dialogue()
    dialogue.sent("m1")
    dialogue.came(ErrorMessage("BUSY", "busy", True, reply_to="other"))
    assert dialogue.answer_due
    dialogue.came(ErrorMessage("BUSY", "busy", True, reply_to="m1"))
    assert not dialogue.answer_due


def test_a_recording_that_cannot_be_recognised_is_answered_all_the_same():
    dialogue = Dialogue()
    dialogue.sent("m1")
    dialogue.came(MessageAck("m1", "t", "stored"))
    dialogue.came(ErrorMessage("ASR_UNAVAILABLE", "no model", True, reply_to="m1"))
    assert dialogue.answer_due
    dialogue.came(part())
    assert not dialogue.answer_due


def test_silence_has_no_answer():
    dialogue = Dialogue()
    dialogue.sent("m1")
    dialogue.came(MessageAck("m1", "t", "stored"))
    dialogue.came(transcript("", None))
    assert not dialogue.answer_due
