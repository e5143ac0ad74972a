"""What can go wrong in the store, each told in one plain sentence."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from lifeecho_server.errors import LifeEchoError


class StoreFailed(LifeEchoError):
    """Nothing was stored, or nothing could be read: disk full, read-only, locked, damaged."""


class StoreBusy(StoreFailed):
    """Too many writes are waiting; nothing was stored."""


class StoreClosed(StoreFailed):
    """The store is not running (yet, or any more); nothing was stored."""


class DatabaseTooNew(LifeEchoError):
    """The database was made by a newer version of this program."""


class DataInUse(LifeEchoError):
    """Another server or a restore works on the same data folder."""


class NotFound(LifeEchoError):
    """There is no such user, narrator, conversation, turn or recording."""


class Ambiguous(LifeEchoError):
    """Several people have that name."""


class ConversationEnded(LifeEchoError):
    """The conversation has ended; it can be read, not continued."""


class ConversationDeleted(LifeEchoError):
    """The conversation was deleted."""


class QuotaExceeded(LifeEchoError):
    """The plan is used up until ``resets_at`` (aware, UTC)."""

    def __init__(self, resets_at: datetime) -> None:
        super().__init__("the plan's allowance is used up; try again later or change the plan")
        self.resets_at = resets_at


_SENTENCES = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and try again",
    sqlite3.SQLITE_READONLY: "the data folder cannot be written to; check its permissions",
    sqlite3.SQLITE_BUSY: "another program is holding the database; try again in a moment",
    sqlite3.SQLITE_LOCKED: "another program is holding the database; try again in a moment",
    sqlite3.SQLITE_IOERR: "the disk reported an error; check it, and that it is not full",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened; check the data folder",
    sqlite3.SQLITE_PERM: "the database may not be opened; check the data folder's permissions",
    sqlite3.SQLITE_AUTH: "the database may not be changed through this connection",
    sqlite3.SQLITE_NOMEM: "the machine is out of memory; close other programs and try again",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; restore the last backup",
    sqlite3.SQLITE_NOTADB: "the file is not a database of this program; restore the last backup",
}


def told(error: BaseException) -> BaseException:
    """Turn SQLite's report of the machine's troubles into StoreFailed; leave all else as it is.

    Faults of ours (a broken constraint, wrong SQL) stay what they are.
    """
    if not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorcode", None)
    sentence = None if code is None else _SENTENCES.get(code & 0xFF)
    if sentence is None:
        return error
    failure = StoreFailed(sentence)
    failure.__cause__ = error
    return failure


@contextmanager
def telling() -> Iterator[None]:
    """Raise SQLite's report of the machine's troubles as StoreFailed."""
    try:
        yield
    except sqlite3.Error as error:
        failure = told(error)
        if failure is error:
            raise
        raise failure from error


def file_failure(error: OSError, path: Path) -> StoreFailed:
    """Say in one sentence why a file of the data folder cannot be written or read."""
    reason = error.strerror or type(error).__name__
    return StoreFailed(f"{path.name} could not be kept on disk ({reason}); check disk and folder")
