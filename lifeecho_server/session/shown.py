"""Transcripts as clients see them."""

from msgspec import UNSET

from lifeecho_server.engines.transcriber import Transcript
from lifeecho_server.protocol.outgoing import TranscriptMessage, TranscriptSegment


def transcript_message(
    transcript: Transcript,
    *,
    message_id: str | None = None,
    revision: int = 1,
    reply_to: str | None = None,
) -> TranscriptMessage:
    """Return the message that shows a transcript; of silence there is no turn to name."""
    return TranscriptMessage(
        text=transcript.text,
        audio_duration=round(transcript.duration, 3),
        message_id=message_id if transcript.speech else None,
        language=transcript.language,
        segments=tuple(TranscriptSegment(s.start, s.end, s.text) for s in transcript.segments),
        revision=revision,
        reply_to=UNSET if reply_to is None else reply_to,
    )
