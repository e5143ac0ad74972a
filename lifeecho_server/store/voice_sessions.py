"""Voice sessions: recordings that arrive in slices, each slice a file with its row."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lifeecho_server.interview.situation import Hearing, Speaker
from lifeecho_server.store import quota
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import NotFound
from lifeecho_server.store.transcripts import StoredTranscript, store_transcript
from lifeecho_server.store.turns import SILENT, NewTurn, insert_turn
from lifeecho_server.store.values import micros, moment

if TYPE_CHECKING:
    from lifeecho_server.engines.transcriber import Transcript

RESUMED_MOST = 50
"""How many voice sessions a client is told of on connecting: the latest that are not complete."""


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


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice on disk; ``path`` is relative to the folder of recordings."""

    index: int
    path: str
    format: str
    sample_rate: int | None


@dataclass(frozen=True, slots=True)
class VoiceSession:
    """A recording in slices. ``client_id`` is the client's name for it, ``id`` the server's own.

    ``last`` is the index of the last slice where that is known; ``turn_id`` what it has become.
    """

    id: str
    conversation_id: str
    narrator_id: str
    client_id: str
    user_id: str | None
    speaker: Speaker
    said_at: datetime
    last: int | None
    closed: bool
    ended: bool
    """Whether its conversation has ended."""
    turn_id: str | None
    due: bool
    """Whether it is closed and its transcript lacks slices, or was not made yet."""
    slices: tuple[Slice, ...]


@dataclass(frozen=True, slots=True)
class ShownSession:
    """The stored transcript of a closed session; times in seconds, ``segments`` with their text.

    ``id`` is the server's own, ``turn_id`` is ``None`` where nobody spoke. ``missing`` are the
    slices that the transcript lacks; a ``stale`` one lacks some that have come since.
    """

    id: str
    client_id: str
    turn_id: str | None
    text: str
    language: str
    duration: float
    revision: int
    segments: tuple[tuple[float, float, str], ...]
    missing: tuple[int, ...]
    stale: bool


def close_session(
    db: Connection,
    session_id: str,
    *,
    turn_id: str,
    transcript: Transcript | None,
    failed: bool,
    heard: Collection[int],
    day: quota.Day,
    at: datetime,
) -> StoredTranscript:
    """Close a voice session: it becomes a turn, with its transcript where there is one.

    Without one the turn waits to be recognised, or ``failed`` to be. ``heard`` are the slices that
    were listened to: one that came since then makes it stale. Raises NotFound when the session was
    deleted, or has become a turn already.
    """
    session = voice_session(db, session_id)
    if session is None or session.turn_id is not None:
        raise NotFound("the recording was deleted")
    hearing = Hearing.FAILED if failed else Hearing.WAITING
    turn = NewTurn(
        id=turn_id,
        conversation_id=session.conversation_id,
        user_id=session.user_id,
        client_id=None,
        speaker=session.speaker,
        text="",
        said_at=session.said_at,
        stored_at=at,
        hearing=hearing,
        voice_session_id=session_id,
    )
    insert_turn(db, turn, day)
    db.execute("UPDATE voice_sessions SET closed_at = ? WHERE id = ?", (micros(at), session_id))
    _note_heard(db, session_id, heard)
    count_slices(db, session_id)
    if transcript is None:
        return StoredTranscript(0, hearing)
    return store_transcript(db, turn_id, transcript, model="whisper", at=at)


def amend_session(
    db: Connection, session: VoiceSession, transcript: Transcript, *, at: datetime
) -> StoredTranscript:
    """Store the transcript of a closed session made anew from the slices it was read with.

    Raises NotFound when it was deleted meanwhile.
    """
    if session.turn_id is None:
        raise NotFound("the recording has not become a turn")
    stored = store_transcript(db, session.turn_id, transcript, model="whisper", at=at)
    settle_session(db, session)
    return stored


def listen_again(db: Connection, conversation_id: str, client_id: str) -> str | None:
    """Let a session whose recognition failed be recognised again; its id, or None if it had not."""
    row = db.execute(
        "UPDATE turns SET hearing = 'waiting' WHERE hearing = 'failed' AND voice_session_id ="
        " (SELECT id FROM voice_sessions WHERE conversation_id = ? AND client_id = ?)"
        " RETURNING voice_session_id",
        (conversation_id, client_id),
    ).fetchone()
    return None if row is None else str(row[0])


def settle_session(db: Connection, session: VoiceSession) -> None:
    """Remember that a closed session was recognised as it was read.

    A slice that has come since then keeps it stale.
    """
    _note_heard(db, session.id, [piece.index for piece in session.slices])


def _note_heard(db: Connection, session_id: str, heard: Collection[int]) -> None:
    """Remember which slices were listened to; any other that belongs to it makes it stale."""
    db.execute(
        "UPDATE slices SET heard = 1 WHERE voice_session_id = ?"
        " AND segment_index IN (SELECT value FROM json_each(?))",
        (session_id, json.dumps(list(heard))),
    )
    db.execute(
        "UPDATE voice_sessions SET stale = EXISTS (SELECT 1 FROM slices WHERE voice_session_id = ?1"
        " AND heard = 0 AND segment_index <= coalesce(last_index, segment_index)) WHERE id = ?1",
        (session_id,),
    )


