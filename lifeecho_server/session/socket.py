"""What a session needs of a socket, whoever provides it."""

from typing import Protocol

from lifeecho_server.errors import LifeEchoError


class PeerGone(LifeEchoError):
    """The other side is not there any more."""


class Socket(Protocol):
    """An accepted WebSocket."""

    @property
    def heard_at(self) -> float:
        """Trio time at which the last byte came from the peer."""
        ...

    @property
    def said_goodbye(self) -> bool:
        """Whether the peer closed in order, having read what came before."""
        ...

    async def receive(self) -> str | bytes:
        """Return the next message. Raises PeerGone."""
        ...

    async def send(self, frame: str) -> None:
        """Send a text frame; returns when the network has taken it. Raises PeerGone."""
        ...

    async def ping(self) -> None:
        """Send a ping and wait for its pong. Raises PeerGone."""
        ...
