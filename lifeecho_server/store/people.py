"""Users, their devices, and whose stories they may read, talk for or manage."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lifeecho_server.store import audit
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import Ambiguous, NotFound
from lifeecho_server.store.values import micros, moment, moment_or_none


class Role(StrEnum):
    """What a user is in the household."""

    OWNER = "owner"
    FAMILY = "family"
    ELDER = "elder"


class Level(StrEnum):
    """What a user may do with a narrator's story: each level holds those before it."""

    READ = "read"
    TALK = "talk"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class User:
    """Someone who signs in. ``plan`` names a plan of the settings."""

    id: str
    name: str
    language: str
    role: Role
    plan: str
    disabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Device:
    """A phone or browser that a user has signed in from."""

    id: str
    user_id: str
    name: str
    created_at: datetime
    last_seen_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Access:
    """What one user may do with one narrator's story."""

    user_id: str
    narrator_id: str
    level: Level


FAMILY_NAMED = 3
"""How many of the family are named where someone should be called."""

_USER = "u.id, u.name, u.language, u.role, u.plan, u.disabled, u.created_at"


def add_user(
    db: Connection,
    *,
    user_id: str,
    name: str,
    role: Role,
    language: str,
    at: datetime,
    plan: str = "unlimited",
) -> User:
    """Add a user and return them."""
    db.execute(
        "INSERT INTO users (id, name, language, role, plan, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (user_id, name, language, role, plan, micros(at)),
    )
    return User(user_id, name, language, role, plan, False, at)


def user(db: Connection, user_id: str) -> User | None:
    """Return a user by id, also a disabled one."""
    row = db.execute(f"SELECT {_USER} FROM users u WHERE u.id = ?", (user_id,)).fetchone()
    return None if row is None else _user(row)


def users(db: Connection) -> list[User]:
    """Return all users in the order in which they came."""
    rows = db.execute(f"SELECT {_USER} FROM users u ORDER BY u.created_at, u.id")
    return [_user(row) for row in rows]


def find_user(db: Connection, id_or_name: str) -> User:
    """Return the user with that id, else the only one with that name.

    Raises NotFound; Ambiguous when several have the name.
    """
    by_id = user(db, id_or_name)
    if by_id is not None:
        return by_id
    rows = db.execute(f"SELECT {_USER} FROM users u WHERE u.name = ?", (id_or_name,)).fetchall()
    if not rows:
        raise NotFound(f"there is no user {id_or_name!r}; see `lifeecho user list`")
    if len(rows) > 1:
        raise Ambiguous(f"{len(rows)} users are called {id_or_name!r}; give the id instead")
    return _user(rows[0])


def disable_user(db: Connection, user_id: str, *, disabled: bool = True) -> None:
    """Keep a user out, or let them in again. Raises NotFound."""
    changed = db.execute("UPDATE users SET disabled = ? WHERE id = ?", (disabled, user_id))
    _must_exist(changed.rowcount, user_id)


def delete_user(db: Connection, user_id: str, at: datetime) -> None:
    """Delete a user, their devices, access and use; what was told stays. Raises NotFound."""
    changed = db.execute("DELETE FROM users WHERE id = ?", (user_id,))
    _must_exist(changed.rowcount, user_id)
    audit.record_removal(db, audit.Removed.USER, user_id, at)


def add_device(db: Connection, *, device_id: str, user_id: str, name: str, at: datetime) -> Device:
    """Add a device that a user signs in from."""
    db.execute(
        "INSERT INTO devices (id, user_id, name, created_at) VALUES (?, ?, ?, ?)",
        (device_id, user_id, name, micros(at)),
    )
    return Device(device_id, user_id, name, at, None, None)


def devices(db: Connection, user_id: str) -> list[Device]:
    """Return a user's devices, revoked ones too, oldest first."""
    rows = db.execute(
        "SELECT id, user_id, name, created_at, last_seen_at, revoked_at FROM devices"
        " WHERE user_id = ? ORDER BY created_at, id",
        (user_id,),
    )
    return [
        Device(id_, owner, name, moment(made), moment_or_none(seen), moment_or_none(revoked))
        for id_, owner, name, made, seen, revoked in rows
    ]


