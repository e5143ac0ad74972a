"""What a second process does to a store while tests watch: ``python -m tests.store.other_process``.

``add PATH NAME`` adds a user as the command line would; ``turns PATH`` stores turns through a
Store and prints the id of each once it is acknowledged, until it is killed.
"""

import sys
from pathlib import Path

import trio

from lifeecho_server.store import people
from lifeecho_server.store.database import Database
from lifeecho_server.store.people import Role
from lifeecho_server.store.store import Store
from tests.store.household import NOON, new_turn, settle_in, take


def add(path: Path, name: str) -> None:
    with Database.open(path) as database, database.transaction() as db:
        people.add_user(db, user_id=name, name=name, role=Role.FAMILY, language="en", at=NOON)


async def store_turns(path: Path) -> None:
    store = Store(path)
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        await store.write(settle_in)
        for client in range(8):
            nursery.start_soon(_talk, store, client)


async def _talk(store: Store, client: int) -> None:
    for number in range(100_000):
        turn = new_turn(f"turn{client}x{number}", said=number)
        taken = await store.write(lambda db, turn=turn: take(db, turn))
        sys.stdout.write(taken.message_id + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["add", path, name]:
            add(Path(path), name)
        case ["turns", path]:
            trio.run(store_turns, Path(path))
        case _:
            sys.exit("what should be done?")
