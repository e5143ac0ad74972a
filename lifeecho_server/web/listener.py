"""The one listener: a connection's head says whether it becomes a socket or stays HTTP."""

from collections.abc import Awaitable, Callable

import trio

from lifeecho_server.protocol.faults import Fault
from lifeecho_server.session.boundary import boundary
from lifeecho_server.web.head import BadHead, Head, read_head
from lifeecho_server.web.replay import ReplayStream

Upgrade = Callable[[ReplayStream, Head], Awaitable[None]]
Plain = Callable[[ReplayStream], Awaitable[None]]

BACKLOG = 256
BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n"
    b"content-type: text/plain\r\ncontent-length: 12\r\n\r\nbad request\n"
)


class Listener:
    """Accepts connections and hands each on.

    A head that is too long, malformed or slower than ``head_timeout`` seconds ends its connection;
    so do a sending that takes longer than ``send_timeout``, and everything beyond ``most``
    connections at once.
    """

    def __init__(
        self, *, upgrade: Upgrade, plain: Plain, head_timeout: float, send_timeout: float, most: int
    ) -> None:
        self._upgrade = upgrade
        self._plain = plain
        self._head_timeout = head_timeout
        self._send_timeout = send_timeout
        self._most = most
        self._open = 0

    async def run(
        self,
        host: str,
        port: int,
        connections: trio.Nursery,
        *,
        task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Accept until cancelled; connections live on in their own nursery. Reports the port.

        Raises OSError when the address cannot be had.
        """
        listeners = await trio.open_tcp_listeners(port, host=host, backlog=BACKLOG)
        task_status.started(listeners[0].socket.getsockname()[1])
        await trio.serve_listeners(self._serve, listeners, handler_nursery=connections)

    async def _serve(self, stream: trio.SocketStream) -> None:
        self._open += 1
        try:
            if self._open <= self._most:
                with boundary("connection"):
                    await self._hand_on(stream)
        except Fault:
            pass  # logged by the boundary; there is nobody left to be told
        finally:
            self._open -= 1
            await trio.aclose_forcefully(stream)

    async def _hand_on(self, stream: trio.SocketStream) -> None:
        try:
            with trio.move_on_after(self._head_timeout) as patience:
                head, received = await read_head(stream)
            if patience.cancelled_caught:
                return
        except BadHead:
            await self._refuse(stream)
            return
        except trio.BrokenResourceError:
            return
        replayed = ReplayStream(stream, received, timeout=self._send_timeout)
        if head.wants("websocket"):
            await self._upgrade(replayed, head)
        else:
            await self._plain(replayed)

    async def _refuse(self, stream: trio.SocketStream) -> None:
        try:
            with trio.move_on_after(self._head_timeout):
                await stream.send_all(BAD_REQUEST)
        except trio.BrokenResourceError:
            pass
