"""The log of sign-ins, pairings, deletions and restores, and the list of what was removed.

Both hold ids only. The list of removals is what a restore applies again to an older backup.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lifeecho_server.store.database import Connection
from lifeecho_server.store.values import micros, moment


class Event(StrEnum):
    """What the log tells of."""

    SIGN_IN = "sign_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    PAIRING = "pairing"
    PAIRING_REFUSED = "pairing_refused"
    REVOCATION = "revocation"
    DELETION = "deletion"
    RESTORE = "restore"


class Removed(StrEnum):
    """What kind of thing was deleted, revoked (a device) or sealed (a turn)."""

    USER = "user"
    DEVICE = "device"
    NARRATOR = "narrator"
    CONVERSATION = "conversation"
    TURN = "turn"
    RECORDING = "recording"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. ``subject_id`` is what it happened to, where that is not the user."""

    at: datetime
    event: str
    user_id: str | None
    device_id: str | None
    subject_id: str | None


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that was deleted, revoked or sealed, and must stay so after a restore."""

    kind: Removed
    id: str
    at: datetime


def note(
    db: Connection,
    event: Event,
    at: datetime,
    *,
    user_id: str | None = None,
    device_id: str | None = None,
    subject_id: str | None = None,
) -> None:
    """Add a line to the log."""
    db.execute(
        "INSERT INTO audit (at, kind, user_id, device_id, subject_id) VALUES (?, ?, ?, ?, ?)",
        (micros(at), event, user_id, device_id, subject_id),
    )


def latest(db: Connection, limit: int = 100) -> list[Entry]:
    """Return the last lines of the log, newest first."""
    rows = db.execute(
        "SELECT at, kind, user_id, device_id, subject_id FROM audit ORDER BY seq DESC LIMIT ?",
        (limit,),
    )
    return [Entry(moment(at), *rest) for at, *rest in rows]


def record_removal(db: Connection, kind: Removed, id_: str, at: datetime) -> None:
    """Remember that something is gone for good, and log it. Doing so twice changes nothing."""
    added = db.execute(
        "INSERT INTO removals (kind, id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (kind, id_, micros(at)),
    )
    if added.rowcount:
        event = Event.REVOCATION if kind is Removed.DEVICE else Event.DELETION
        if kind is not Removed.SEALED:
            note(db, event, at, subject_id=id_)


def is_removed(db: Connection, kind: Removed, id_: str) -> bool:
    """Whether something was deleted, revoked or sealed."""
    row = db.execute("SELECT 1 FROM removals WHERE kind = ? AND id = ?", (kind, id_)).fetchone()
    return row is not None


def removals_since(db: Connection, since: datetime) -> list[Removal]:
    """Return what was removed at or after a moment, oldest first."""
    rows = db.execute(
        "SELECT kind, id, at FROM removals WHERE at >= ? ORDER BY at", (micros(since),)
    )
    return [Removal(Removed(kind), id_, moment(at)) for kind, id_, at in rows]
