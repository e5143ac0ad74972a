"""The terminal's end of a conversation socket: lines in, what the interviewer says out."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import SplitResult, urlsplit

import click
import trio
import trio_websocket as ws

from lifeecho_server.cli.dialogue import Dialogue, audio_frame, chosen, lines, read, text_frame
from lifeecho_server.clock import Clock
from lifeecho_server.errors import LifeEchoError

MESSAGE_MAX = 64 * 1024 * 1024
"""Bytes of the largest message taken from the server."""
OPENING_QUIET = 0.5
"""Seconds without a word after connecting before it is the person's turn."""
OPENING_SECONDS = 30.0
CLOSE_SECONDS = 5.0
CLOSED_WELL = frozenset({1000, 1001, 1005})


Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


class CannotTalk(LifeEchoError):
    """There is no server to talk to, or it ended the conversation."""


@asynccontextmanager
async def connected(address: str, token: str) -> AsyncIterator[ws.WebSocketConnection]:
    """Give an open conversation socket. Raises CannotTalk when there is none to be had.

    The stream is ours: trio-websocket's own opener leaves it open when the server closes first.
    """
    parts = urlsplit(address)
    try:
        async with await _stream_to(parts) as stream, trio.open_nursery() as nursery:
            socket = await _upgraded(nursery, stream, parts, token)
            try:
                yield socket
            finally:
                with trio.move_on_after(CLOSE_SECONDS):
                    await socket.aclose()
            nursery.cancel_scope.cancel()
    except ExceptionGroup as group:
        refused, others = group.split(ws.ConnectionRejected)
        if refused is None or others is not None:
            raise
        raise CannotTalk(f"the server at {parts.netloc} refused the conversation") from refused


async def _stream_to(parts: SplitResult) -> Stream:
    secure = parts.scheme == "wss"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    try:
        if secure:
            return await trio.open_ssl_over_tcp_stream(host, port)
        return await trio.open_tcp_stream(host, port)
    except OSError as error:
        raise CannotTalk(
            f"no server answers at {parts.netloc}; start one with `lifeecho serve`"
        ) from error


async def _upgraded(
    nursery: trio.Nursery, stream: Stream, parts: SplitResult, token: str
) -> ws.WebSocketConnection:
    try:
        with trio.fail_after(OPENING_SECONDS):
            return await ws.wrap_client_stream(
                nursery,
                stream,
                parts.netloc,
                f"{parts.path}?{parts.query}",
                extra_headers=[(b"Authorization", f"Bearer {token}".encode())],
                max_message_size=MESSAGE_MAX,
            )
    except trio.TooSlowError:
        raise CannotTalk(f"the server at {parts.netloc} does not answer") from None


class Terminal:
    """One person at one terminal: says ``recording`` and stops, or the lines of standard input."""

    def __init__(self, clock: Clock, recording: bytes | None) -> None:
        self._clock = clock
        self._recording = recording
        self._dialogue = Dialogue()
        self._changed = trio.Event()
        self._closed: ws.CloseReason | None = None

    async def talk(self, socket: ws.WebSocketConnection) -> None:
        """Talk until the input or the conversation ends. Raises CannotTalk when cut off."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, socket, nursery.cancel_scope)
            await self._opening()
            await self._say_all(socket)
            nursery.cancel_scope.cancel()
        if self._dialogue.ended and self._closed is None:
            click.echo("This conversation has ended.", err=True)
        if self._closed is not None and self._closed.code not in CLOSED_WELL:
            reason = self._closed.reason or f"code {self._closed.code}"
            raise CannotTalk(f"the server closed the conversation: {reason}")

    async def _listen(self, socket: ws.WebSocketConnection, until: trio.CancelScope) -> None:
        """Print what comes until the socket closes, which ends the talk."""
        try:
            while True:
                message = read(await socket.get_message())
                if message is None:
                    continue
                self._dialogue.came(message)
                for line in lines(message):
                    click.echo(line)
                self._changed.set()
                self._changed = trio.Event()
        except ws.ConnectionClosed as closed:
            self._closed = closed.reason
            until.cancel()

    async def _opening(self) -> None:
        """Let the interviewer speak first, and show chips, until it falls quiet."""
        await self._changed.wait()
        while True:
            await self._answered()
            with trio.move_on_after(OPENING_QUIET) as waiting:
                await self._changed.wait()
            if waiting.cancelled_caught:
                return

    async def _answered(self) -> None:
        while self._dialogue.answer_due and not self._dialogue.ended:
            await self._changed.wait()

    async def _say_all(self, socket: ws.WebSocketConnection) -> None:
        if self._recording is not None:
            await self._say(socket, self._recording)
            return
        while not self._dialogue.ended:
            line = await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
            if not line:
                return
            if said := chosen(line, self._dialogue.chips):
                await self._say(socket, said)

    async def _say(self, socket: ws.WebSocketConnection, said: str | bytes) -> None:
        name = self._clock.new_id()
        frame = text_frame(name, said) if isinstance(said, str) else audio_frame(name, said)
        self._dialogue.sent(name)
        try:
            await socket.send_message(frame)
        except ws.ConnectionClosed:
            await trio.sleep_forever()  # the listener knows why, and ends the talk
        await self._answered()
