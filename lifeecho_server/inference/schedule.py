"""Who is next: by priority, then in turn between owners, then first come, first served. Pure."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Generic, TypeVar

from lifeecho_server.inference.errors import QueueFull

Item = TypeVar("Item")


class Priority(IntEnum):
    """What goes first; a smaller number is more urgent."""

    LIVE = 0
    """Recognition of what somebody is saying now."""
    REPLY = 1
    """A reply somebody waits for."""
    SPEECH = 2
    """Reading a reply aloud."""
    PREPARING = 3
    """Evaluating a prompt that will probably be needed."""
    BACKGROUND = 4
    """Work on the memoir, old recordings: nobody waits."""


def may_run(priority: Priority, most_urgent: Priority) -> bool:
    """Whether work goes on while ``most_urgent`` work is under way somewhere.

    What a person waits for runs side by side; the rest gives way to anything more urgent.
    """
    return priority <= Priority.SPEECH or priority <= most_urgent


class TurnTaking(Generic[Item]):
    """Items that take turns, until removed; bounded in number.

    Within a priority owners follow one another in a ring, so nobody waits longer than one turn of
    everybody else; an owner's own items go in the order they came.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rings: dict[Priority, OrderedDict[str, list[Item]]] = {
            priority: OrderedDict() for priority in Priority
        }
        self._count = 0
        self._unbounded: set[int] = set()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        for ring in self._rings.values():
            for items in ring.values():
                yield from items

    def add(self, item: Item, *, owner: str, priority: Priority, bounded: bool = True) -> None:
        """Put an item in; one that is not ``bounded`` always fits, and takes no place.

        Raises QueueFull.
        """
        if bounded and self._count - len(self._unbounded) >= self._limit:
            raise QueueFull("too much is waiting already; please try again in a moment")
        self._rings[priority].setdefault(owner, []).append(item)
        self._count += 1
        if not bounded:
            self._unbounded.add(id(item))

    def remove(self, item: Item) -> bool:
        """Take an item out wherever it is; whether it was there."""
        for ring in self._rings.values():
            for owner, items in ring.items():
                if item in items:
                    items.remove(item)
                    if not items:
                        del ring[owner]
                    self._count -= 1
                    self._unbounded.discard(id(item))
                    return True
        return False

    def next(self, eligible: Callable[[Item], bool]) -> Item | None:
        """Return the eligible item whose turn it is; its owner goes to the end of the ring."""
        for ring in self._rings.values():
            for owner, items in ring.items():
                for item in items:
                    if eligible(item):
                        ring.move_to_end(owner)
                        return item
        return None
