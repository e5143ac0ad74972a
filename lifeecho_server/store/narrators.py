"""Narrators: the people whose stories are kept, and what is known of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lifeecho_server.interview.situation import PROFILE_FIELDS, Profile
from lifeecho_server.store import audit
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import Ambiguous, NotFound
from lifeecho_server.store.values import micros, moment


class Status(StrEnum):
    """Whether a narrator lives; after their death nothing is asked any more."""

    LIVING = "living"
    DIED = "died"


@dataclass(frozen=True, slots=True)
class Narrator:
    """Someone who tells. ``language`` is BCP 47; ``script`` ``hans``, ``hant`` or ``None``.

    ``pause`` is how long they pause within a thought, in seconds, where that is known.
    """

    id: str
    name: str
    language: str
    script: str | None
    status: Status
    profile: Profile
    pause: float | None
    created_at: datetime


_COLUMNS = (
    "n.id, n.name, n.language, n.script, n.status, n.pause_ms, n.created_at,"
    " n.nickname, n.birth_year, n.birth_place, n.grew_up_place, n.occupation,"
    " (SELECT group_concat(field) FROM profile_refusals WHERE narrator_id = n.id)"
)


def add_narrator(
    db: Connection,
    *,
    narrator_id: str,
    name: str,
    language: str,
    at: datetime,
    script: str | None = None,
    profile: Profile | None = None,
) -> Narrator:
    """Add a narrator and return them. ``profile`` holds what is known already."""
    known = profile or Profile()
    db.execute(
        "INSERT INTO narrators (id, name, language, script, created_at, nickname, birth_year,"
        " birth_place, grew_up_place, occupation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            narrator_id,
            name,
            language,
            script,
            micros(at),
            *(getattr(known, field) for field in PROFILE_FIELDS),
        ),
    )
    refuse_fields(db, narrator_id, known.refused)
    return Narrator(narrator_id, name, language, script, Status.LIVING, known, None, at)


def narrator(db: Connection, narrator_id: str) -> Narrator | None:
    """Return a narrator by id."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM narrators n WHERE n.id = ?", (narrator_id,)
    ).fetchone()
    return None if row is None else _narrator(row)


def narrators(db: Connection) -> list[Narrator]:
    """Return all narrators in the order in which they came."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM narrators n ORDER BY n.created_at, n.id")
    return [_narrator(row) for row in rows]


def narrators_to_talk_for(db: Connection, user_id: str) -> list[Narrator]:
    """Return the narrators whose conversations a user may talk in, in the order they came."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM access a JOIN narrators n ON n.id = a.narrator_id"
        " WHERE a.user_id = ? AND a.level IN ('talk', 'manage') ORDER BY n.created_at, n.id",
        (user_id,),
    )
    return [_narrator(row) for row in rows]


def speaking_rate(db: Connection, narrator_id: str) -> int | None:
    """Return the words a minute at which a narrator is spoken to, if they have a wish."""
    row = db.execute("SELECT speaking_rate FROM narrators WHERE id = ?", (narrator_id,)).fetchone()
    return None if row is None else row[0]


def find_narrator(db: Connection, id_or_name: str) -> Narrator:
    """Return the narrator with that id, else the only one with that name.

    Raises NotFound; Ambiguous when several have the name.
    """
    by_id = narrator(db, id_or_name)
    if by_id is not None:
        return by_id
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM narrators n WHERE n.name = ?", (id_or_name,)
    ).fetchall()
    if not rows:
        raise NotFound(f"there is no narrator {id_or_name!r}; see `lifeecho narrator list`")
    if len(rows) > 1:
        raise Ambiguous(f"{len(rows)} narrators are called {id_or_name!r}; give the id instead")
    return _narrator(rows[0])


def update_profile(db: Connection, narrator_id: str, fields: Mapping[str, str | int]) -> None:
    """Set fields of a profile, named as in Profile. Raises KeyError for another name."""
    for field, value in fields.items():
        if field not in PROFILE_FIELDS:
            raise KeyError(field)
        db.execute(f"UPDATE narrators SET {field} = ? WHERE id = ?", (value, narrator_id))


def refuse_fields(db: Connection, narrator_id: str, fields: frozenset[str]) -> None:
    """Remember which fields of the profile the narrator would rather not tell."""
    db.executemany(
        "INSERT INTO profile_refusals (narrator_id, field) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(narrator_id, field) for field in sorted(fields)],
    )


def set_status(db: Connection, narrator_id: str, status: Status) -> None:
    """Say that a narrator lives, or has died. Raises NotFound."""
    changed = db.execute("UPDATE narrators SET status = ? WHERE id = ?", (status, narrator_id))
    if changed.rowcount == 0:
        raise NotFound(f"there is no narrator {narrator_id!r}")


def delete_narrator(db: Connection, narrator_id: str, at: datetime) -> list[str]:
    """Delete a narrator and everything told; return the paths of recordings to delete.

    The paths are relative to the folder of recordings. Empty the write-ahead log too once the
    transaction is committed. Raises NotFound.
    """
    if narrator(db, narrator_id) is None:
        raise NotFound(f"there is no narrator {narrator_id!r}")
    paths = db.execute(
        "SELECT r.path FROM conversations c JOIN recordings r ON r.conversation_id = c.id"
        " WHERE c.narrator_id = ?",
        (narrator_id,),
    ).fetchall()
    conversations = db.execute("SELECT id FROM conversations WHERE narrator_id = ?", (narrator_id,))
    for (conversation_id,) in conversations.fetchall():
        audit.record_removal(db, audit.Removed.CONVERSATION, conversation_id, at)
    db.execute("DELETE FROM narrators WHERE id = ?", (narrator_id,))
    audit.record_removal(db, audit.Removed.NARRATOR, narrator_id, at)
    return [path for (path,) in paths]


_Row = tuple[
    str, str, str, str | None, str, int | None, int,
    str | None, int | None, str | None, str | None, str | None, str | None,
]  # fmt: skip


def _narrator(row: _Row) -> Narrator:
    id_, name, language, script, status, pause_ms, created_at = row[:7]
    nickname, birth_year, birth_place, grew_up_place, occupation, refused = row[7:]
    fields = frozenset(refused.split(",") if refused else ())
    return Narrator(
        id_,
        name,
        language,
        script,
        Status(status),
        Profile(nickname, birth_year, birth_place, grew_up_place, occupation, fields),
        None if pause_ms is None else pause_ms / 1000,
        moment(created_at),
    )


def hotwords(db: Connection, narrator_id: str, limit: int = 40) -> tuple[str, ...]:
    """Return the names that recognition should expect: those a person has set right."""
    rows = db.execute(
        "SELECT name FROM people_places WHERE narrator_id = ? AND corrected = 1"
        " ORDER BY name LIMIT ?",
        (narrator_id, limit),
    )
    return tuple(name for (name,) in rows)
