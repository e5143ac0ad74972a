import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import sqlite_utils

import lifeecho_server
from lifeecho_server.interview.situation import Fact, FactKind
from lifeecho_server.store import people
from lifeecho_server.store.database import Database, open_reader
from lifeecho_server.store.errors import DatabaseTooNew, DataInUse, StoreFailed
from lifeecho_server.store.lock import DataLock
from lifeecho_server.store.memory import interview_state
from lifeecho_server.store.migrations import STEPS
from lifeecho_server.store.summary import remembered, summarise
from tests.store.household import NOON, new_turn, settle_in, take

ROOT = Path(lifeecho_server.__file__).parents[1]
LATER = (*STEPS, ("0002_later", ("CREATE TABLE later (id TEXT PRIMARY KEY) STRICT",)))
BROKEN = (*STEPS, ("0002_broken", ("CREATE TABLE half (id TEXT)", "CREATE TABLE (")))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def users(path: Path) -> list[str]:
    with Database.open(path) as database:
        return [name for (name,) in database.connection.execute("SELECT id FROM users ORDER BY id")]


def test_everything_in_the_folder_is_private(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    with Database.open(path) as database, database.transaction() as db:
        settle_in(db)
        assert mode(path.parent) == 0o700
        assert {file.name: mode(file) for file in path.parent.iterdir()} == {
            "lifeecho.db": 0o600,
            "lifeecho.db-wal": 0o600,
            "lifeecho.db-shm": 0o600,
        }


def test_the_writer_is_set_to_keep_and_to_forget(database: Database) -> None:
    pragmas = {
        name: database.connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
    }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
    }


def test_every_reference_has_an_index(database: Database) -> None:
    """Deleting is real, and quick: nothing is searched for row by row but a user's turns."""
    tables = sqlite_utils.Database(database.connection)
    unindexed = set()
    for table in tables.tables:
        found = [tuple(index.columns) for index in table.indexes] + [tuple(table.pks)]
        for key in table.foreign_keys:
            columns = tuple(key.columns) if hasattr(key, "columns") else (key.column,)
            if not any(index[: len(columns)] == columns for index in found):
                unindexed.add((table.name, *columns))
    assert unindexed == {("turns", "user_id")}


def test_opening_twice_changes_nothing(path: Path) -> None:
    with Database.open(path) as database, database.transaction() as db:
        settle_in(db)
    assert users(path) == ["daughter", "elder"]
    assert [file.name for file in path.parent.iterdir()] == ["lifeecho.db"]


def test_a_newer_database_is_refused_untouched(path: Path) -> None:
    Database.open(path, steps=LATER).close()
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNew, match="newer version of this program"):
        Database.open(path)
    assert path.read_bytes() == before


def test_an_older_database_is_migrated_after_a_snapshot(path: Path) -> None:
    with Database.open(path) as database, database.transaction() as db:
        settle_in(db)
    with Database.open(path, steps=LATER) as database:
        assert database.connection.execute("SELECT count(*) FROM later").fetchone() == (0,)
        assert database.connection.execute("SELECT count(*) FROM users").fetchone() == (2,)
    snapshot = path.with_name("lifeecho.db.before-0002_later")
    assert mode(snapshot) == 0o600
    assert users(snapshot) == ["daughter", "elder"]


def test_what_an_older_version_kept_is_kept(path: Path) -> None:
    """Everything that version 0.1.0 stored is there after the later steps, and goes on working."""
    with Database.open(path, steps=STEPS[:1]) as database, database.transaction() as db:
        settle_in(db)
        take(db, new_turn("a", "words"))
        db.execute("INSERT INTO slots (narrator_id, slot, declined) VALUES ('narrator', 's', 1)")
        db.execute("UPDATE narrators SET summary = 'an old summary', stage = 'school'")
    with Database.open(path) as database, database.transaction() as db:
        state = interview_state(db, "narrator")
        assert (state.stage, state.slots["s"].declined) == ("school", True)
        summarise(db, "narrator", lambda words: (Fact(FactKind.PERSON, words, words),))
        assert [fact.words for fact in remembered(db, "narrator")] == ["words"]


def test_a_migration_that_fails_leaves_the_older_database(path: Path) -> None:
    with Database.open(path) as database, database.transaction() as db:
        settle_in(db)
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError):
            Database.open(path, steps=BROKEN)
    assert users(path) == ["daughter", "elder"]
    with Database.open(path) as database:
        tables = sqlite_utils.Database(database.connection).table_names()
    assert "half" not in tables


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"a letter, not a database" * 100)
    with pytest.raises(StoreFailed, match="not a database"):
        Database.open(path)


def test_a_transaction_keeps_all_or_nothing(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as db:
        list(map(settle_in, [db, db]))  # the same people cannot come twice
    assert database.connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
    with database.transaction() as db:
        settle_in(db)
    assert database.connection.execute("SELECT count(*) FROM users").fetchone() == (2,)


def test_a_database_held_by_another_is_told_plainly(path: Path, database: Database) -> None:
    with (
        Database.open(path, busy_seconds=0.0) as other,
        database.transaction(),
        pytest.raises(StoreFailed, match="another program"),
        other.transaction(),
    ):
        raise AssertionError("two transactions wrote at once")


def test_a_reader_cannot_write(path: Path, database: Database) -> None:
    reader = open_reader(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("INSERT INTO audit (at, kind) VALUES (1, 'x')")
    reader.close()
    assert database.connection.execute("SELECT count(*) FROM audit").fetchone() == (0,)


def test_a_read_only_disk_is_told_plainly(database: Database) -> None:
    database.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreFailed, match="cannot be written"), database.transaction() as db:
        settle_in(db)


def test_a_folder_that_cannot_be_made_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(StoreFailed, match=r"lifeecho\.db"):
        Database.open(tmp_path / "data" / "lifeecho.db")


def test_names_with_odd_characters_are_opened(tmp_path: Path) -> None:
    path = tmp_path / "100% 家?#1" / "lifeecho.db"
    Database.open(path).close()
    assert path.exists()


def test_a_full_disk_is_told_and_service_returns_with_space(database: Database) -> None:
    connection = database.connection
    with database.transaction() as db:
        settle_in(db)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    long = "x" * 1_000_000
    with pytest.raises(StoreFailed, match="disk is full"), database.transaction() as db:
        db.execute("UPDATE users SET name = ?", (long,))
    connection.execute("PRAGMA max_page_count = 1000000")
    with database.transaction() as db:
        db.execute("UPDATE users SET name = ?", (long,))
    assert connection.execute("SELECT max(length(name)) FROM users").fetchone() == (1_000_000,)


def test_a_second_server_is_kept_out_and_told_by_whom(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with DataLock(folder):
        assert mode(folder / ".lock") == 0o600
        (pid,) = re.findall(r"\d+", (folder / ".lock").read_text())
        with pytest.raises(DataInUse, match=f"process {pid}"), DataLock(folder):
            raise AssertionError("two held the folder")
    with DataLock(folder):
        assert (folder / ".lock").exists()


def test_moments_survive_to_the_microsecond(db: sqlite3.Connection) -> None:
    moment = NOON.replace(microsecond=123_457)
    people.add_device(db, device_id="d", user_id="elder", name="tablet", at=moment)
    assert [device.created_at for device in people.devices(db, "elder")] == [moment]


def test_processes_that_make_the_database_at_once_all_succeed(path: Path) -> None:
    names = ["aunt", "cousin", "uncle"]
    add = [sys.executable, "-m", "tests.store.other_process", "add", str(path)]
    running = [subprocess.Popen([*add, name], cwd=ROOT) for name in names]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert users(path) == names
