"""What recognition made of recordings, and which recordings it has still to hear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lifeecho_server.interview.situation import Hearing, Speaker
from lifeecho_server.store import quota, summary
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import NotFound
from lifeecho_server.store.turns import SILENT
from lifeecho_server.store.values import micros

if TYPE_CHECKING:  # numpy comes with it, and the command line starts without
    from lifeecho_server.engines.transcriber import Transcript


@dataclass(frozen=True, slots=True)
class WaitingRecognition:
    """A turn whose recording has not been recognised. ``path`` is relative to the recordings."""

    turn_id: str
    conversation_id: str
    narrator_id: str
    user_id: str | None
    speaker: Speaker
    recording_id: str
    path: str
    format: str
    sample_rate: int | None


@dataclass(frozen=True, slots=True)
class StoredTranscript:
    """The revision a transcript was stored as (from 1), and how its turn was heard.

    ``hearing`` is ``None`` when nobody spoke: then there is no turn. ``appeared`` is True where
    there was none before, for an earlier transcript had been of silence.
    """

    revision: int
    hearing: Hearing | None
    appeared: bool = False


def waiting_recognitions(db: Connection, limit: int = 100) -> list[WaitingRecognition]:
    """Return turns whose recording waits for recognition, the longest waiting first."""
    rows = db.execute(
        "SELECT t.id, t.conversation_id, c.narrator_id, t.user_id, t.speaker, r.id, r.path,"
        " r.format, r.sample_rate FROM turns t JOIN conversations c ON c.id = t.conversation_id"
        " JOIN recordings r ON r.id = t.recording_id"
        " WHERE t.hearing = 'waiting' ORDER BY t.stored_at LIMIT ?",
        (limit,),
    )
    return [
        WaitingRecognition(id_, conversation, narrator, user, Speaker(speaker), *recording)
        for id_, conversation, narrator, user, speaker, *recording in rows
    ]


def waiting_recognition(db: Connection, turn_id: str) -> WaitingRecognition | None:
    """Return one turn that waits for recognition, if it does."""
    row = db.execute(
        "SELECT t.id, t.conversation_id, c.narrator_id, t.user_id, t.speaker, r.id, r.path,"
        " r.format, r.sample_rate FROM turns t JOIN conversations c ON c.id = t.conversation_id"
        " JOIN recordings r ON r.id = t.recording_id WHERE t.id = ? AND t.hearing = 'waiting'",
        (turn_id,),
    ).fetchone()
    if row is None:
        return None
    id_, conversation, narrator, user, speaker, *recording = row
    return WaitingRecognition(id_, conversation, narrator, user, Speaker(speaker), *recording)


def store_transcript(
    db: Connection, turn_id: str, transcript: Transcript, *, model: str, at: datetime
) -> StoredTranscript:
    """Store what was recognised as the turn's text, and count its audio, once, on the turn's day.

    A later transcript of the same turn replaces it with a higher revision. Raises NotFound when
    the turn was deleted meanwhile.
    """
    before = _heard_so_far(db, turn_id)
    revision = before.revision + 1
    hearing = _hearing(transcript)
    _replace(db, turn_id, transcript, revision, model, at)
    db.execute(
        "UPDATE turns SET text = ?, hearing = ?, language = ?, revision = ? WHERE id = ?",
        (transcript.text, hearing or SILENT, transcript.language, revision, turn_id),
    )
    summary.forget(db, turn_id)
    _count(db, before, is_turn=hearing is not None)
    _count_audio(db, before, transcript.duration)
    return StoredTranscript(revision, hearing, hearing is not None and not before.was_turn)


def mark_failed(db: Connection, turn_id: str) -> None:
    """Remember that recognition failed; the recording is kept, to be tried again."""
    db.execute(
        "UPDATE turns SET hearing = 'failed' WHERE id = ? AND hearing = 'waiting'", (turn_id,)
    )


def wait_again(db: Connection, turn_id: str) -> WaitingRecognition | None:
    """Let a recording whose recognition failed be recognised again; None when it had not."""
    changed = db.execute(
        "UPDATE turns SET hearing = 'waiting' WHERE id = ? AND hearing = 'failed'", (turn_id,)
    )
    return waiting_recognition(db, turn_id) if changed.rowcount else None


@dataclass(frozen=True, slots=True)
class _Heard:
    conversation_id: str
    user_id: str | None
    quota_day: str | None
    recording_id: str | None
    revision: int
    was_turn: bool
    duration_ms: int


def _heard_so_far(db: Connection, turn_id: str) -> _Heard:
    row = db.execute(
        "SELECT t.conversation_id, t.user_id, t.quota_day, t.recording_id, t.revision,"
        " t.hearing <> 'silent', coalesce(s.duration_ms, 0)"
        " FROM turns t LEFT JOIN transcripts s ON s.turn_id = t.id WHERE t.id = ?",
        (turn_id,),
    ).fetchone()
    if row is None:
        raise NotFound("the turn was deleted")
    conversation_id, user_id, day, recording_id, revision, was_turn, duration = row
    return _Heard(conversation_id, user_id, day, recording_id, revision, bool(was_turn), duration)


def _hearing(transcript: Transcript) -> Hearing | None:
    if not transcript.speech:
        return None
    return Hearing.UNSURE if transcript.unsure else Hearing.HEARD


def _replace(
    db: Connection,
    turn_id: str,
    transcript: Transcript,
    revision: int,
    model: str,
    at: datetime,
) -> None:
    db.execute("DELETE FROM transcripts WHERE turn_id = ?", (turn_id,))
    db.execute(
        "INSERT INTO transcripts (turn_id, revision, language, text, duration_ms, model, made_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            turn_id,
            revision,
            transcript.language,
            transcript.text,
            _milliseconds(transcript.duration),
            model,
            micros(at),
        ),
    )
    db.executemany(
        "INSERT INTO segments (turn_id, position, start_ms, end_ms, text, unsure)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (turn_id, i, _milliseconds(s.start), _milliseconds(s.end), s.text, s.unsure)
            for i, s in enumerate(transcript.segments)
        ],
    )


def _count(db: Connection, before: _Heard, *, is_turn: bool) -> None:
    """Keep the counts when a recording turns out to be no turn (nobody spoke), or one after all."""
    change = int(is_turn) - int(before.was_turn)
    if change == 0:
        return
    db.execute(
        "UPDATE conversations SET turn_count = turn_count + ?, last_message_at ="
        " (SELECT said_at FROM turns WHERE conversation_id = conversations.id"
        " AND hearing <> 'silent' ORDER BY said_at DESC, seq DESC LIMIT 1) WHERE id = ?",
        (change, before.conversation_id),
    )
    if before.user_id is not None and before.quota_day is not None:
        quota.charge(db, before.user_id, before.quota_day, turns=change)


def _count_audio(db: Connection, before: _Heard, duration: float) -> None:
    """Count audio that was not counted when an earlier revision of it was stored."""
    more = _milliseconds(duration) - before.duration_ms
    if more > 0 and before.user_id is not None and before.quota_day is not None:
        quota.charge(db, before.user_id, before.quota_day, audio_seconds=more / 1000)
    db.execute(
        "UPDATE recordings SET duration_ms = ? WHERE id = ?",
        (_milliseconds(duration), before.recording_id),
    )


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))
