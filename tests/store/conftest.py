"""A database of a small household, and a running store over a fresh one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio

from lifeecho_server.store.database import FILE_NAME, Connection, Database
from lifeecho_server.store.store import Store
from tests.store.household import settle_in


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / FILE_NAME


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with Database.open(path) as database:
        yield database


@pytest.fixture
def db(database: Database) -> Iterator[Connection]:
    """The household, inside a transaction that is never committed."""
    connection = database.connection
    connection.execute("BEGIN IMMEDIATE")
    settle_in(connection)
    yield connection
    connection.execute("ROLLBACK")


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    """A running store that holds the household."""
    store = Store(path, waiting_max=64)
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        await store.write(settle_in)
        yield store
        nursery.cancel_scope.cancel()
