"""What a client has sent and nobody has looked at yet: bounded in bytes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.incoming import Incoming

RETRY_AFTER = 2.0
"""Seconds after which a client that was told BUSY may try again."""


class Inbox:
    """Messages that wait for their turn; what does not fit is refused before it is stored."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._put, self._take = trio.open_memory_channel[Incoming](float("inf"))
        self._idle = trio.Event()
        self._idle.set()

    def put(self, incoming: Incoming) -> None:
        """Queue a message; never waits. Raises Fault (``BUSY``) when it does not fit."""
        if self._held and self._held + incoming.size > self._limit:
            raise Fault(Code.BUSY, reply_to=incoming.id, retry_after=RETRY_AFTER)
        self._held += incoming.size
        self._idle = trio.Event() if self._idle.is_set() else self._idle
        self._put.send_nowait(incoming)

    @asynccontextmanager
    async def next(self) -> AsyncIterator[Incoming]:
        """Take the next message; its bytes count until the block is left."""
        incoming = await self._take.receive()
        try:
            yield incoming
        finally:
            self._held -= incoming.size
            if not self._take.statistics().current_buffer_used:
                self._idle.set()

    async def drained(self) -> None:
        """Wait until nothing waits and nothing is being looked at."""
        await self._idle.wait()
