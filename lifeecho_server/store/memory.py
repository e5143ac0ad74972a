"""What the interviewer remembers of a narrator: stage, slots and evidence, what was asked."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from lifeecho_server.interview.decision import Changes
from lifeecho_server.interview.situation import (
    Asked,
    Coverage,
    InterviewState,
    Leader,
    SlotState,
)
from lifeecho_server.store import audit, conversations, narrators, summary
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import NotFound
from lifeecho_server.store.values import micros, moment

EVIDENCE_SHOWN = 20
"""How many of a slot's latest turns are read as its evidence, so that the cost does not grow."""

USUAL_RATE = 130
SLOWEST_RATE = 90
RATE_STEP = 20
"""Words a minute at which the interviewer speaks, at least speaks, and by which it slows down."""


def interview_state(db: Connection, narrator_id: str) -> InterviewState:
    """Return what the memoir knows so far, with the latest evidence of each slot, oldest first.

    Raises NotFound.
    """
    row = db.execute("SELECT stage, leader FROM narrators WHERE id = ?", (narrator_id,)).fetchone()
    if row is None:
        raise NotFound("there is no such narrator")
    stage, leader = row
    return InterviewState(
        stage=stage,
        slots=_slots(db, narrator_id),
        asked=_asked(db, narrator_id),
        avoided=_avoided(db, narrator_id),
        leader=Leader(leader),
    )


def apply(
    db: Connection,
    narrator_id: str,
    conversation_id: str,
    changes: Changes,
    at: datetime,
    *,
    usual_rate: int = USUAL_RATE,
) -> None:
    """Apply what a decision changes. Evidence that was deleted meanwhile is left out.

    ``usual_rate`` is how fast the interviewer speaks to those who have no wish, in words a minute.
    Belongs in the transaction that begins the reply. Raises KeyError for an unknown field.
    """
    narrators.update_profile(db, narrator_id, changes.profile)
    narrators.refuse_fields(db, narrator_id, changes.refused)
    for slot, (coverage, turn_ids) in changes.coverage.items():
        _cover(db, narrator_id, slot, coverage, turn_ids)
    for slot in sorted(changes.declined):
        _mark(db, narrator_id, slot, "declined")
    for slot in sorted(changes.sensitive):
        _mark(db, narrator_id, slot, "sensitive")
    _take_up_again(db, narrator_id, changes)
    _avoid(db, narrator_id, changes.avoided)
    if changes.leader is not None:
        db.execute("UPDATE narrators SET leader = ? WHERE id = ?", (changes.leader, narrator_id))
    db.executemany(
        "INSERT INTO asked (narrator_id, question, slot, asked_at) VALUES (?, ?, ?, ?)",
        [(narrator_id, question, slot, micros(at)) for question, slot in changes.asked],
    )
    _seal(db, conversation_id, changes.seal, at)
    if changes.slower:
        _slow_down(db, narrator_id, usual_rate)
    if changes.stage is not None:
        db.execute("UPDATE narrators SET stage = ? WHERE id = ?", (changes.stage, narrator_id))
        conversations.set_stage(db, conversation_id, changes.stage)


def _slots(db: Connection, narrator_id: str) -> dict[str, SlotState]:
    rows = db.execute(
        "SELECT slot, coverage, declined, sensitive, (SELECT json_group_array(turn_id) FROM"
        " (SELECT turn_id FROM slot_evidence e WHERE e.narrator_id = s.narrator_id"
        " AND e.slot = s.slot ORDER BY e.seq DESC LIMIT ?))"
        " FROM slots s WHERE narrator_id = ?",
        (EVIDENCE_SHOWN, narrator_id),
    )
    return {
        slot: SlotState(
            Coverage(coverage), tuple(reversed(json.loads(turns))), bool(declined), bool(sensitive)
        )
        for slot, coverage, declined, sensitive, turns in rows
    }


def _asked(db: Connection, narrator_id: str) -> tuple[Asked, ...]:
    rows = db.execute(
        "SELECT question, slot, asked_at FROM asked WHERE narrator_id = ? ORDER BY seq",
        (narrator_id,),
    )
    return tuple(Asked(question, slot, moment(at)) for question, slot, at in rows)


def _cover(
    db: Connection, narrator_id: str, slot: str, coverage: Coverage, turn_ids: tuple[str, ...]
) -> None:
    db.execute(
        "INSERT INTO slots (narrator_id, slot, coverage) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET coverage = excluded.coverage",
        (narrator_id, slot, coverage),
    )
    db.executemany(
        "INSERT INTO slot_evidence (narrator_id, slot, turn_id)"
        " SELECT ?, ?, id FROM turns WHERE id = ? ON CONFLICT DO NOTHING",
        [(narrator_id, slot, turn_id) for turn_id in turn_ids],
    )


def _avoided(db: Connection, narrator_id: str) -> tuple[str, ...]:
    rows = db.execute(
        "SELECT topic FROM avoided_topics WHERE narrator_id = ? ORDER BY topic", (narrator_id,)
    )
    return tuple(topic for (topic,) in rows)


def _avoid(db: Connection, narrator_id: str, topics: Mapping[str, str]) -> None:
    db.executemany(
        "INSERT INTO avoided_topics (narrator_id, topic, turn_id)"
        " SELECT ?, ?, id FROM turns WHERE id = ? ON CONFLICT DO NOTHING",
        [(narrator_id, topic, turn_id) for topic, turn_id in topics.items()],
    )


def _take_up_again(db: Connection, narrator_id: str, changes: Changes) -> None:
    """Let go of refusals: the person has spoken of it again."""
    for slot in sorted(changes.reopened):
        db.execute(
            "UPDATE slots SET declined = 0 WHERE narrator_id = ? AND slot = ?", (narrator_id, slot)
        )
    db.executemany(
        "DELETE FROM avoided_topics WHERE narrator_id = ? AND topic = ?",
        [(narrator_id, topic) for topic in changes.lifted],
    )


def _seal(db: Connection, conversation_id: str, turn_ids: tuple[str, ...], at: datetime) -> None:
    """Seal turns: they stay in the history for the person alone, and are evidence of nothing.

    The replies that answered them may say their words back: they are sealed with them.
    """
    for turn_id in turn_ids:
        sealed = db.execute(
            "UPDATE turns SET sealed = 1 WHERE id = ? AND conversation_id = ?"
            " AND speaker <> 'interviewer' RETURNING answered_by",
            (turn_id, conversation_id),
        ).fetchone()
        if sealed is None:
            continue
        db.execute("DELETE FROM slot_evidence WHERE turn_id = ?", (turn_id,))
        db.execute("UPDATE turns SET sealed = 1 WHERE id = ?", sealed)
        summary.forget(db, turn_id)
        audit.record_removal(db, audit.Removed.SEALED, turn_id, at)


def _slow_down(db: Connection, narrator_id: str, usual_rate: int) -> None:
    """Let the interviewer speak a step slower to this narrator, within what sounds natural."""
    db.execute(
        "UPDATE narrators SET speaking_rate = max(?, coalesce(speaking_rate, ?) - ?) WHERE id = ?",
        (SLOWEST_RATE, usual_rate, RATE_STEP, narrator_id),
    )


def _mark(
    db: Connection, narrator_id: str, slot: str, mark: Literal["declined", "sensitive"]
) -> None:
    db.execute(
        f"INSERT INTO slots (narrator_id, slot, {mark}) VALUES (?, ?, 1)"
        f" ON CONFLICT DO UPDATE SET {mark} = 1",
        (narrator_id, slot),
    )
