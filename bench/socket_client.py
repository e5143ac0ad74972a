"""A WebSocket client that costs little: ``websockets``' protocol without I/O, over a Trio stream.

A load generator shares the machine with what it measures, so it must be cheaper by far.
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import msgspec
import trio
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

READ_BYTES = 64 * 1024


class Message(msgspec.Struct):
    """What a benchmark reads of a server's message."""

    type: str
    data: msgspec.Raw


class AgentResponse(msgspec.Struct):
    """What a benchmark reads of a part of a reply."""

    final: bool


_message = msgspec.json.Decoder(Message)
_response = msgspec.json.Decoder(AgentResponse)


def is_final(message: Message) -> bool:
    """Whether an ``agent_response`` is its reply's last part."""
    return _response.decode(message.data).final


class SocketClient:
    """One open WebSocket."""

    def __init__(self, stream: trio.SocketStream, address: str) -> None:
        self._stream = stream
        self._protocol = ClientProtocol(parse_uri(address), max_size=None)
        self._messages: deque[bytes] = deque()

    async def handshake(self) -> None:
        """Become a WebSocket. Raises what the library raises for a refusal."""
        self._protocol.send_request(self._protocol.connect())
        await self._flush()
        while self._protocol.state is State.CONNECTING:
            await self._read()
        if self._protocol.handshake_exc is not None:
            raise self._protocol.handshake_exc

    async def send(self, text: bytes) -> None:
        """Send a text frame."""
        self._protocol.send_text(text)
        await self._flush()

    async def receive(self) -> Message:
        """Return the next text message. Raises EOFError when the server is gone."""
        while not self._messages:
            await self._read()
        return _message.decode(self._messages.popleft())

    async def until(self, *kinds: str) -> Message:
        """Return the next message of one of these types, reading over others."""
        while (message := await self.receive()).type not in kinds:
            pass
        return message

    async def _read(self) -> None:
        data = await self._stream.receive_some(READ_BYTES)
        if not data:
            raise EOFError(f"the server closed: {self._protocol.close_reason}")
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._messages.append(bytes(event.data))
        await self._flush()

    async def _flush(self) -> None:
        if data := b"".join(self._protocol.data_to_send()):
            await self._stream.send_all(data)


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[SocketClient]:
    """Open a WebSocket; it is dropped when the block is left."""
    parts = urlsplit(address)
    stream = await trio.open_tcp_stream(parts.hostname or "", parts.port or 80)
    async with stream:
        client = SocketClient(stream, address)
        await client.handshake()
        yield client
