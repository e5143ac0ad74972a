"""The rolling summary of a narrator: facts, each resting on the turn that tells it."""

from collections.abc import Callable

from lifeecho_server.interview.situation import Fact, FactKind
from lifeecho_server.store.database import Connection

FACTS_SHOWN = 40
"""How many of the latest facts of each kind are read, so that the cost does not grow."""

TURNS_AT_ONCE = 20
"""How many turns are taken into the summary with one reply; older ones follow with the next."""

FactsOf = Callable[[str], tuple[Fact, ...]]


def summarise(db: Connection, narrator_id: str, facts_of: FactsOf) -> None:
    """Take a narrator's new turns into their summary; none that is sealed, a few at a time."""
    rows = db.execute(
        "SELECT t.id, t.text FROM conversations c JOIN turns t ON t.conversation_id = c.id"
        " WHERE c.narrator_id = ? AND t.summarised = 0 AND t.speaker = 'narrator'"
        " AND t.sealed = 0 AND t.hearing IN ('typed', 'heard') AND t.text <> '' LIMIT ?",
        (narrator_id, TURNS_AT_ONCE),
    ).fetchall()
    for turn_id, text in rows:
        db.executemany(
            "INSERT INTO facts (narrator_id, turn_id, kind, name, words) VALUES (?, ?, ?, ?, ?)",
            [(narrator_id, turn_id, one.kind, one.name, one.words) for one in facts_of(text)],
        )
        db.execute("UPDATE turns SET summarised = 1 WHERE id = ?", (turn_id,))


def forget(db: Connection, turn_id: str) -> None:
    """Take a turn out of the summary: its words have changed, or are sealed."""
    db.execute("DELETE FROM facts WHERE turn_id = ?", (turn_id,))
    db.execute("UPDATE turns SET summarised = 0 WHERE id = ?", (turn_id,))


def remembered(
    db: Connection, narrator_id: str, shown: frozenset[str] = frozenset()
) -> tuple[Fact, ...]:
    """Return a narrator's latest facts, oldest first, without those of the turns ``shown``."""
    facts: list[Fact] = []
    for kind in FactKind:
        rows = db.execute(
            "SELECT turn_id, name, words FROM facts WHERE narrator_id = ? AND kind = ?"
            " ORDER BY seq DESC LIMIT ?",
            (narrator_id, kind, FACTS_SHOWN),
        ).fetchall()
        told = [Fact(kind, name, words) for turn, name, words in rows if turn not in shown]
        facts += reversed(told)
    return tuple(facts)
