"""Opening a conversation costs the same however much was told: every query goes by index."""

import re
from collections.abc import Callable

import pytest

from lifeecho_server.store import (
    audit,
    conversations,
    memory,
    narrators,
    people,
    quota,
    replies,
    summary,
    transcripts,
    turns,
    voice_sessions,
)
from lifeecho_server.store.database import Connection
from tests.store.household import NOON, TODAY, new_turn, recorded_turn, reply, take, transcript

QUERIES: dict[str, Callable[[Connection], object]] = {
    "signed_in": lambda db: people.signed_in(db, "elder", "phone"),
    "may_talk": lambda db: people.may_talk(db, "elder", "narrator"),
    "conversation": lambda db: conversations.conversation(db, "talk"),
    "conversations_of": lambda db: conversations.conversations_of(db, "narrator", 10),
    "narrator": lambda db: narrators.narrator(db, "narrator"),
    "history": lambda db: turns.history(db, "talk", 30),
    "said_before": lambda db: turns.said_before(db, "talk", 30, 200),
    "unanswered": lambda db: turns.unanswered(db, "talk"),
    "last_message_id": lambda db: turns.last_message_id(db, "talk"),
    "told_before": lambda db: turns.told_before(db, "narrator", "today", 10),
    "undelivered_reply": lambda db: replies.undelivered_reply(db, "talk"),
    "interview_state": lambda db: memory.interview_state(db, "narrator"),
    "remembered": lambda db: summary.remembered(db, "narrator"),
    "summarise": lambda db: summary.summarise(db, "narrator", lambda _: ()),
    "family_of": lambda db: people.family_of(db, "narrator"),
    "open_voice_sessions": lambda db: voice_sessions.open_voice_sessions(db, "talk"),
    "take_turn": lambda db: take(db, recorded_turn("new")),
    "find_duplicate": lambda db: turns.find_duplicate(db, "talk", "client"),
    "begin_reply": lambda db: reply(db, "new", answers=["a"]),
    "add_part": lambda db: replies.add_part(db, "r", "more", final=True),
    "mark_delivered": lambda db: replies.mark_delivered(db, "r", 1),
    "waiting_recognitions": transcripts.waiting_recognitions,
    "store_transcript": lambda db: transcripts.store_transcript(
        db, "b", transcript(speech=False), model="m", at=NOON
    ),
    "used": lambda db: quota.used(db, "elder", TODAY),
    "is_removed": lambda db: audit.is_removed(db, audit.Removed.TURN, "a"),
}
SCANS = r"SCAN (?!\(|json_each|CONSTANT|t USING INDEX turns_waiting)"
"""Reading all of a table; the index of what waits holds nothing else."""
SORTED_AFTERWARDS = {"open_voice_sessions", "family_of"}
"""Few rows, sorted after an index has found them."""


@pytest.mark.parametrize("name", QUERIES)
def test_goes_by_index_alone(db: Connection, name: str) -> None:
    take(db, new_turn("a"))
    take(db, recorded_turn("b"))
    reply(db, "r", answers=["a"])
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    QUERIES[name](db)
    db.set_trace_callback(None)
    steps = [step for statement in statements for step in plan(db, statement)]
    assert steps
    assert [step for step in steps if re.match(SCANS, step)] == []
    sorting = [step for step in steps if "TEMP B-TREE" in step]
    assert bool(sorting) == (name in SORTED_AFTERWARDS)


def plan(db: Connection, statement: str) -> list[str]:
    """Return the steps SQLite takes; triggers of foreign keys are traced as comments."""
    if statement.startswith("--"):
        return []
    return [detail for *_, detail in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
