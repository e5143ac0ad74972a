"""Conversations: opened, aligned with the memoir's stage, ended, deleted."""

from dataclasses import dataclass
from datetime import datetime

from lifeecho_server.store import audit
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import ConversationDeleted, NotFound
from lifeecho_server.store.values import micros, moment, moment_or_none


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its turns. ``turn_count`` counts all speakers' turns."""

    id: str
    narrator_id: str
    opened_by: str | None
    stage: str | None
    started_at: datetime
    last_message_at: datetime | None
    ended_at: datetime | None
    deleted_at: datetime | None
    turn_count: int


_COLUMNS = (
    "id, narrator_id, opened_by, stage, started_at, last_message_at, ended_at, deleted_at,"
    " turn_count"
)


def conversation(db: Connection, conversation_id: str) -> Conversation | None:
    """Return a conversation, also one that has ended or was deleted (``deleted_at`` says so)."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM conversations WHERE id = ?", (conversation_id,)
    ).fetchone()
    return None if row is None else _conversation(row)


def conversations_of(db: Connection, narrator_id: str, limit: int = 100) -> list[Conversation]:
    """Return a narrator's conversations that are not deleted, the latest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM conversations WHERE narrator_id = ? AND deleted_at IS NULL"
        " ORDER BY last_message_at DESC LIMIT ?",
        (narrator_id, limit),
    )
    return [_conversation(row) for row in rows]


def create_conversation(
    db: Connection,
    *,
    conversation_id: str,
    narrator_id: str,
    opened_by: str | None,
    stage: str | None,
    at: datetime,
) -> Conversation:
    """Create a conversation, or return the one that has this id already (maybe another's).

    Raises ConversationDeleted for the id of one whose narrator was deleted.
    """
    if audit.is_removed(db, audit.Removed.CONVERSATION, conversation_id):
        raise ConversationDeleted("the conversation was deleted")
    db.execute(
        "INSERT INTO conversations (id, narrator_id, opened_by, stage, started_at)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (conversation_id, narrator_id, opened_by, stage, micros(at)),
    )
    created = conversation(db, conversation_id)
    if created is None:
        raise NotFound(f"there is no conversation {conversation_id!r}")
    return created


def set_stage(db: Connection, conversation_id: str, stage: str) -> None:
    """Set the stage a conversation is in."""
    db.execute("UPDATE conversations SET stage = ? WHERE id = ?", (stage, conversation_id))


def end_conversation(db: Connection, conversation_id: str, at: datetime) -> datetime:
    """End a conversation; return when it ended (the first time it was). Raises NotFound."""
    row = db.execute(
        "UPDATE conversations SET ended_at = coalesce(ended_at, ?) WHERE id = ? RETURNING ended_at",
        (micros(at), conversation_id),
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no conversation {conversation_id!r}")
    return moment(row[0])


def delete_conversation(db: Connection, conversation_id: str, at: datetime) -> list[str]:
    """Delete what was said in a conversation; return the paths of recordings to delete after it.

    Its row stays with ``deleted_at``, so that its id is refused. The paths are relative to the
    folder of recordings. Empty the write-ahead log too once the transaction is committed.
    Raises NotFound.
    """
    changed = db.execute(
        "UPDATE conversations SET deleted_at = coalesce(deleted_at, ?), stage = NULL,"
        " opened_by = NULL, last_message_at = NULL, turn_count = 0 WHERE id = ?",
        (micros(at), conversation_id),
    )
    if changed.rowcount == 0:
        raise NotFound(f"there is no conversation {conversation_id!r}")
    paths = db.execute(
        "DELETE FROM recordings WHERE conversation_id = ? RETURNING path", (conversation_id,)
    ).fetchall()
    _forget_memoir(db, conversation_id)
    db.execute("DELETE FROM voice_sessions WHERE conversation_id = ?", (conversation_id,))
    db.execute("DELETE FROM turns WHERE conversation_id = ?", (conversation_id,))
    audit.record_removal(db, audit.Removed.CONVERSATION, conversation_id, at)
    return [path for (path,) in paths]


def _forget_memoir(db: Connection, conversation_id: str) -> None:
    """Take out of the memoir what rests on a conversation's turns.

    A sentence with any evidence here goes whole: what of it came from elsewhere is told again when
    its story is rebuilt. Names go when nothing else is their evidence.
    """
    for statement in _FORGET:
        db.execute(statement, (conversation_id,))


_TURNS = "(SELECT id FROM turns WHERE conversation_id = ?1)"

_FORGET = (
    "DELETE FROM stories WHERE id IN (SELECT story_id FROM sentences GROUP BY story_id HAVING"
    " min(id IN (SELECT sentence_id FROM sentence_evidence WHERE turn_id IN " + _TURNS + ")))",
    "DELETE FROM sentences WHERE id IN"
    " (SELECT sentence_id FROM sentence_evidence WHERE turn_id IN " + _TURNS + ")",
    "DELETE FROM people_places WHERE id IN"
    " (SELECT people_places_id FROM people_places_evidence WHERE turn_id IN " + _TURNS + ")"
    " AND NOT EXISTS (SELECT 1 FROM people_places_evidence e"
    " WHERE e.people_places_id = people_places.id AND e.turn_id NOT IN " + _TURNS + ")",
    "UPDATE slots SET coverage = 'empty' WHERE (narrator_id, slot) IN"
    " (SELECT narrator_id, slot FROM slot_evidence WHERE turn_id IN " + _TURNS + ")"
    " AND NOT EXISTS (SELECT 1 FROM slot_evidence e WHERE e.narrator_id = slots.narrator_id"
    " AND e.slot = slots.slot AND e.turn_id NOT IN " + _TURNS + ")",
)


_Row = tuple[
    str, str, str | None, str | None, int, int | None, int | None, int | None, int
]  # fmt: skip


def _conversation(row: _Row) -> Conversation:
    id_, narrator_id, opened_by, stage, started, last, ended, deleted, turn_count = row
    return Conversation(
        id_,
        narrator_id,
        opened_by,
        stage,
        moment(started),
        moment_or_none(last),
        moment_or_none(ended),
        moment_or_none(deleted),
        turn_count,
    )
