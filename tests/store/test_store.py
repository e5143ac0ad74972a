import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
import trio.testing

import lifeecho_server
from lifeecho_server.store import audit, conversations, people, quota
from lifeecho_server.store.database import Connection, Database
from lifeecho_server.store.errors import NotFound, StoreBusy, StoreClosed, StoreFailed
from lifeecho_server.store.group_commit import commit_together
from lifeecho_server.store.store import Store
from tests.store.household import NOON, TODAY, new_turn, take

ROOT = Path(lifeecho_server.__file__).parents[1]
OTHER = [sys.executable, "-m", "tests.store.other_process"]


def note(kind: str) -> Callable[[Connection], str]:
    def job(db: Connection) -> str:
        db.execute("INSERT INTO audit (at, kind) VALUES (0, ?)", (kind,))
        return kind

    return job


def kinds(db: Connection) -> list[str]:
    return [kind for (kind,) in db.execute("SELECT kind FROM audit ORDER BY seq")]


class Gate:
    """A job that holds the writing thread until it is opened."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.opened = threading.Event()

    def __call__(self, db: Connection) -> str:
        self.begun.set()
        assert self.opened.wait(30)
        return note("gate")(db)

    async def until_begun(self) -> None:
        assert await trio.to_thread.run_sync(self.begun.wait, 30)


async def test_a_write_is_there_for_every_later_read(store: Store, path: Path) -> None:
    assert await store.write(note("a")) == "a"
    assert await store.read(kinds) == ["a"]
    with Database.open(path) as other:
        assert kinds(other.connection) == ["a"]


async def test_jobs_that_wait_together_share_one_commit(store: Store) -> None:
    statements: list[str] = []
    acknowledged_after: list[int] = []
    await store.write(lambda db: db.set_trace_callback(statements.append))

    async def write(kind: str) -> None:
        await store.write(note(kind))
        acknowledged_after.append(statements.count("COMMIT"))

    gate = Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, gate)
        await gate.until_begun()
        statements.clear()
        for number in range(20):
            nursery.start_soon(write, str(number))
        await trio.testing.wait_all_tasks_blocked()
        gate.opened.set()
    assert statements.count("BEGIN IMMEDIATE") == 1
    assert statements.count("COMMIT") == 2  # the gate's own, and one for all that waited
    assert acknowledged_after == [2] * 20
    assert len(await store.read(kinds)) == 21


async def test_a_job_that_fails_leaves_the_others_of_its_commit_alone(store: Store) -> None:
    outcomes: dict[str, object] = {}

    def refused(db: Connection) -> None:
        note("refused")(db)
        raise NotFound("no such thing")

    def faulty(db: Connection) -> None:
        note("faulty")(db)
        db.execute("INSERT INTO users (id) VALUES ('x')")

    async def write(name: str, job: Callable[[Connection], object]) -> None:
        try:
            outcomes[name] = await store.write(job)
        except (NotFound, sqlite3.IntegrityError) as error:
            outcomes[name] = type(error)

    gate = Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, gate)
        await gate.until_begun()
        for name, job in {
            "a": note("a"),
            "refused": refused,
            "b": note("b"),
            "faulty": faulty,
            "c": note("c"),
        }.items():
            nursery.start_soon(write, name, job)
        await trio.testing.wait_all_tasks_blocked()
        gate.opened.set()
    assert outcomes == {
        "a": "a",
        "refused": NotFound,
        "b": "b",
        "faulty": sqlite3.IntegrityError,
        "c": "c",
    }
    assert sorted(await store.read(kinds)) == ["a", "b", "c", "gate"]


def test_when_sqlite_undoes_the_whole_transaction_nothing_is_acknowledged(
    database: Database,
) -> None:
    def undoing(db: Connection) -> None:
        db.execute("INSERT INTO removals (kind, id, at) VALUES ('turn', 't', 0)")
        db.execute("INSERT OR ROLLBACK INTO removals (kind, id, at) VALUES ('turn', 't', 0)")

    results = commit_together(database.connection, [note("a"), undoing, note("b")])
    for result in results:
        with pytest.raises(StoreFailed):
            result.unwrap()
    assert kinds(database.connection) == []
    (again,) = commit_together(database.connection, [note("c")])
    assert again.unwrap() == "c"


def test_a_full_disk_fails_all_that_shared_the_commit(database: Database) -> None:
    (pages,) = database.connection.execute("PRAGMA page_count").fetchone()
    database.connection.execute(f"PRAGMA max_page_count = {pages}")
    results = commit_together(database.connection, [note("small"), note("x" * 1_000_000)])
    for result in results:
        with pytest.raises(StoreFailed, match="disk is full"):
            result.unwrap()
    assert kinds(database.connection) == []


def test_a_commit_that_the_disk_refuses_fails_every_job(path: Path, database: Database) -> None:
    with database.transaction() as db:
        note("before")(db)
    log_bytes = path.with_name("lifeecho.db-wal").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log_bytes, hard))
    try:
        results = commit_together(database.connection, [note("a"), note("b")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    for result in results:
        with pytest.raises(StoreFailed, match="disk"):
            result.unwrap()
    (again,) = commit_together(database.connection, [note("again")])
    assert again.unwrap() == "again"
    assert kinds(database.connection) == ["before", "again"]


async def test_a_write_cancelled_while_it_waits_is_withdrawn(store: Store) -> None:
    gate = Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, gate)
        await gate.until_begun()
        async with trio.open_nursery() as waiting:
            waiting.start_soon(store.write, note("withdrawn"))
            await trio.testing.wait_all_tasks_blocked()
            waiting.cancel_scope.cancel()
        gate.opened.set()
    assert await store.read(kinds) == ["gate"]


async def test_a_write_cancelled_after_it_began_is_done_all_the_same(store: Store) -> None:
    gate = Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, gate)
        await gate.until_begun()
        nursery.cancel_scope.cancel()
    gate.opened.set()
    await store.write(note("next"))
    assert await store.read(kinds) == ["gate", "next"]


async def test_too_many_waiting_writes_are_refused(store: Store) -> None:
    gate = Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, gate)
        await gate.until_begun()
        for number in range(64):
            nursery.start_soon(store.write, note(str(number)))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(StoreBusy):
            await store.write(note("too many"))
        gate.opened.set()
    assert len(await store.read(kinds)) == 65


async def test_readers_go_on_beside_a_writer_and_see_one_moment(store: Store) -> None:
    gate = Gate()
    reading, written = threading.Event(), threading.Event()

    def look_twice(db: Connection) -> tuple[list[str], list[str]]:
        first = kinds(db)
        reading.set()
        assert written.wait(30)
        return first, kinds(db)

    async def expect_one_moment() -> None:
        assert await store.read(look_twice) == ([], [])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, gate)
        await gate.until_begun()
        assert await store.read(kinds) == []
        nursery.start_soon(expect_one_moment)
        assert await trio.to_thread.run_sync(reading.wait, 30)
        gate.opened.set()
        await store.write(note("b"))
        written.set()
    assert await store.read(kinds) == ["gate", "b"]


async def test_more_reads_than_readers_all_get_their_turn(store: Store) -> None:
    seen: list[list[str]] = []

    async def look() -> None:
        seen.append(await store.read(kinds))

    async with trio.open_nursery() as nursery:
        for _ in range(40):
            nursery.start_soon(look)
    assert seen == [[]] * 40


async def test_a_read_cannot_write(store: Store) -> None:
    with pytest.raises(StoreFailed, match="cannot be written"):
        await store.read(note("sneaked in"))
    assert await store.read(kinds) == []


async def test_a_full_disk_is_told_and_service_returns(store: Store) -> None:
    def fill(db: Connection) -> None:
        db.execute("UPDATE users SET name = ?", ("x" * 1_000_000,))

    def leave_room(pages: int) -> Callable[[Connection], None]:
        return lambda db: db.execute(f"PRAGMA max_page_count = {pages}").close()

    await store.write(leave_room(1))
    with pytest.raises(StoreFailed, match="disk is full"):
        await store.write(fill)
    await store.write(leave_room(1_000_000))
    await store.write(fill)


async def test_the_store_is_closed_before_and_after_it_runs(path: Path) -> None:
    store = Store(path)
    with pytest.raises(StoreClosed):
        await store.write(note("early"))
    with pytest.raises(StoreClosed):
        await store.read(kinds)
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        await store.write(note("a"))
        nursery.cancel_scope.cancel()
    with pytest.raises(StoreClosed):
        await store.write(note("late"))
    assert [file.name for file in path.parent.iterdir()] == ["lifeecho.db"]  # the log is folded in


async def test_what_waits_when_the_store_stops_is_still_stored(path: Path) -> None:
    store, gate = Store(path), Gate()
    async with trio.open_nursery() as writers, trio.open_nursery() as nursery:
        await nursery.start(store.run)
        writers.start_soon(store.write, gate)
        await gate.until_begun()
        writers.start_soon(store.write, note("waiting"))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        gate.opened.set()
    with Database.open(path) as database:
        assert kinds(database.connection) == ["gate", "waiting"]


async def test_another_process_writes_beside_and_is_noticed(
    store: Store, path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    noticed = trio.Event()

    async def changed() -> None:
        noticed.set()

    async def keep_writing() -> None:
        for number in range(200):
            await store.write(note(str(number)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.watch, changed)
        await keep_writing()
        await trio.sleep(5)
        assert not noticed.is_set()  # our own writes are no news
        async with trio.open_nursery() as both:
            both.start_soon(keep_writing)
            await trio.run_process([*OTHER, "add", str(path), "cousin"], cwd=ROOT)
        committed_by = autojump_clock.current_time()
        await noticed.wait()
        assert autojump_clock.current_time() - committed_by <= 1.0
        nursery.cancel_scope.cancel()
    assert (await store.read(lambda db: people.find_user(db, "cousin"))).name == "cousin"
    assert len(await store.read(kinds)) == 400


def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    with subprocess.Popen(
        [*OTHER, "turns", str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as talking:
        assert talking.stdout is not None
        acknowledged = [talking.stdout.readline().strip() for _ in range(200)]
        talking.kill()
        acknowledged += [line.strip() for line in talking.stdout if line.endswith("\n")]
    with Database.open(path) as database:
        db = database.connection
        stored = {turn_id for (turn_id,) in db.execute("SELECT id FROM turns")}
        (counted,) = db.execute("SELECT turn_count FROM conversations").fetchone()
        assert set(acknowledged) <= stored
        assert counted == len(stored) == quota.used(db, "elder", TODAY).turns
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_deleted_words_are_in_no_file_once_the_log_is_emptied(
    store: Store, path: Path
) -> None:
    secret = "a secret that was told at noon"
    await store.write(lambda db: take(db, new_turn("t", secret)))
    assert any(secret.encode() in file.read_bytes() for file in path.parent.iterdir())
    await store.write(lambda db: conversations.delete_conversation(db, "talk", NOON))
    assert await store.truncate_log()
    assert not any(secret.encode() in file.read_bytes() for file in path.parent.iterdir())
    removals = await store.read(lambda db: audit.removals_since(db, NOON))
    assert [(removal.kind, removal.id) for removal in removals] == [("conversation", "talk")]