def revoke_device(db: Connection, device_id: str, at: datetime) -> None:
    """Sign a device out for good. Revoking it again changes nothing. Raises NotFound."""
    changed = db.execute(
        "UPDATE devices SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?",
        (micros(at), device_id),
    )
    _must_exist(changed.rowcount, device_id)
    audit.record_removal(db, audit.Removed.DEVICE, device_id, at)


def signed_in(db: Connection, user_id: str, device_id: str | None) -> User | None:
    """Return the user a token names; ``None`` when gone, disabled, or its device is revoked.

    A token of the command line names no device.
    """
    row = db.execute(
        f"SELECT {_USER} FROM users u WHERE u.id = ?1 AND u.disabled = 0 AND (?2 IS NULL OR EXISTS"
        " (SELECT 1 FROM devices WHERE id = ?2 AND user_id = ?1 AND revoked_at IS NULL))",
        (user_id, device_id),
    ).fetchone()
    return None if row is None else _user(row)


def set_access(db: Connection, user_id: str, narrator_id: str, level: Level | None) -> None:
    """Give a user a level of access to a narrator's story; ``None`` takes it away."""
    if level is None:
        db.execute(
            "DELETE FROM access WHERE user_id = ? AND narrator_id = ?", (user_id, narrator_id)
        )
        return
    db.execute(
        "INSERT INTO access (user_id, narrator_id, level) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET level = excluded.level",
        (user_id, narrator_id, level),
    )


def access(db: Connection, user_id: str) -> list[Access]:
    """Return whose stories a user has access to."""
    rows = db.execute("SELECT narrator_id, level FROM access WHERE user_id = ?", (user_id,))
    return [Access(user_id, narrator_id, Level(level)) for narrator_id, level in rows]


def access_to(db: Connection, narrator_id: str) -> list[Access]:
    """Return who has access to a narrator's story."""
    rows = db.execute("SELECT user_id, level FROM access WHERE narrator_id = ?", (narrator_id,))
    return [Access(user_id, narrator_id, Level(level)) for user_id, level in rows]


def family_of(db: Connection, narrator_id: str) -> tuple[str, ...]:
    """Return the names of a few people who may read a narrator's story, no elders among them."""
    rows = db.execute(
        "SELECT u.name FROM access a JOIN users u ON u.id = a.user_id WHERE a.narrator_id = ?"
        " AND u.disabled = 0 AND u.role <> 'elder'"
        " ORDER BY a.level = 'manage' DESC, u.created_at LIMIT ?",
        (narrator_id, FAMILY_NAMED),
    )
    return tuple(name for (name,) in rows)


def level(db: Connection, user_id: str, narrator_id: str) -> Level | None:
    """Return a user's level of access to a narrator's story."""
    row = db.execute(
        "SELECT level FROM access WHERE user_id = ? AND narrator_id = ?", (user_id, narrator_id)
    ).fetchone()
    return None if row is None else Level(row[0])


def may_read(db: Connection, user_id: str, narrator_id: str) -> bool:
    """Whether a user may read what a narrator shares."""
    return level(db, user_id, narrator_id) is not None


def may_talk(db: Connection, user_id: str, narrator_id: str) -> bool:
    """Whether a user may talk in a narrator's conversations."""
    return level(db, user_id, narrator_id) in (Level.TALK, Level.MANAGE)


def may_manage(db: Connection, user_id: str, narrator_id: str) -> bool:
    """Whether a user may change, share and delete a narrator's story."""
    return level(db, user_id, narrator_id) is Level.MANAGE


def _user(row: tuple[str, str, str, str, str, int, int]) -> User:
    id_, name, language, role, plan, disabled, created_at = row
    return User(id_, name, language, Role(role), plan, bool(disabled), moment(created_at))


def _must_exist(count: int, id_: str) -> None:
    if count == 0:
        raise NotFound(f"there is no user or device {id_!r}")
