"""The one writer to a socket: bounded, so that a slow reader costs no memory."""

from collections import deque
from collections.abc import Callable

import trio

from lifeecho_server.protocol.outgoing import Outgoing
from lifeecho_server.session.socket import PeerGone, Socket


class Outbox:
    """Messages on their way to one client, in order.

    What is put ``last`` lets everything else pass, and can be withdrawn until it is being sent.
    ``envelope`` turns a message into its frame. More than ``limit`` bytes waiting, or one frame
    that the network does not take within ``timeout`` seconds, and the client is given up:
    ``run`` raises PeerGone.
    """

    def __init__(
        self, socket: Socket, envelope: Callable[[Outgoing], str], *, limit: int, timeout: float
    ) -> None:
        self._socket = socket
        self._envelope = envelope
        self._limit = limit
        self._timeout = timeout
        self._frames: deque[str] = deque()
        self._last: deque[str] = deque()
        self._waiting = 0
        self._stirred = trio.Event()
        self._empty = trio.Event()
        self._empty.set()
        self._sending = trio.CancelScope()
        self._given_up = False

    def put(self, message: Outgoing) -> None:
        """Queue a message; never waits. Nothing is queued for a client that is gone."""
        self._queue(message, self._frames)

    def put_last(self, message: Outgoing) -> None:
        """Queue a message that goes out when nothing else waits; never waits itself."""
        self._queue(message, self._last)

    def withdraw(self) -> None:
        """Take back what was put last, but for a frame that is being sent already."""
        self._waiting -= sum(map(len, self._last))
        self._last.clear()

    def _queue(self, message: Outgoing, frames: deque[str]) -> None:
        if self._given_up:
            return
        frame = self._envelope(message)
        frames.append(frame)
        self._waiting += len(frame)
        self._empty = trio.Event() if self._empty.is_set() else self._empty
        self._stirred.set()
        if self._waiting > self._limit:
            self._sending.cancel()

    async def flush(self) -> None:
        """Wait until all that was queued has been taken by the network, or never will be."""
        await self._empty.wait()

    async def receive_all(self) -> None:
        """Wait until the client itself has all that was queued: it answers a ping sent after it.

        That the network took it says nothing: a phone that left the house looks the same for a
        while. Raises PeerGone.
        """
        await self.flush()
        if self._given_up:
            raise PeerGone("the connection has closed")
        await self._socket.ping()

    @property
    def said_goodbye(self) -> bool:
        """Whether the client left in order, which it does after reading what it was sent."""
        return self._socket.said_goodbye

    async def run(self) -> None:
        """Send until cancelled. Raises PeerGone when the client is gone or too slow."""
        try:
            while True:
                await self._stirred.wait()
                self._stirred = trio.Event()
                while self._frames or self._last:
                    await self._send_next()
                self._empty.set()
        finally:
            self._given_up = True
            self._frames.clear()
            self._last.clear()
            self._empty.set()

    async def _send_next(self) -> None:
        frame = (self._frames or self._last).popleft()
        with trio.move_on_after(self._timeout) as self._sending:
            if self._waiting > self._limit:
                self._sending.cancel()
            await self._socket.send(frame)
        self._waiting -= len(frame)
        if self._sending.cancelled_caught:
            raise PeerGone("the client reads too slowly")
