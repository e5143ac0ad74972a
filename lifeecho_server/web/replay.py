"""A stream that gives again what was already read from it, and knows when its peer was heard."""

import trio


class ReplayStream(trio.abc.HalfCloseableStream):
    """A socket stream whose first bytes were looked at.

    A peer that takes nothing for ``timeout`` seconds of one sending counts as gone: no sending can
    hold up the server's stopping. ``heard_at`` is the trio time of the last byte from the peer.
    ``socket`` is there for hypercorn.
    """

    def __init__(self, stream: trio.SocketStream, first: bytes, *, timeout: float) -> None:
        self._stream = stream
        self._timeout = timeout
        self._first = first
        self.socket = stream.socket
        self.heard_at = trio.current_time()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return the bytes that were read before, then those of the stream."""
        if self._first:
            count = len(self._first) if max_bytes is None else max_bytes
            first, self._first = self._first[:count], self._first[count:]
            await trio.lowlevel.checkpoint()
            return first
        data = bytes(await self._stream.receive_some(max_bytes))
        self.heard_at = trio.current_time()
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send to the peer. Raises trio.BrokenResourceError when it is gone or takes nothing."""
        with trio.move_on_after(self._timeout) as patience:
            await self._stream.send_all(data)
        if patience.cancelled_caught:
            raise trio.BrokenResourceError("the peer reads too slowly")

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the peer takes more."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Say that nothing more will be sent."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()
