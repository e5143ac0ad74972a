"""Slices of recordings that arrive: looked up, let in, stored with their voice session."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lifeecho_server.interview.situation import Speaker
from lifeecho_server.settings import Plan
from lifeecho_server.store import quota, recordings
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import NotFound
from lifeecho_server.store.recordings import NewRecording
from lifeecho_server.store.turns import require_open
from lifeecho_server.store.values import micros, moment
from lifeecho_server.store.voice_sessions import count_slices


@dataclass(frozen=True, slots=True)
class NewSlice:
    """A slice whose file is on disk. ``session_id`` names its session if it is the first."""

    session_id: str
    conversation_id: str
    client_id: str
    user_id: str
    index: int
    is_last: bool
    speaker: Speaker
    said_at: datetime
    received_at: datetime
    recording: NewRecording


@dataclass(frozen=True, slots=True)
class KnownSlice:
    """What is known of a slice that comes in: its session, and whether it is here already."""

    session_known: bool
    duplicate: bool
    closed: bool
    last: int | None


UNKNOWN = KnownSlice(False, False, False, None)


@dataclass(frozen=True, slots=True)
class TakenSlice:
    """What became of a slice: whose it is, and whether its session was closed before."""

    session_id: str
    duplicate: bool
    closed: bool


def known_slice(db: Connection, conversation_id: str, client_id: str, index: int) -> KnownSlice:
    """Return what is known of a slice before anything is written."""
    row = db.execute(
        "SELECT closed_at IS NOT NULL, last_index, EXISTS (SELECT 1 FROM slices s"
        " WHERE s.voice_session_id = v.id AND s.segment_index = ?3)"
        " FROM voice_sessions v WHERE conversation_id = ?1 AND client_id = ?2",
        (conversation_id, client_id, index),
    ).fetchone()
    if row is None:
        return UNKNOWN
    closed, last, duplicate = row
    return KnownSlice(True, bool(duplicate), bool(closed), last)


def require_new_session(
    db: Connection,
    conversation_id: str,
    user_id: str,
    *,
    plan: Plan,
    day: quota.Day,
    at: datetime,
    idle: timedelta,
) -> None:
    """Raise what keeps a new voice session out of a conversation.

    NotFound, ConversationDeleted, ConversationEnded, or QuotaExceeded: of the recordings at once
    those do not count with which nobody has gone on for as long as ``idle``.
    """
    row = db.execute(
        "SELECT ended_at, deleted_at FROM conversations WHERE id = ?", (conversation_id,)
    ).fetchone()
    if row is None:
        raise NotFound("there is no such conversation")
    ended_at, deleted_at = row
    require_open(ended_at, deleted_at)
    wish = quota.Wish(turn=True, audio=True, recording=True)
    quota.require(db, user_id, plan, day, wish, _going_on(db, user_id, at, idle))


def _going_on(db: Connection, user_id: str, at: datetime, idle: timedelta) -> list[datetime]:
    """Return for each recording of a user that lacks slices when it stops counting, ascending."""
    rows = db.execute(
        "SELECT last_slice_at FROM voice_sessions v WHERE user_id = ? AND closed_at IS NULL"
        " AND last_slice_at > ? AND (last_index IS NULL OR last_index >= (SELECT count(*)"
        " FROM slices WHERE voice_session_id = v.id AND segment_index <= v.last_index))"
        " ORDER BY last_slice_at",
        (user_id, micros(at - idle)),
    )
    return [moment(last_slice_at) + idle for (last_slice_at,) in rows]


def take_slice(
    db: Connection, new: NewSlice, *, plan: Plan, day: quota.Day, idle: timedelta
) -> TakenSlice:
    """Store a slice and, with the first one, its voice session.

    A duplicate changes nothing; the caller then deletes the file it wrote. Raises NotFound,
    ConversationDeleted, and for a session that is new ConversationEnded and QuotaExceeded.
    """
    known = known_slice(db, new.conversation_id, new.client_id, new.index)
    if not known.session_known:
        require_new_session(
            db,
            new.conversation_id,
            new.user_id,
            plan=plan,
            day=day,
            at=new.received_at,
            idle=idle,
        )
        _open(db, new)
    session_id = _id_of(db, new.conversation_id, new.client_id)
    if known.duplicate:
        return TakenSlice(session_id, True, known.closed)
    recordings.insert(db, new.recording, new.conversation_id, new.received_at)
    db.execute(
        "INSERT INTO slices (voice_session_id, segment_index, recording_id, received_at)"
        " VALUES (?, ?, ?, ?)",
        (session_id, new.index, new.recording.id, micros(new.received_at)),
    )
    db.execute(
        "UPDATE voice_sessions SET last_slice_at = ?1, last_index = coalesce(last_index, ?2),"
        " stale = max(stale, closed_at IS NOT NULL AND ?3 <= coalesce(last_index, ?3))"
        " WHERE id = ?4",
        (micros(new.received_at), new.index if new.is_last else None, new.index, session_id),
    )
    if known.closed:
        count_slices(db, session_id)
    return TakenSlice(session_id, False, known.closed)


def _open(db: Connection, new: NewSlice) -> None:
    received_at = micros(new.received_at)
    db.execute(
        "INSERT INTO voice_sessions (id, conversation_id, client_id, user_id, speaker, said_at,"
        " opened_at, last_slice_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.session_id,
            new.conversation_id,
            new.client_id,
            new.user_id,
            new.speaker,
            min(micros(new.said_at), received_at),
            received_at,
            received_at,
        ),
    )


def _id_of(db: Connection, conversation_id: str, client_id: str) -> str:
    row = db.execute(
        "SELECT id FROM voice_sessions WHERE conversation_id = ? AND client_id = ?",
        (conversation_id, client_id),
    ).fetchone()
    return str(row[0])
