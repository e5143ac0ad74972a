"""Who sits in which conversation: one connection each, the newest wins."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Protocol

import trio

from lifeecho_server.errors import LifeEchoError
from lifeecho_server.protocol.codes import OPENED_ELSEWHERE, Closing
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.outgoing import Outgoing
from lifeecho_server.session.heard import Heard


class Full(LifeEchoError):
    """No more connections are let in."""


class Superseded(LifeEchoError):
    """A connection that arrived later has taken the seat already."""


class Occupant(Protocol):
    """A connection as its conversation's seat sees it."""

    @property
    def user_id(self) -> str:
        """Who is connected."""
        ...

    @property
    def arrival(self) -> int:
        """The number of its arrival: a later one is higher."""
        ...

    @property
    def device_id(self) -> str | None:
        """With which device, if the token named one."""
        ...

    def close(self, closing: Closing) -> None:
        """Ask the connection to end."""
        ...

    def heard(self, heard: Heard) -> None:
        """A recording of this conversation has been listened to."""
        ...

    def show(self, message: Outgoing) -> None:
        """Show a message as it is."""
        ...

    def told(self, fault: Fault) -> None:
        """Something of this conversation went wrong."""
        ...


class _Seat:
    def __init__(self, occupant: Occupant, before: "_Seat | None") -> None:
        self.occupant = occupant
        self.before = before
        self.ended = trio.Event()


class Seats:
    """The live connections, by conversation.

    A newcomer evicts the one before it and waits until that one has fully ended; since each seat
    ends only after the one before it, ends happen in the order of arrival, however many come.
    """

    def __init__(self, *, most: int, most_per_user: int) -> None:
        self._most = most
        self._most_per_user = most_per_user
        self._newest: dict[str, _Seat] = {}

    def __iter__(self) -> Iterator[tuple[str, Occupant]]:
        return iter([(cid, seat.occupant) for cid, seat in self._newest.items()])

    def occupant(self, conversation_id: str) -> Occupant | None:
        """Return the connection of a conversation, if there is one."""
        seat = self._newest.get(conversation_id)
        return seat.occupant if seat else None

    def check_room(self, conversation_id: str, user_id: str) -> None:
        """Raise Full if one more connection is too many; a conversation's own is replaced."""
        others = [o for cid, o in self if cid != conversation_id]
        if len(others) >= self._most:
            raise Full("too many connections")
        if sum(o.user_id == user_id for o in others) >= self._most_per_user:
            raise Full("too many connections of this user")

    @asynccontextmanager
    async def taken(self, conversation_id: str, occupant: Occupant) -> AsyncIterator[None]:
        """Hold a conversation's seat; entering waits until the one before has ended.

        Raises Full, Superseded.
        """
        self.check_room(conversation_id, occupant.user_id)
        before = self._newest.get(conversation_id)
        if before and before.occupant.arrival > occupant.arrival:
            raise Superseded("a newer connection is here")
        seat = _Seat(occupant, before)
        self._newest[conversation_id] = seat
        if seat.before:
            seat.before.occupant.close(OPENED_ELSEWHERE)
        try:
            if seat.before:
                await seat.before.ended.wait()
                seat.before = None
            yield
        finally:
            await self._leave(conversation_id, seat)

    async def _leave(self, conversation_id: str, seat: _Seat) -> None:
        if seat.before:
            # Evicted while still waiting: whoever waits for this seat waits for the older one too.
            with trio.CancelScope(shield=True):
                await seat.before.ended.wait()
        if self._newest.get(conversation_id) is seat:
            del self._newest[conversation_id]
        seat.ended.set()

    async def close_all(self, closing: Closing) -> None:
        """Ask every connection to end, and wait until they have."""
        while self._newest:
            seats = list(self._newest.values())
            for seat in seats:
                seat.occupant.close(closing)
            for seat in seats:
                await seat.ended.wait()
