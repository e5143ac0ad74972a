"""What the server sends, as typed messages."""

from typing import ClassVar

from msgspec import UNSET, Struct, UnsetType


class Outgoing(Struct, frozen=True):
    """The ``data`` of a message; ``type_name`` is its ``type``."""

    type_name: ClassVar[str]


class NarratorName(Struct, frozen=True):
    """Whose story it is."""

    id: str
    name: str


class Capabilities(Outgoing, frozen=True):
    """What the engines can do now: each ``ready``, ``loading``, ``none`` or ``failed``."""

    type_name: ClassVar[str] = "capabilities"
    asr: str
    llm: str
    tts: str
    languages: tuple[str, ...]


class OpenVoiceSession(Struct, frozen=True):
    """A voice session to be gone on with: the slices that are here, and its last one if known."""

    voice_session_id: str
    received: tuple[int, ...]
    last: int | None
    closed: bool


class Resume(Struct, frozen=True):
    """Where a client that lost its connection goes on."""

    last_message_id: str | None
    voice_sessions: tuple[OpenVoiceSession, ...] = ()


class Connect(Outgoing, frozen=True):
    """The first message of a connection."""

    type_name: ClassVar[str] = "connect"
    narrator: NarratorName
    ended: bool
    capabilities: Capabilities
    resume: Resume
    status: str = "connected"
    protocol: int = 1


class AgentResponse(Outgoing, frozen=True):
    """One part of what the interviewer says; ``total`` is null until known."""

    type_name: ClassVar[str] = "agent_response"
    text: str
    index: int
    total: int | None
    assistant_message_id: str
    final: bool


class AgentResponseDelta(Outgoing, frozen=True):
    """A sentence of the part with this ``index``, sent before the part itself."""

    type_name: ClassVar[str] = "agent_response_delta"
    text: str
    index: int
    assistant_message_id: str


class ReplyCancelled(Outgoing, frozen=True):
    """A reply that was begun will not be finished."""

    type_name: ClassVar[str] = "reply_cancelled"
    assistant_message_id: str


class Suggestion(Struct, frozen=True):
    """A chip: ``text`` is sent back as the person's own message."""

    id: str
    label: str
    text: str
    slot: str


class TopicSuggestions(Outgoing, frozen=True):
    """What could be talked about next."""

    type_name: ClassVar[str] = "topic_suggestions"
    reason: str
    stage: str
    suggestions: tuple[Suggestion, ...]


class MessageAck(Outgoing, frozen=True):
    """A turn is committed (``stored``), or was before (``duplicate``)."""

    type_name: ClassVar[str] = "message_ack"
    id: str | None
    message_id: str
    status: str


class SegmentAck(Outgoing, frozen=True):
    """A slice is on disk (``stored``), or was before (``duplicate``)."""

    type_name: ClassVar[str] = "segment_ack"
    voice_session_id: str
    segment_index: int
    status: str


class TranscriptPartial(Outgoing, frozen=True):
    """The words of a recording so far, of which the first ``stable_chars`` will not change."""

    type_name: ClassVar[str] = "transcript_partial"
    voice_session_id: str
    segment_index: int
    text: str
    stable_chars: int


class ListeningFeedback(Outgoing, frozen=True):
    """A short sign, while somebody talks for long, that they are listened to; not stored."""

    type_name: ClassVar[str] = "listening_feedback"
    text: str
    voice_session_id: str


class TranscriptSegment(Struct, frozen=True):
    """A stretch of a transcript; ``start`` and ``end`` in seconds."""

    start: float
    end: float
    text: str


class TranscriptMessage(Outgoing, frozen=True):
    """A finished transcript; ``audio_duration`` in seconds, measured."""

    type_name: ClassVar[str] = "transcript"
    text: str
    audio_duration: float
    message_id: str | None
    language: str
    segments: tuple[TranscriptSegment, ...]
    missing: tuple[int, ...] = ()
    revision: int = 1
    voice_session_id: str | UnsetType = UNSET
    reply_to: str | UnsetType = UNSET


class TtsAudio(Outgoing, frozen=True):
    """A sentence read aloud: ``audio_base64`` is a whole file, ``sequence`` counts in a message.

    The message's end is marked by ``last``: on its last sentence, or on a file without sound (and
    an empty ``text``) after it.
    """

    type_name: ClassVar[str] = "tts_audio"
    assistant_message_id: str
    epoch: int
    sequence: int
    sample_rate: int
    audio_base64: bytes
    text: str
    last: bool
    format: str = "wav"


class TtsCancelled(Outgoing, frozen=True):
    """Nothing of this epoch or an earlier one follows."""

    type_name: ClassVar[str] = "tts_cancelled"
    epoch: int


class Ended(Outgoing, frozen=True):
    """The conversation has ended; the socket closes after it."""

    type_name: ClassVar[str] = "end_conversation"
    status: str = "ended"


class Pong(Outgoing, frozen=True):
    """Here."""

    type_name: ClassVar[str] = "pong"


class ErrorMessage(Outgoing, frozen=True):
    """What went wrong; ``retryable`` says whether trying again can help."""

    type_name: ClassVar[str] = "error"
    code: str
    message: str
    retryable: bool
    reply_to: str | UnsetType = UNSET
    field: str | UnsetType = UNSET
    resets_at: str | UnsetType = UNSET
    retry_after: float | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    voice_session_id: str | UnsetType = UNSET
    segment_index: int | UnsetType = UNSET
