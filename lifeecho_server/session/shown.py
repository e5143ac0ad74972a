"""Transcripts as clients see them."""

from msgspec import UNSET

from lifeecho_server.engines.transcriber import Transcript
from lifeecho_server.protocol.outgoing import TranscriptMessage, TranscriptSegment
from lifeecho_server.session.heard import Heard
from lifeecho_server.store.voice_sessions import ShownSession


def heard_message(transcript: Transcript, heard: Heard) -> TranscriptMessage:
    """Return the message that shows what was heard; of silence there is no turn to name."""
    session = heard.voice_session_id
    return TranscriptMessage(
        text=transcript.text,
        audio_duration=round(transcript.duration, 3),
        message_id=heard.turn_id if transcript.speech else None,
        language=transcript.language,
        segments=_segments(transcript),
        missing=heard.missing,
        revision=heard.revision,
        voice_session_id=UNSET if session is None else session,
    )


def passing_message(transcript: Transcript, *, reply_to: str | None) -> TranscriptMessage:
    """Return the message that shows a transcript of which nothing is stored."""
    return TranscriptMessage(
        text=transcript.text,
        audio_duration=round(transcript.duration, 3),
        message_id=None,
        language=transcript.language,
        segments=_segments(transcript),
        reply_to=UNSET if reply_to is None else reply_to,
    )


def stored_message(shown: ShownSession) -> TranscriptMessage:
    """Return the message that shows a stored transcript of a recording in slices once more."""
    return TranscriptMessage(
        text=shown.text,
        audio_duration=shown.duration,
        message_id=shown.turn_id,
        language=shown.language,
        segments=tuple(TranscriptSegment(*segment) for segment in shown.segments),
        missing=shown.missing,
        revision=shown.revision,
        voice_session_id=shown.client_id,
    )


def _segments(transcript: Transcript) -> tuple[TranscriptSegment, ...]:
    return tuple(TranscriptSegment(s.start, s.end, s.text) for s in transcript.segments)
