"""What is under way at every priority, over all lanes: what the gate between them goes by."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from lifeecho_server.inference.schedule import Priority, may_run


class Bell:
    """Wakes whoever waits; a ring with nobody waiting is kept until somebody does."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def ring(self) -> None:
        """Wake the waiting task."""
        self._event.set()

    async def wait(self) -> None:
        """Wait for the next ring, or return at once when one came meanwhile."""
        await self._event.wait()
        self._event = trio.Event()


class Activity:
    """Counts the requests under way, and rings every lane's bell when the most urgent changes."""

    def __init__(self) -> None:
        self._under_way: Counter[Priority] = Counter()
        self._bells: list[Bell] = []
        self._changed = trio.Event()

    def bell(self) -> Bell:
        """Return a new bell that rings when what may run changes."""
        bell = Bell()
        self._bells.append(bell)
        return bell

    def allows(self, priority: Priority) -> bool:
        """Whether work of this priority may go on now."""
        return may_run(priority, self.most_urgent)

    async def turn(self, priority: Priority) -> None:
        """Wait until work of this priority may go on."""
        while not self.allows(priority):
            await self._changed.wait()

    @property
    def most_urgent(self) -> Priority:
        """The most urgent priority under way; ``BACKGROUND`` when nothing is."""
        return min(self._under_way, default=Priority.BACKGROUND)

    @contextmanager
    def under_way(self, priority: Priority) -> Iterator[None]:
        """Count one request for as long as the block runs."""
        self.begin(priority)
        try:
            yield
        finally:
            self.end(priority)

    def begin(self, priority: Priority) -> None:
        """Count one request, until ``end``."""
        self._under_way[priority] += 1

    def end(self, priority: Priority) -> None:
        """Count it no more."""
        self._under_way[priority] -= 1
        if not self._under_way[priority]:
            del self._under_way[priority]
            self._announce()

    def _announce(self) -> None:
        changed, self._changed = self._changed, trio.Event()
        changed.set()
        for bell in self._bells:
            bell.ring()


class Busy:
    """Counts a request that goes on for long only while there is work to do for it."""

    def __init__(self, activity: Activity, priority: Priority) -> None:
        self._activity = activity
        self._priority = priority
        self._counted = False

    def begin(self) -> None:
        """There is work."""
        if not self._counted:
            self._counted = True
            self._activity.begin(self._priority)

    def end(self) -> None:
        """There is none just now."""
        if self._counted:
            self._counted = False
            self._activity.end(self._priority)
