"""The head of an HTTP request: read within limits, and kept to be read again."""

from dataclasses import dataclass

import h11
import trio

HEAD_MAX = 16 * 1024
"""Bytes that a request head may have; hypercorn and wsproto take the same order of size."""
RECEIVE_BYTES = 64 * 1024
SPOKEN = (b"1.0", b"1.1")


class BadHead(Exception):
    """What came is no head of an HTTP request, or is too long."""


@dataclass(frozen=True, slots=True)
class Head:
    """A request head; header names are in lower case."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str | None:
        """Return the first header of a name (given in lower case)."""
        return next((value for key, value in self.headers if key == name), None)

    def wants(self, protocol: str) -> bool:
        """Whether it asks to go on in another protocol (given in lower case)."""
        return (self.header("upgrade") or "").strip().lower() == protocol


async def read_head(stream: trio.abc.Stream) -> tuple[Head, bytes]:
    """Return the head and all bytes read so far. Raises BadHead; EOF before a head is one too."""
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_MAX)
    received = bytearray()
    while True:
        chunk = bytes(await stream.receive_some(RECEIVE_BYTES))
        received += chunk
        try:
            parser.receive_data(chunk)
            event = parser.next_event()
        except h11.RemoteProtocolError as error:
            raise BadHead(str(error)) from None
        if isinstance(event, h11.Request):
            head = _head(event)
            if received.find(b"\r\n\r\n") > HEAD_MAX:
                raise BadHead("the head is too long")
            if event.http_version not in SPOKEN or head.wants("h2c"):
                raise BadHead("only HTTP/1.1 is spoken here")
            return head, bytes(received)
        if event is not h11.NEED_DATA:
            raise BadHead("the connection ended before a request")


def _head(request: h11.Request) -> Head:
    headers = tuple(
        (bytes(name).decode("ascii"), bytes(value).decode("latin-1"))
        for name, value in request.headers
    )
    return Head(request.method.decode("ascii"), request.target.decode("ascii"), headers)
