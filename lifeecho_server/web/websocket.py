"""An accepted WebSocket over trio-websocket, as a session wants it."""

from contextlib import suppress

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection
from wsproto.utilities import LocalProtocolError

from lifeecho_server.session.socket import PeerGone
from lifeecho_server.web.replay import ReplayStream

TOO_BIG = 1009
GOODBYES = (1000, 1001, 1005)
"""Close codes of a client that leaves in order: done, page left, no code given (RFC 6455, 7.4.1)"""
LINGER_SECONDS = 2.0
"""How long what a client still sends is thrown away, so that it can read why it was closed."""
LINGER_BYTES = 64 * 1024
READER_PAUSE = 0.05


class TrioSocket:
    """The server's end of a WebSocket. ``heard_at`` is the trio time of the peer's last byte."""

    def __init__(self, connection: WebSocketConnection, stream: ReplayStream) -> None:
        self._connection = connection
        self._stream = stream

    @property
    def heard_at(self) -> float:
        """Trio time at which the last byte came from the peer."""
        return self._stream.heard_at

    @property
    def said_goodbye(self) -> bool:
        """Whether the peer closed in order."""
        closed = self._connection.closed
        return closed is not None and closed.code in GOODBYES

    async def receive(self) -> str | bytes:
        """Return the next message. Raises PeerGone."""
        try:
            message: str | bytes = await self._connection.get_message()
        except ConnectionClosed:
            raise PeerGone("the connection has closed") from None
        return message

    async def send(self, frame: str) -> None:
        """Send a text frame. Raises PeerGone."""
        try:
            await self._connection.send_message(frame)
        except (ConnectionClosed, LocalProtocolError):
            raise PeerGone("the connection has closed") from None

    async def ping(self) -> None:
        """Send a ping and wait for its pong. Raises PeerGone."""
        try:
            await self._connection.ping()
        except (ConnectionClosed, LocalProtocolError):
            raise PeerGone("the connection has closed") from None

    async def close(self, code: int, reason: str, timeout: float) -> None:
        """Close with a code and a reason; a peer that does not answer is left after ``timeout``."""
        with trio.move_on_after(timeout, shield=True):
            await self._connection.aclose(code, reason)

    async def linger(self) -> None:
        """Read away what is still coming after the library closed with 1009.

        Closing a TCP connection with unread bytes resets it, and the close frame would be lost.
        """
        closed = self._connection.closed
        if closed is None or closed.code != TOO_BIG:
            return
        with trio.move_on_after(LINGER_SECONDS), suppress(trio.BrokenResourceError):
            await self._stream.send_eof()
            while await self._read_away():
                pass

    async def _read_away(self) -> bool:
        try:
            return bool(await self._stream.receive_some(LINGER_BYTES))
        except trio.BusyResourceError:  # the library's reader has not noticed its end yet
            await trio.sleep(READER_PAUSE)
            return True
