"""The store as the server's tasks see it: ``write``, ``read``, and what others have changed."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import trio

from lifeecho_server.store.database import (
    Connection,
    Database,
    data_version,
    open_reader,
    truncate_log,
)
from lifeecho_server.store.errors import StoreClosed, StoreFailed, telling
from lifeecho_server.store.group_commit import Job, JobQueue, Result, run_jobs

T = TypeVar("T")

WATCH_SECONDS = 0.5


class Store:
    """One thread that writes with group commit, and a few connections that read beside it.

    Args:
        path: the database file; made or migrated when ``run`` opens it.
        waiting_max: writes that may wait; beyond it they are refused with StoreBusy.
        readers: how many reads may go on at once.
    """

    def __init__(self, path: Path, *, waiting_max: int = 512, readers: int = 4) -> None:
        self._path = path
        self._jobs = JobQueue(waiting_max)
        self._readers = trio.CapacityLimiter(readers)
        self._idle: list[Connection] = []
        self._is_open = False

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Open the database, serve until cancelled, finish what waits, close.

        Raises DatabaseTooNew or StoreFailed when it cannot be opened.
        """
        threads = trio.CapacityLimiter(1)
        database = await trio.to_thread.run_sync(Database.open, self._path, limiter=threads)
        try:
            for _ in range(int(self._readers.total_tokens)):
                self._idle.append(open_reader(self._path))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._serve_writes, database.connection, threads)
                self._is_open = True
                task_status.started()
                try:
                    await trio.sleep_forever()
                finally:
                    self._is_open = False
                    self._jobs.close()
        finally:
            with trio.CancelScope(shield=True):
                await self._close(database)

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job on the writing thread; return its result once it is safe on disk.

        The job runs in a transaction that it must not end. What it raises is raised here, and
        none of its work is kept. Raises StoreBusy, StoreClosed or StoreFailed; then nothing of
        it was stored. Cancelling takes the job back if it has not begun; otherwise it is done all
        the same and its result is dropped.
        """
        result: T = await self._hand_over(job, alone=False)
        return result

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query in a thread on a connection that cannot write; it sees one moment.

        It sees every write that was acknowledged before. Raises StoreFailed, StoreClosed.
        """
        if not self._is_open:
            raise StoreClosed("the store is closed; start the server again")
        return await trio.to_thread.run_sync(self._query, query, limiter=self._readers)

    async def watch(
        self, changed: Callable[[], Awaitable[None]], *, seconds: float = WATCH_SECONDS
    ) -> NoReturn:
        """Call ``changed`` each time that another process has committed something.

        Looks every ``seconds``; changes are counted from the first look, which is at once.
        """
        seen = await self._version()
        while True:
            await trio.sleep(seconds)
            version = await self._version()
            if version not in (seen, None):
                seen = version
                await changed()

    async def truncate_log(self) -> bool:
        """Empty the write-ahead log, so that what was deleted is gone from it too.

        False when a reader was in the way; try again later.
        """
        emptied: bool = await self._hand_over(truncate_log, alone=True)
        return emptied

    async def _version(self) -> int | None:
        """Return the data version, or ``None`` while the disk will not tell."""
        try:
            version: int = await self._hand_over(data_version, alone=True)
        except StoreClosed:
            raise
        except StoreFailed:
            return None
        return version

    async def _hand_over(self, run: Callable[[Connection], Any], *, alone: bool) -> Any:
        await trio.lowlevel.checkpoint_if_cancelled()
        if not self._is_open:
            raise StoreClosed("the store is closed; start the server again")
        job = Job(run, trio.lowlevel.current_task(), alone)
        self._jobs.put(job)

        def withdraw(_: Callable[[], NoReturn]) -> trio.lowlevel.Abort:
            job.waiter = None
            self._jobs.withdraw(job)
            return trio.lowlevel.Abort.SUCCEEDED

        return await trio.lowlevel.wait_task_rescheduled(withdraw)

    async def _serve_writes(self, db: Connection, threads: trio.CapacityLimiter) -> None:
        token = trio.lowlevel.current_trio_token()

        def serve() -> None:
            while jobs := self._jobs.take():
                token.run_sync_soon(_wake, run_jobs(db, jobs))

        await trio.to_thread.run_sync(serve, limiter=threads)

    def _query(self, query: Callable[[Connection], T]) -> T:
        db = self._idle.pop()  # never empty: the limiter lets in as many as there are
        try:
            with telling():
                db.execute("BEGIN")
                try:
                    return query(db)
                finally:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
        finally:
            self._idle.append(db)

    async def _close(self, database: Database) -> None:
        for _ in range(int(self._readers.total_tokens)):
            await self._readers.acquire_on_behalf_of(object())  # until the last query is done
        for reader in self._idle:
            reader.close()
        self._idle.clear()
        await trio.to_thread.run_sync(database.close, limiter=trio.CapacityLimiter(1))


def _wake(settled: Sequence[tuple[Job, Result]]) -> None:
    for job, result in settled:
        if job.waiter is not None:
            trio.lowlevel.reschedule(job.waiter, result)
            job.waiter = None
