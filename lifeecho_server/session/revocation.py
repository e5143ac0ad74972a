"""Cutting off those who may not talk any more, and recordings of what was deleted."""

import logging
from dataclasses import dataclass

import trio

from lifeecho_server.protocol.codes import (
    CONVERSATION_DELETED,
    NO_SUCH_USER,
    NOT_YOURS,
    Closing,
)
from lifeecho_server.session.seats import Seats
from lifeecho_server.session.voice import VoiceSessions
from lifeecho_server.store.conversations import conversation
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import StoreFailed
from lifeecho_server.store.people import may_talk, signed_in
from lifeecho_server.store.store import Store

log = logging.getLogger("lifeecho.session")

RETRY_SECONDS = 0.5
"""After what pause the database is read again when it could not be."""


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation that someone holds open, and with what right."""

    conversation_id: str
    user_id: str
    device_id: str | None


async def watch_revocations(store: Store, seats: Seats, voice: VoiceSessions) -> None:
    """Cut off, within a second, what was locked out or deleted by another process."""

    async def changed() -> None:
        while True:
            try:
                await close_revoked(store, seats)
                await drop_deleted(store, voice)
                return
            except StoreFailed as error:
                log.warning("revocations unread kind=%s", type(error).__name__)
                await trio.sleep(RETRY_SECONDS)

    await store.watch(changed)


async def close_revoked(store: Store, seats: Seats) -> None:
    """Close the connections whose user, device, right or conversation is gone.

    Raises StoreFailed.
    """
    held = [Held(cid, o.user_id, o.device_id) for cid, o in seats]
    if not held:
        return
    closings = await store.read(lambda db: {one: revoked(db, one) for one in held})
    for cid, occupant in seats:
        closing = closings.get(Held(cid, occupant.user_id, occupant.device_id))
        if closing is not None:
            occupant.close(closing)


async def drop_deleted(store: Store, voice: VoiceSessions) -> None:
    """Leave off listening to recordings whose conversation is gone. Raises StoreFailed."""
    recording = voice.conversations
    if recording:
        for cid in await store.read(lambda db: [one for one in recording if _deleted(db, one)]):
            voice.drop(cid)


def revoked(db: Connection, held: Held) -> Closing | None:
    """Return why a connection must be closed, if it must."""
    if signed_in(db, held.user_id, held.device_id) is None:
        return NO_SUCH_USER
    here = conversation(db, held.conversation_id)
    if here is None or here.deleted_at is not None:
        return CONVERSATION_DELETED
    return None if may_talk(db, held.user_id, here.narrator_id) else NOT_YOURS


def _deleted(db: Connection, conversation_id: str) -> bool:
    here = conversation(db, conversation_id)
    return here is None or here.deleted_at is not None
