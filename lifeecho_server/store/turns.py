"""Turns: taken with their quota in one transaction, and read by index, the last ones first."""

from dataclasses import dataclass
from datetime import datetime

from lifeecho_server.interview.situation import Hearing, Speaker, Turn
from lifeecho_server.settings import Plan
from lifeecho_server.store import quota, recordings
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import ConversationDeleted, ConversationEnded, NotFound
from lifeecho_server.store.recordings import NewRecording
from lifeecho_server.store.values import micros, moment

SILENT = "silent"
"""How a recording in which nobody spoke is stored: kept to know it again, but not a turn."""

CONVERSATIONS_LOOKED_AT = 12
"""How many earlier conversations ``told_before`` looks through at most."""


@dataclass(frozen=True, slots=True)
class NewTurn:
    """Something a person said or typed. ``client_id`` is the client's own name for it.

    ``said_at`` later than ``stored_at`` (a phone's clock that is ahead) counts as ``stored_at``.
    """

    id: str
    conversation_id: str
    user_id: str | None
    client_id: str | None
    speaker: Speaker
    text: str
    said_at: datetime
    stored_at: datetime
    hearing: Hearing = Hearing.TYPED
    recording: NewRecording | None = None
    language: str | None = None
    voice_session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a turn: its id, whether it had been stored before, how it was heard.

    ``hearing`` is ``None`` for a recording in which nobody spoke.
    """

    message_id: str
    duplicate: bool
    hearing: Hearing | None


def take_turn(db: Connection, new: NewTurn, *, plan: Plan, day: quota.Day) -> Taken:
    """Store a turn with its recording, its quota and its conversation's counts.

    One whose ``client_id`` is stored already changes nothing and is ``duplicate``; the caller
    then deletes the recording it wrote. Raises NotFound, ConversationDeleted, ConversationEnded,
    QuotaExceeded.
    """
    row = db.execute(
        "SELECT c.ended_at, c.deleted_at, t.id, t.hearing FROM conversations c LEFT JOIN turns t"
        " ON t.conversation_id = c.id AND t.client_id = ? WHERE c.id = ?",
        (new.client_id, new.conversation_id),
    ).fetchone()
    if row is None:
        raise NotFound("there is no such conversation")
    ended_at, deleted_at, stored_id, stored_hearing = row
    if stored_id is not None:
        return _duplicate(stored_id, stored_hearing)
    require_open(ended_at, deleted_at)
    wish = quota.Wish(turn=True, audio=new.recording is not None)
    if new.user_id is not None:
        quota.require(db, new.user_id, plan, day, wish)
    insert_turn(db, new, day)
    return Taken(new.id, False, new.hearing)


def find_duplicate(db: Connection, conversation_id: str, client_id: str) -> Taken | None:
    """Return the turn stored under a client's name for it, before anything is written anew."""
    row = db.execute(
        "SELECT id, hearing FROM turns WHERE conversation_id = ? AND client_id = ?",
        (conversation_id, client_id),
    ).fetchone()
    return None if row is None else _duplicate(*row)


_TURN = "id, speaker, text, said_at, hearing"


def turn(db: Connection, turn_id: str) -> Turn | None:
    """Return a turn by id; ``None`` for a recording in which nobody spoke."""
    row = db.execute(
        f"SELECT {_TURN} FROM turns WHERE id = ? AND hearing <> 'silent'", (turn_id,)
    ).fetchone()
    return None if row is None else _turn(row)


def history(db: Connection, conversation_id: str, limit: int) -> tuple[Turn, ...]:
    """Return the last turns as a prompt may see them, oldest first.

    The interviewer's, and the person's that have been answered; not what was sealed.
    """
    rows = db.execute(
        f"SELECT {_TURN} FROM turns WHERE conversation_id = ? AND hearing <> 'silent'"
        " AND sealed = 0 AND (speaker = 'interviewer' OR answered_by IS NOT NULL)"
        " ORDER BY said_at DESC, seq DESC LIMIT ?",
        (conversation_id, limit),
    ).fetchall()
    return tuple(_turn(row) for row in reversed(rows))


def said_before(db: Connection, conversation_id: str, after: int, limit: int) -> tuple[str, ...]:
    """Return what the interviewer said before the last ``after`` turns, oldest first, unsealed."""
    rows = db.execute(
        "SELECT speaker, text FROM turns WHERE conversation_id = ? AND sealed = 0"
        " ORDER BY said_at DESC, seq DESC LIMIT ? OFFSET ?",
        (conversation_id, limit, after),
    ).fetchall()
    return tuple(text for speaker, text in reversed(rows) if speaker == "interviewer")