_SESSION = (
    "SELECT v.id, v.conversation_id, c.narrator_id, v.client_id, v.user_id, v.speaker, v.said_at,"
    " v.last_index, v.closed_at IS NOT NULL, c.ended_at IS NOT NULL, t.id,"
    " t.id IS NOT NULL AND (v.stale = 1 OR t.hearing = 'waiting') FROM voice_sessions v"
    " JOIN conversations c ON c.id = v.conversation_id"
    " LEFT JOIN turns t ON t.voice_session_id = v.id"
)


def voice_session(db: Connection, session_id: str) -> VoiceSession | None:
    """Return a voice session with its slices."""
    row = db.execute(f"{_SESSION} WHERE v.id = ?", (session_id,)).fetchone()
    return None if row is None else _session(db, row)


def shown_session(db: Connection, conversation_id: str, client_id: str) -> ShownSession | None:
    """Return what a client is shown of a closed session; None while it has no transcript."""
    row = db.execute(
        "SELECT v.id, v.last_index, v.stale, t.id, t.hearing, s.text, s.language, s.duration_ms,"
        " s.revision FROM voice_sessions v JOIN turns t ON t.voice_session_id = v.id"
        " JOIN transcripts s ON s.turn_id = t.id WHERE v.conversation_id = ? AND v.client_id = ?",
        (conversation_id, client_id),
    ).fetchone()
    if row is None:
        return None
    session_id, last, stale, turn_id, hearing, text, language, duration_ms, revision = row
    return ShownSession(
        id=session_id,
        client_id=client_id,
        turn_id=None if hearing == SILENT else turn_id,
        text=text,
        language=language,
        duration=duration_ms / 1000,
        revision=revision,
        segments=_shown_segments(db, turn_id),
        missing=_missing(db, session_id, last),
        stale=bool(stale),
    )


def _shown_segments(db: Connection, turn_id: str) -> tuple[tuple[float, float, str], ...]:
    rows = db.execute(
        "SELECT start_ms, end_ms, text FROM segments WHERE turn_id = ? ORDER BY position",
        (turn_id,),
    )
    return tuple((start / 1000, end / 1000, text) for start, end, text in rows)


def _missing(db: Connection, session_id: str, last: int | None) -> tuple[int, ...]:
    rows = db.execute(
        "SELECT segment_index FROM slices WHERE voice_session_id = ? AND heard = 1", (session_id,)
    )
    heard = {index for (index,) in rows}
    end = max(heard, default=-1) if last is None else last
    return tuple(index for index in range(end + 1) if index not in heard)


def unfinished_sessions(db: Connection) -> list[str]:
    """Return the ids of all voice sessions that are not closed, oldest first."""
    rows = db.execute("SELECT id FROM voice_sessions WHERE closed_at IS NULL ORDER BY opened_at")
    return [id_ for (id_,) in rows]


def sessions_to_recognise(db: Connection) -> list[str]:
    """Return the ids of closed sessions that have no transcript yet, or one that lacks slices.

    All of them, the oldest first: those over which the engine fails must not hide the others.
    """
    rows = db.execute(
        "SELECT v.id, v.opened_at FROM voice_sessions v JOIN turns t ON t.voice_session_id = v.id"
        " WHERE v.stale = 1 UNION SELECT v.id, v.opened_at FROM turns t"
        " JOIN voice_sessions v ON v.id = t.voice_session_id WHERE t.hearing = 'waiting'"
        " ORDER BY opened_at",
    )
    return [id_ for id_, _ in rows]


def open_voice_sessions(db: Connection, conversation_id: str) -> list[OpenVoiceSession]:
    """Return a conversation's latest voice sessions that are not complete, oldest first."""
    rows = db.execute(
        "SELECT client_id, last_index, closed_at IS NOT NULL, (SELECT json_group_array(i) FROM"
        " (SELECT segment_index AS i FROM slices WHERE voice_session_id = v.id ORDER BY i))"
        " FROM voice_sessions v WHERE conversation_id = ? AND complete = 0"
        " ORDER BY opened_at DESC, id DESC LIMIT ?",
        (conversation_id, RESUMED_MOST),
    ).fetchall()
    return [
        OpenVoiceSession(client_id, tuple(json.loads(received)), last, bool(closed))
        for client_id, last, closed, received in reversed(rows)
    ]


def count_slices(db: Connection, session_id: str) -> None:
    """See whether a closed session has gaps; its end is its last slice, or the highest known."""
    db.execute(
        "UPDATE voice_sessions SET complete = (SELECT count(*) ="
        " coalesce(last_index, max(segment_index)) + 1 FROM slices WHERE voice_session_id = ?1"
        " AND segment_index <= coalesce(last_index, segment_index)) WHERE id = ?1",
        (session_id,),
    )


def _session(db: Connection, row: tuple[object, ...]) -> VoiceSession:
    id_, conversation, narrator, client, user, speaker, said_at, last, closed, ended, *rest = row
    turn, due = rest
    slices = db.execute(
        "SELECT s.segment_index, r.path, r.format, r.sample_rate FROM slices s"
        " JOIN recordings r ON r.id = s.recording_id WHERE s.voice_session_id = ?"
        " ORDER BY s.segment_index",
        (id_,),
    )
    return VoiceSession(
        id=str(id_),
        conversation_id=str(conversation),
        narrator_id=str(narrator),
        client_id=str(client),
        user_id=None if user is None else str(user),
        speaker=Speaker(str(speaker)),
        said_at=moment(int(str(said_at))),
        last=None if last is None else int(str(last)),
        closed=bool(closed),
        ended=bool(ended),
        turn_id=None if turn is None else str(turn),
        due=bool(due),
        slices=tuple(Slice(*each) for each in slices),
    )
