"""What the interviewer remembers of a narrator: stage, slots and evidence, what was asked."""

import json
from datetime import datetime

from lifeecho_server.interview.decision import Changes
from lifeecho_server.interview.situation import Asked, Coverage, InterviewState, SlotState
from lifeecho_server.store import conversations, narrators
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
    row = db.execute("SELECT stage FROM narrators WHERE id = ?", (narrator_id,)).fetchone()
    if row is None:
        raise NotFound("there is no such narrator")
    return InterviewState(row[0], _slots(db, narrator_id), _asked(db, narrator_id))


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
        _decline(db, narrator_id, slot)
    db.executemany(
        "INSERT INTO asked (narrator_id, question, slot, asked_at) VALUES (?, ?, ?, ?)",
        [(narrator_id, question, slot, micros(at)) for question, slot in changes.asked],
    )
    _seal(db, conversation_id, changes.seal)
    if changes.slower:
        _slow_down(db, narrator_id, usual_rate)
    if changes.stage is not None:
        db.execute("UPDATE narrators SET stage = ? WHERE id = ?", (changes.stage, narrator_id))
        conversations.set_stage(db, conversation_id, changes.stage)


def _slots(db: Connection, narrator_id: str) -> dict[str, SlotState]:
    rows = db.execute(
        "SELECT slot, coverage, declined, (SELECT json_group_array(turn_id) FROM"
        " (SELECT turn_id FROM slot_evidence e WHERE e.narrator_id = s.narrator_id"
        " AND e.slot = s.slot ORDER BY e.seq DESC LIMIT ?))"
        " FROM slots s WHERE narrator_id = ?",
        (EVIDENCE_SHOWN, narrator_id),
    )
    return {
        slot: SlotState(Coverage(coverage), tuple(reversed(json.loads(turns))), bool(declined))
        for slot, coverage, declined, turns in rows
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


def _seal(db: Connection, conversation_id: str, turn_ids: tuple[str, ...]) -> None:
    """Seal turns: they stay in the history for the person alone, and are evidence of nothing."""
    for turn_id in turn_ids:
        db.execute(
            "UPDATE turns SET sealed = 1 WHERE id = ? AND conversation_id = ?"
            " AND speaker <> 'interviewer'",
            (turn_id, conversation_id),
        )
        db.execute("DELETE FROM slot_evidence WHERE turn_id = ?", (turn_id,))


def _slow_down(db: Connection, narrator_id: str, usual_rate: int) -> None:
    """Let the interviewer speak a step slower to this narrator, within what sounds natural."""
    db.execute(
        "UPDATE narrators SET speaking_rate = max(?, coalesce(speaking_rate, ?) - ?) WHERE id = ?",
        (SLOWEST_RATE, usual_rate, RATE_STEP, narrator_id),
    )


def _decline(db: Connection, narrator_id: str, slot: str) -> None:
    db.execute(
        "INSERT INTO slots (narrator_id, slot, declined) VALUES (?, ?, 1)"
        " ON CONFLICT DO UPDATE SET declined = 1",
        (narrator_id, slot),
    )
