"""The interviewer's replies: begun with their first part, grown part by part, and delivered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import ConversationDeleted, ConversationEnded, NotFound
from lifeecho_server.store.values import micros


@dataclass(frozen=True, slots=True)
class Reply:
    """A stored reply and its parts in order.

    One that was cut off is not ``finished``; a greeting ``answers`` nothing.
    """

    id: str
    parts: tuple[str, ...]
    finished: bool
    answers: bool


def begin_reply(
    db: Connection,
    *,
    reply_id: str,
    conversation_id: str,
    text: str,
    answers: Sequence[str],
    at: datetime,
    final: bool,
) -> None:
    """Store an interviewer's turn with its first part; the turns with these ids are answered.

    It comes after everything said so far, even when the machine's clock was set back. Raises
    NotFound, ConversationDeleted, ConversationEnded.
    """
    said_at = max(micros(at), _last_said_at(db, conversation_id))
    db.execute(
        "INSERT INTO turns (id, conversation_id, speaker, hearing, text, said_at, stored_at,"
        " finished) VALUES (?, ?, 'interviewer', 'typed', ?, ?, ?, ?)",
        (reply_id, conversation_id, text, said_at, said_at, final),
    )
    db.execute("INSERT INTO reply_parts VALUES (?, 0, ?)", (reply_id, text))
    db.execute(
        "UPDATE conversations SET turn_count = turn_count + 1, last_message_at = ? WHERE id = ?",
        (said_at, conversation_id),
    )
    if answers:
        db.execute(
            "UPDATE turns SET answered_by = ? WHERE id IN (SELECT value FROM json_each(?))"
            " AND conversation_id = ? AND answered_by IS NULL AND speaker <> 'interviewer'",
            (reply_id, json.dumps(list(answers)), conversation_id),
        )


def add_part(db: Connection, reply_id: str, text: str, *, final: bool) -> int:
    """Add a part to a reply that was begun; return its index. Raises NotFound."""
    changed = db.execute(
        "UPDATE turns SET text = text || char(10) || ?, finished = ? WHERE id = ?",
        (text, final, reply_id),
    )
    if changed.rowcount == 0:
        raise NotFound("there is no such reply")
    row = db.execute(
        "INSERT INTO reply_parts SELECT ?1, max(position) + 1, ?2 FROM reply_parts"
        " WHERE turn_id = ?1 RETURNING position",
        (reply_id, text),
    ).fetchone()
    return int(row[0])


def extend_part(db: Connection, reply_id: str, text: str, *, final: bool) -> None:
    """Let the last part of a reply be ``text``, of which it had the beginning. Raises NotFound."""
    changed = db.execute(
        "UPDATE reply_parts SET text = ?2 WHERE turn_id = ?1 AND position ="
        " (SELECT max(position) FROM reply_parts WHERE turn_id = ?1)",
        (reply_id, text),
    )
    if changed.rowcount == 0:
        raise NotFound("there is no such reply")
    db.execute(
        "UPDATE turns SET text = ?, finished = ? WHERE id = ?",
        ("\n".join(parts_of(db, reply_id)), final, reply_id),
    )


def mark_delivered(db: Connection, reply_id: str, parts: int) -> None:
    """Remember that the first ``parts`` parts of a reply have reached the client."""
    db.execute("UPDATE turns SET delivered = max(delivered, ?) WHERE id = ?", (parts, reply_id))


def undelivered_reply(db: Connection, conversation_id: str) -> Reply | None:
    """Return the reply that ends a conversation if it was cut off, or not delivered at all."""
    row = db.execute(
        "SELECT id, speaker, delivered, finished FROM turns WHERE conversation_id = ?"
        " AND hearing <> 'silent' ORDER BY said_at DESC, seq DESC LIMIT 1",
        (conversation_id,),
    ).fetchone()
    if row is None:
        return None
    reply_id, speaker, delivered, finished = row
    if speaker != "interviewer" or (delivered and finished):
        return None
    (answers,) = db.execute(
        "SELECT EXISTS (SELECT 1 FROM turns WHERE conversation_id = ? AND answered_by = ?)",
        (conversation_id, reply_id),
    ).fetchone()
    return Reply(reply_id, parts_of(db, reply_id), bool(finished), bool(answers))


def take_back(db: Connection, *, conversation_id: str, reply_id: str) -> None:
    """Let the turns that a cut-off reply answered wait for an answer again.

    The reply itself stays as what was said so far, and is not gone on with.
    """
    db.execute("UPDATE turns SET finished = 1, delivered = 1 WHERE id = ?", (reply_id,))
    db.execute(
        "UPDATE turns SET answered_by = NULL WHERE conversation_id = ? AND answered_by = ?",
        (conversation_id, reply_id),
    )


def parts_of(db: Connection, reply_id: str) -> tuple[str, ...]:
    """Return the parts of a reply in order."""
    rows = db.execute(
        "SELECT text FROM reply_parts WHERE turn_id = ? ORDER BY position", (reply_id,)
    )
    return tuple(text for (text,) in rows)


def _last_said_at(db: Connection, conversation_id: str) -> int:
    row = db.execute(
        "SELECT last_message_at, ended_at, deleted_at FROM conversations WHERE id = ?",
        (conversation_id,),
    ).fetchone()
    if row is None:
        raise NotFound("there is no such conversation")
    last, ended_at, deleted_at = row
    if deleted_at is not None:
        raise ConversationDeleted("the conversation was deleted")
    if ended_at is not None:
        raise ConversationEnded("the conversation has ended; start a new one")
    return last or 0
