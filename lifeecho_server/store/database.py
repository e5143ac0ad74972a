"""The database file: opening, migrating, transactions, snapshots. Synchronous, one connection."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import sqlite_utils

from lifeecho_server.store.errors import DatabaseTooNew, file_failure, telling
from lifeecho_server.store.migrations import STEPS, Steps, migrations

Connection = sqlite3.Connection

FILE_NAME = "lifeecho.db"
BUSY_SECONDS = 5.0
"""How long a transaction waits for another process that is writing."""
LOG_BYTES = 16 * 1024 * 1024
"""What the write-ahead log is cut back to after a checkpoint."""


class Database:
    """A connection that may write. Not for use by two threads at once.

    ``connection`` is in autocommit mode: whoever writes uses ``transaction``, or begins and
    commits itself.
    """

    def __init__(self, connection: Connection, path: Path) -> None:
        self.connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path, *, busy_seconds: float = BUSY_SECONDS, steps: Steps = STEPS) -> Self:
        """Open the database, making it (0600, in a 0700 folder) or migrating it as needed.

        An older database is copied beside itself before it is migrated. Raises DatabaseTooNew
        when it knows migrations that this code does not, StoreFailed when the disk will not.
        """
        _make_private(path)
        with telling():
            connection = _connect(f"file:{_quoted(path)}?mode=rw", busy_seconds)
        database = cls(connection, path)
        try:
            with telling():
                _prepare(connection)
                database._migrate(steps)
        except BaseException:
            connection.close()
            raise
        return database

    def close(self) -> None:
        """Close the connection; the last one to close folds the write-ahead log in."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give the connection inside one transaction: all of it is kept, or nothing.

        Waits up to ``busy_seconds`` for another process's transaction. Raises StoreFailed.
        """
        with telling():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def snapshot(self, target: Path) -> None:
        """Write a whole, consistent copy (0600) to a path, replacing what is there."""
        unfinished = target.with_name(target.name + ".part")
        unfinished.unlink(missing_ok=True)
        with telling():
            self.connection.execute("VACUUM INTO ?", (str(unfinished),))
        _make_durable(unfinished, target)

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong with the database; empty when it is whole."""
        with telling():
            found = [row[0] for row in self.connection.execute("PRAGMA integrity_check(10)")]
        return [] if found == ["ok"] else found

    def truncate_log(self) -> bool:
        """Fold the write-ahead log into the database and empty it; deleted text leaves it so.

        False when a reader was in the way; try again later.
        """
        return truncate_log(self.connection)

    def _migrate(self, steps: Steps) -> None:
        tables = sqlite_utils.Database(self.connection)
        ordered = migrations(steps)
        applied = {step.name for step in ordered.applied(tables)}
        known = {name for name, _ in steps}
        if not applied <= known:
            raise DatabaseTooNew(
                f"the database {self.path} was made by a newer version of this program; "
                "install that version, or restore an older backup"
            )
        if applied == known:
            return
        if applied:
            first = ordered.pending(tables)[0].name
            self.snapshot(self.path.with_name(f"{self.path.name}.before-{first}"))
        with self.transaction():
            ordered.apply(tables)


def open_reader(path: Path) -> Connection:
    """Open a connection that cannot write, to a database that ``Database.open`` has opened."""
    with telling():
        connection = _connect(f"file:{_quoted(path)}?mode=ro", BUSY_SECONDS)
        connection.execute("PRAGMA query_only = ON")
    return connection


def truncate_log(connection: Connection) -> bool:
    """Fold the write-ahead log into the database and empty it; False when a reader is in it."""
    with telling():
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def data_version(connection: Connection) -> int:
    """Return a number that changes when, and only when, another connection has committed."""
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return int(version)


def _connect(uri: str, busy_seconds: float) -> Connection:
    return sqlite3.connect(
        uri,
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def _prepare(connection: Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        # Never open and close a file that SQLite may have open here: that drops its locks.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise file_failure(error, path) from error


def _make_durable(unfinished: Path, target: Path) -> None:
    try:
        unfinished.chmod(0o600)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise file_failure(error, target) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
