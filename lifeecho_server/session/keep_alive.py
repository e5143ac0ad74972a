"""Telling a peer that is silent from one that is gone."""

from contextlib import suppress

import trio

from lifeecho_server.session.socket import PeerGone, Socket


async def until_silent(socket: Socket, *, interval: float, silence: float) -> None:
    """Ping every ``interval`` seconds; return when no byte has come for ``silence`` seconds."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ping_every, socket, interval)
        while (left := socket.heard_at + silence - trio.current_time()) > 0:
            await trio.sleep(left)
        nursery.cancel_scope.cancel()


async def _ping_every(socket: Socket, interval: float) -> None:
    with suppress(PeerGone):
        while True:
            await trio.sleep(interval)
            await socket.ping()
