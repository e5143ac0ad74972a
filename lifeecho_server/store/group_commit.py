"""Group commit: all jobs that wait at the same moment are done in one transaction.

Synchronous; the thread that runs it is the store's. One commit is one write to the disk, so the
slower the disk, the more jobs share it.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import outcome
import trio

from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import StoreBusy, StoreClosed, StoreFailed, telling, told

Result = outcome.Outcome[Any]


@dataclass(eq=False, slots=True)
class Job:
    """Work for the writing connection, and the task that waits for its result, if one still does.

    ``alone`` is for what cannot be inside a transaction (a checkpoint, a pragma).
    """

    run: Callable[[Connection], Any]
    waiter: trio.lowlevel.Task | None
    alone: bool = False


class JobQueue:
    """Jobs handed from the event loop to the writing thread. Bounded; safe between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[Job] = deque()
        self._closed = False
        self._changed = threading.Condition()

    def put(self, job: Job) -> None:
        """Queue a job. Raises StoreBusy when it is full, StoreClosed after ``close``."""
        with self._changed:
            if self._closed:
                raise StoreClosed("the store is closed; start the server again")
            if len(self._waiting) >= self._most:
                raise StoreBusy("too much is waiting to be stored; try again in a moment")
            self._waiting.append(job)
            self._changed.notify()

    def withdraw(self, job: Job) -> None:
        """Take back a job that has not been taken yet; one that has been goes on."""
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)

    def take(self) -> list[Job]:
        """Wait for jobs and take all of them; empty only when closed and nothing is left."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            taken = list(self._waiting)
            self._waiting.clear()
            return taken

    def close(self) -> None:
        """Accept no more jobs; those waiting are still taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()


def run_jobs(db: Connection, jobs: Sequence[Job]) -> list[tuple[Job, Result]]:
    """Run jobs taken together: those for a transaction in one, the others by themselves."""
    grouped = [job for job in jobs if not job.alone]
    settled = list(zip(grouped, commit_together(db, [job.run for job in grouped]), strict=True))
    for job in jobs:
        if job.alone:
            settled.append((job, _told(outcome.capture(job.run, db))))
    return settled


def commit_together(db: Connection, jobs: Sequence[Callable[[Connection], Any]]) -> list[Result]:
    """Run jobs in one transaction, each so that its failing leaves the others' work alone.

    Returns only when the commit is on disk (or is known to have failed: then every job gets a
    StoreFailed, whatever it returned). A job must not begin, commit or roll back itself.
    """
    if not jobs:
        return []
    try:
        with telling():
            db.execute("BEGIN IMMEDIATE")
            results = [_isolated(db, job) for job in jobs]
            db.execute("COMMIT")
    except (StoreFailed, sqlite3.Error) as failure:
        with suppress(sqlite3.Error):
            if db.in_transaction:
                db.execute("ROLLBACK")
        return [outcome.Error(_again(failure)) for _ in jobs]
    return results


def _isolated(db: Connection, job: Callable[[Connection], Any]) -> Result:
    db.execute("SAVEPOINT job")
    result = _told(outcome.capture(job, db))
    if isinstance(result, outcome.Error):
        if not db.in_transaction:
            # A full or failing disk makes SQLite undo the whole transaction, not one statement.
            raise StoreFailed(str(result.error)) from result.error
        db.execute("ROLLBACK TO job")
    db.execute("RELEASE job")
    return result


def _told(result: Result) -> Result:
    return outcome.Error(told(result.error)) if isinstance(result, outcome.Error) else result


def _again(failure: Exception) -> StoreFailed:
    copy = StoreFailed(str(failure))  # one for each task: a traceback belongs to one raise
    copy.__cause__ = failure.__cause__
    return copy
