"""``GET /ws/conversation/{id}``: from a request's head to a running connection."""

import itertools
import math
import re
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import trio
from trio_websocket import ConnectionClosed, wrap_server_stream

from lifeecho_server.accounts.tokens import Bearer, TokenRefused, check
from lifeecho_server.protocol.codes import (
    INTERNAL_ERROR,
    NO_SUCH_USER,
    OPENED_ELSEWHERE,
    SERVER_BUSY,
    Code,
)
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.writing import error_message, write_frame
from lifeecho_server.session.admission import (
    Admitted,
    Refused,
    Request,
    admit,
    closing_for,
)
from lifeecho_server.session.boundary import boundary
from lifeecho_server.session.connection import Connection
from lifeecho_server.session.seats import Full, Superseded
from lifeecho_server.session.services import Services
from lifeecho_server.session.socket import PeerGone
from lifeecho_server.store.errors import StoreFailed
from lifeecho_server.store.people import User, signed_in
from lifeecho_server.web.head import Head
from lifeecho_server.web.hosts import host_allowed, origin_allowed
from lifeecho_server.web.replay import ReplayStream
from lifeecho_server.web.websocket import TrioSocket

PATH = re.compile(r"/ws/conversation/([A-Za-z0-9_-]{1,64})")
RECEIVE_BUFFER = 64 * 1024
"""Bytes read at once; 64 KiB takes large messages in half the time of the library's 4 KiB."""
CLOSE_TIMEOUT = 2.0
"""Seconds that a client has to answer a close frame."""
TAKEOVER_TIMEOUT = 0.5
"""The same while a newer connection waits: the older is often a network that is no more."""
DEFAULT_LANGUAGE = "zh"


class ConversationRoute:
    """Opens conversations on sockets that ask for one."""

    def __init__(self, services: Services, names: frozenset[str], scheme: str) -> None:
        self._services = services
        self._names = names
        self._scheme = scheme
        self._arrivals = itertools.count()

    async def serve(self, stream: ReplayStream, head: Head) -> None:
        """Serve one upgrade request until its socket has closed."""
        address = stream.socket.getsockname()[0]
        host, origin = head.header("host"), head.header("origin")
        request = parse_request(head.target, next(self._arrivals))
        if not host_allowed(host, address, self._names) or not origin_allowed(
            origin, host, self._scheme
        ):
            await respond(stream, 403, "Forbidden")
        elif request is None:
            await respond(stream, 404, "Not Found")
        else:
            await self._upgrade(stream, head, request)

    async def _upgrade(self, stream: ReplayStream, head: Head, request: Request) -> None:
        settings = self._services.settings
        entry = await self._entry(head)
        async with trio.open_nursery() as nursery:
            with trio.move_on_after(settings.head_timeout) as patience, suppress(ConnectionClosed):
                handshake = await wrap_server_stream(
                    nursery,
                    stream,
                    max_message_size=settings.max_message_bytes,
                    receive_buffer_size=RECEIVE_BUFFER,
                )
                websocket = await handshake.accept()
                patience.deadline = math.inf
                await self._talk(TrioSocket(websocket, stream), request, entry)
            nursery.cancel_scope.cancel()

    async def _entry(self, head: Head) -> "tuple[User, Bearer] | Refused":
        """Return who comes in, or why they do not: known before the socket is accepted."""
        now = self._services.clock.now()
        try:
            bearer = check(self._services.secret, token_of(head), now=now)
            user = await self._services.store.read(
                lambda db: signed_in(db, bearer.user_id, bearer.device_id)
            )
        except TokenRefused as error:
            return Refused(closing_for(error))
        except StoreFailed:
            return Refused(SERVER_BUSY, Fault(Code.STORE_FAILED))
        return (user, bearer) if user else Refused(NO_SUCH_USER)

    async def _talk(
        self, socket: TrioSocket, request: Request, entry: "tuple[User, Bearer] | Refused"
    ) -> None:
        language = request.language or DEFAULT_LANGUAGE
        try:
            if isinstance(entry, Refused):
                raise entry
            user, bearer = entry
            language = request.language or user.language
            admitted = await admit(self._services, user, bearer, request)
            await self._converse(socket, admitted)
        except Refused as refused:
            await self._refuse(socket, refused, request, language)
        except StoreFailed:
            failed = Refused(SERVER_BUSY, Fault(Code.STORE_FAILED))
            await self._refuse(socket, failed, request, language)

    async def _converse(self, socket: TrioSocket, admitted: Admitted) -> None:
        """Run a connection in its conversation's seat, and close its socket before leaving it."""
        await self._services.banks.ready(admitted.narrator.language)
        connection = Connection(self._services, socket, admitted)
        conversation_id = admitted.conversation.id
        try:
            async with self._services.seats.taken(conversation_id, connection):
                await self._run(connection)
                if connection.closing is not None:
                    closing = connection.closing
                    hurried = closing is OPENED_ELSEWHERE
                    await socket.close(
                        closing.code,
                        closing.reason(admitted.language),
                        TAKEOVER_TIMEOUT if hurried else CLOSE_TIMEOUT,
                    )
                await socket.linger()
        except Full:
            raise Refused(SERVER_BUSY) from None
        except Superseded:
            raise Refused(OPENED_ELSEWHERE) from None

    async def _run(self, connection: Connection) -> None:
        if connection.closing is not None:
            return
        try:
            with boundary("conversation"):
                await connection.run()
        except Fault:
            connection.close(INTERNAL_ERROR)

    async def _refuse(
        self, socket: TrioSocket, refused: Refused, request: Request, language: str
    ) -> None:
        if refused.fault is not None:
            message = error_message(refused.fault, language)
            now = self._services.clock.now()
            with trio.move_on_after(CLOSE_TIMEOUT), suppress(PeerGone):
                await socket.send(write_frame(message, request.conversation_id, now))
        closing = refused.closing
        await socket.close(closing.code, closing.reason(language), CLOSE_TIMEOUT)


def parse_request(target: str, arrival: int) -> Request | None:
    """Return what a request target asks for; None where it names no conversation."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    match = PATH.fullmatch(parts.path)
    if match is None:
        return None
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    language = query.get("lang")
    return Request(
        conversation_id=match[1],
        arrival=arrival,
        narrator_id=query.get("narrator"),
        language=language if language in ("zh", "en") else None,
        deltas=query.get("deltas") == "1",
        speech=query.get("speech") != "0",
    )


def token_of(head: Head) -> str | None:
    """Return the access token of a request; the header wins over the query."""
    scheme, _, credentials = (head.header("authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    values = parse_qs(urlsplit(head.target).query).get("token")
    return values[-1] if values else None


async def respond(stream: ReplayStream, status: int, title: str) -> None:
    """Answer a request that is not upgraded."""
    head = f"HTTP/1.1 {status} {title}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    with trio.move_on_after(CLOSE_TIMEOUT), suppress(trio.BrokenResourceError):
        await stream.send_all(head.encode())
