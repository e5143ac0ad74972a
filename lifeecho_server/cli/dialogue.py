"""A conversation seen from the terminal: what is sent, what came, and when it is one's turn."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from lifeecho_server.protocol.outgoing import (
    AgentResponse,
    Capabilities,
    Connect,
    Ended,
    ErrorMessage,
    MessageAck,
    Outgoing,
    Suggestion,
    TopicSuggestions,
    TranscriptMessage,
)

SHOWN: tuple[type[Outgoing], ...] = (
    AgentResponse,
    Capabilities,
    Connect,
    Ended,
    ErrorMessage,
    MessageAck,
    TopicSuggestions,
    TranscriptMessage,
)


class _Envelope(msgspec.Struct):
    type: str
    data: msgspec.Raw


def read(frame: str | bytes) -> Outgoing | None:
    """Read what the server sent; ``None`` for a type that a terminal has no use for."""
    envelope = msgspec.json.decode(frame, type=_Envelope)
    kind = next((kind for kind in SHOWN if kind.type_name == envelope.type), None)
    return None if kind is None else msgspec.json.decode(envelope.data, type=kind)


def text_frame(message_id: str, text: str) -> str:
    """Return a typed turn."""
    message = {"type": "text", "id": message_id, "data": {"text": text}}
    return msgspec.json.encode(message).decode("utf-8")


def audio_frame(message_id: str, audio: bytes) -> bytes:
    """Return a recording as a binary frame: length, head, bytes."""
    head = msgspec.json.encode({"type": "audio_message", "id": message_id, "data": {}})
    return struct.pack(">H", len(head)) + head + audio


def lines(message: Outgoing) -> list[str]:
    """Return what a message is on a terminal."""
    match message:
        case AgentResponse(text=text):
            return text.splitlines()
        case TopicSuggestions(suggestions=suggestions):
            return [f"  [{number}] {chip.label}" for number, chip in enumerate(suggestions, 1)]
        case TranscriptMessage(text=text):
            return [f"» {text}" if text else "» (no speech was heard)"]
        case ErrorMessage(message=text):
            return [f"! {text}"]
        case Ended():
            return ["The conversation has ended."]
        case _:
            return []


def chosen(line: str, chips: Sequence[Suggestion]) -> str:
    """Return what is said: a chip's text for its number, else the line itself."""
    word = line.strip()
    if word.isascii() and word.isdigit() and 1 <= int(word) <= len(chips):
        return chips[int(word) - 1].text
    return word


@dataclass
class Dialogue:
    """Whether it is the person's turn, as messages come in.

    After connecting to a new conversation the interviewer speaks first; after each message the
    person waits for the last part of the answer, unless there will be none.
    """

    chips: tuple[Suggestion, ...] = ()
    ended: bool = False
    answer_due: bool = False
    _sent: str | None = None
    _acknowledged: bool = False

    def sent(self, message_id: str) -> None:
        """Note that the person said something."""
        self._sent, self._acknowledged, self.answer_due = message_id, False, True
        self.chips = ()  # a number typed later is a number

    def came(self, message: Outgoing) -> None:
        """Note what the server sent."""
        match message:
            case Connect(ended=ended, resume=resume):
                self.ended = ended
                self.answer_due = not ended and resume.last_message_id is None
            case Ended():
                self.ended = True
            case TopicSuggestions(suggestions=suggestions):
                self.chips = suggestions
            case MessageAck(id=name) if name == self._sent:
                self._acknowledged = True
            case AgentResponse(final=final) if self._sent is None or self._acknowledged:
                self.answer_due = not final
            case TranscriptMessage(message_id=None) if self._sent is not None:
                self.answer_due = False
            case ErrorMessage(reply_to=name) if name == self._sent and not self._acknowledged:
                self.answer_due = False
            case _:
                pass
