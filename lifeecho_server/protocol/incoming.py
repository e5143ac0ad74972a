"""What a client sends, as typed messages."""

from dataclasses import dataclass
from datetime import datetime

from lifeecho_server.protocol.speaker import Speaker


@dataclass(frozen=True, slots=True)
class Audio:
    """The bytes of a recording as they came.

    ``format`` is the client's word for it (``None``: sniff); ``pcm_s16le`` is mono at
    ``sample_rate`` samples a second.
    """

    data: bytes
    format: str | None = None
    sample_rate: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A typed turn; ``recorded_at`` is when it was said, if that is not now."""

    text: str
    speaker: Speaker
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class AudioMessage:
    """A whole recording as one turn."""

    audio: Audio
    speaker: Speaker
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    """Somebody has begun to talk into the phone."""

    voice_session_id: str


@dataclass(frozen=True, slots=True)
class AudioSegment:
    """One slice of a recording; slices come in any order, ``is_last`` marks the one at its end."""

    voice_session_id: str
    index: int
    is_last: bool
    audio: Audio
    speaker: Speaker
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class TranscribeOnly:
    """A recording to be recognised and forgotten."""

    audio: Audio


@dataclass(frozen=True, slots=True)
class Ping:
    """Is anybody there?"""


@dataclass(frozen=True, slots=True)
class TtsCancel:
    """Stop speaking, and preparing to."""


@dataclass(frozen=True, slots=True)
class EndConversation:
    """The conversation is over."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to do: a blank text, or a type that this server does not know (``unknown``)."""

    unknown: str | None = None


Body = (
    Text
    | RecordingStarted
    | AudioSegment
    | AudioMessage
    | TranscribeOnly
    | Ping
    | TtsCancel
    | EndConversation
    | Ignored
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message: the client's own ``id`` for it, if any, and what it says."""

    id: str | None
    body: Body
    size: int
    """Bytes that it takes while it waits."""