def unanswered(db: Connection, conversation_id: str) -> tuple[Turn, ...]:
    """Return the person's turns that no reply has answered, oldest first.

    Those whose recording is still to be recognised are among them.
    """
    rows = db.execute(
        f"SELECT {_TURN} FROM turns WHERE conversation_id = ? AND answered_by IS NULL"
        " AND speaker <> 'interviewer' AND hearing <> 'silent' ORDER BY said_at, seq",
        (conversation_id,),
    )
    return tuple(_turn(row) for row in rows)


def last_turn(db: Connection, conversation_id: str) -> Turn | None:
    """Return the last turn of a conversation, whoever's it is, sealed or not."""
    row = db.execute(
        f"SELECT {_TURN} FROM turns WHERE conversation_id = ? AND hearing <> 'silent'"
        " ORDER BY said_at DESC, seq DESC LIMIT 1",
        (conversation_id,),
    ).fetchone()
    return None if row is None else _turn(row)


def last_message_id(db: Connection, conversation_id: str) -> str | None:
    """Return the id of the last turn of a conversation."""
    last = last_turn(db, conversation_id)
    return None if last is None else last.id


def told_before(
    db: Connection, narrator_id: str, before_conversation: str, limit: int
) -> tuple[Turn, ...]:
    """Return the narrator's last turns from their other conversations, oldest first; none sealed.

    Looks at the ``CONVERSATIONS_LOOKED_AT`` latest of them, so that the cost does not grow.
    """
    others = db.execute(
        "SELECT id FROM conversations WHERE narrator_id = ? AND id <> ? AND deleted_at IS NULL"
        " AND turn_count > 0 ORDER BY last_message_at DESC LIMIT ?",
        (narrator_id, before_conversation, CONVERSATIONS_LOOKED_AT),
    ).fetchall()
    told: list[Turn] = []
    for (conversation_id,) in others:
        if len(told) >= limit:
            break
        rows = db.execute(
            f"SELECT {_TURN} FROM turns WHERE conversation_id = ? AND speaker = 'narrator'"
            " AND sealed = 0 AND hearing IN ('typed', 'heard')"
            " ORDER BY said_at DESC, seq DESC LIMIT ?",
            (conversation_id, limit - len(told)),
        )
        told.extend(_turn(row) for row in rows)
    return tuple(sorted(told, key=lambda turn: turn.said_at))


def insert_turn(db: Connection, new: NewTurn, day: quota.Day) -> None:
    """Store a turn and charge it, without asking whether it may be stored.

    A recording in slices was asked for when it began: nobody is cut off in the middle.
    """
    if new.user_id is not None:
        quota.charge(db, new.user_id, day.date, turns=1)
    recording_id = None
    if new.recording is not None:
        recordings.insert(db, new.recording, new.conversation_id, new.stored_at)
        recording_id = new.recording.id
    stored_at = micros(new.stored_at)
    said_at = min(micros(new.said_at), stored_at)
    db.execute(
        "INSERT INTO turns (id, conversation_id, client_id, user_id, speaker, hearing, text,"
        " language, said_at, stored_at, recording_id, voice_session_id, quota_day)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.id,
            new.conversation_id,
            new.client_id,
            new.user_id,
            new.speaker,
            new.hearing,
            new.text,
            new.language,
            said_at,
            stored_at,
            recording_id,
            new.voice_session_id,
            day.date,
        ),
    )
    db.execute(
        "UPDATE conversations SET turn_count = turn_count + 1,"
        " last_message_at = max(coalesce(last_message_at, 0), ?) WHERE id = ?",
        (said_at, new.conversation_id),
    )


def require_open(ended_at: int | None, deleted_at: int | None) -> None:
    """Raise ConversationDeleted or ConversationEnded where nothing may be said any more."""
    if deleted_at is not None:
        raise ConversationDeleted("the conversation was deleted")
    if ended_at is not None:
        raise ConversationEnded("the conversation has ended; start a new one")


def _duplicate(turn_id: str, hearing: str) -> Taken:
    return Taken(turn_id, True, None if hearing == SILENT else Hearing(hearing))


def _turn(row: tuple[str, str, str, int, str]) -> Turn:
    id_, speaker, text, said_at, hearing = row
    return Turn(id_, Speaker(speaker), text, moment(said_at), Hearing(hearing))
