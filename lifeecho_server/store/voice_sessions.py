"""Recordings that arrive in slices: which of them are not complete."""

import json
from dataclasses import dataclass

from lifeecho_server.store.database import Connection


@dataclass(frozen=True, slots=True)
class OpenVoiceSession:
    """A voice session that is not complete: unfinished, or closed with gaps.

    ``voice_session_id`` is the client's; ``received`` the indexes of the slices that are on disk,
    ascending; ``last`` the index of the last slice where that is known.
    """

    voice_session_id: str
    received: tuple[int, ...]
    last: int | None
    closed: bool


def open_voice_sessions(db: Connection, conversation_id: str) -> list[OpenVoiceSession]:
    """Return a conversation's voice sessions that are not complete, oldest first."""
    rows = db.execute(
        "SELECT client_id, last_index, closed_at IS NOT NULL, (SELECT json_group_array(i) FROM"
        " (SELECT segment_index AS i FROM slices WHERE voice_session_id = v.id ORDER BY i))"
        " FROM voice_sessions v WHERE conversation_id = ? AND complete = 0 ORDER BY opened_at",
        (conversation_id,),
    )
    return [
        OpenVoiceSession(client_id, tuple(json.loads(received)), last, bool(closed))
        for client_id, last, closed, received in rows
    ]
