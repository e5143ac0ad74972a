"""Cutting off those who may not talk any more: disabled, revoked, deleted."""

import logging
from dataclasses import dataclass

from lifeecho_server.protocol.codes import (
    CONVERSATION_DELETED,
    NO_SUCH_USER,
    NOT_YOURS,
    Closing,
)
from lifeecho_server.session.seats import Seats
from lifeecho_server.store.conversations import conversation
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import StoreFailed
from lifeecho_server.store.people import may_talk, signed_in
from lifeecho_server.store.store import Store

log = logging.getLogger("lifeecho.session")


@dataclass(frozen=True, slots=True)
class _Held:
    conversation_id: str
    user_id: str
    device_id: str | None


async def watch_revocations(store: Store, seats: Seats) -> None:
    """Cut off, within a second, who was locked out by another process."""

    async def changed() -> None:
        try:
            await close_revoked(store, seats)
        except StoreFailed as error:
            log.warning("revocations unread kind=%s", type(error).__name__)

    await store.watch(changed)


async def close_revoked(store: Store, seats: Seats) -> None:
    """Close the connections whose user, device, right or conversation is gone.

    Raises StoreFailed.
    """
    held = [_Held(cid, o.user_id, o.device_id) for cid, o in seats]
    if not held:
        return
    revoked = await store.read(lambda db: {one: _revoked(db, one) for one in held})
    for one, closing in revoked.items():
        occupant = seats.occupant(one.conversation_id)
        same = occupant is not None and occupant.user_id == one.user_id
        if occupant is not None and same and closing is not None:
            occupant.close(closing)


def _revoked(db: Connection, held: _Held) -> Closing | None:
    if signed_in(db, held.user_id, held.device_id) is None:
        return NO_SUCH_USER
    here = conversation(db, held.conversation_id)
    if here is None or here.deleted_at is not None:
        return CONVERSATION_DELETED
    return None if may_talk(db, held.user_id, here.narrator_id) else NOT_YOURS
