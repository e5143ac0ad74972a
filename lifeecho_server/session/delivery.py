"""A reply on its way: each part committed just before it is sent."""

from functools import partial

import trio

from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.situation import Turn
from lifeecho_server.protocol.outgoing import AgentResponse, ReplyCancelled
from lifeecho_server.session.outbox import Outbox
from lifeecho_server.session.services import Services
from lifeecho_server.session.socket import PeerGone
from lifeecho_server.session.wording import Part
from lifeecho_server.store.conversations import Conversation
from lifeecho_server.store.database import Connection
from lifeecho_server.store.memory import apply
from lifeecho_server.store.replies import Reply, add_part, begin_reply, mark_delivered


class Delivery:
    """One reply to one conversation; ``say`` takes its parts in order."""

    def __init__(
        self,
        services: Services,
        outbox: Outbox,
        here: Conversation,
        decision: Decision,
        answers: tuple[Turn, ...],
    ) -> None:
        self._services = services
        self._outbox = outbox
        self._here = here
        self._decision = decision
        self._answers = tuple(turn.id for turn in answers)
        self._reply_id = services.clock.new_id()
        self._sent = 0
        self._complete = False

    async def say(self, part: Part) -> None:
        """Commit a part and send it; parts come a little apart, as a person sends messages."""
        if part.index:
            await trio.sleep(self._services.settings.part_pause)
        # What is committed is sent: nobody may cut in between the two.
        with trio.CancelScope(shield=True):
            await self._services.store.write(partial(self._commit, part=part))
        self._outbox.put(_response(part, self._reply_id))
        self._sent += 1
        self._complete = part.final

    async def received(self) -> None:
        """Wait until the client has all parts, and remember that it has."""
        await mark_when_received(self._services, self._outbox, self._reply_id, self._sent)

    def cancel(self) -> None:
        """Tell the client that a reply of which it has seen something will not be finished."""
        if self._sent and not self._complete:
            self._outbox.put(ReplyCancelled(self._reply_id))

    def _commit(self, db: Connection, *, part: Part) -> None:
        if part.index:
            add_part(db, self._reply_id, part.text, final=part.final)
            return
        now = self._services.clock.now()
        begin_reply(
            db,
            reply_id=self._reply_id,
            conversation_id=self._here.id,
            text=part.text,
            answers=self._answers,
            at=now,
            final=part.final,
        )
        apply(db, self._here.narrator_id, self._here.id, self._decision.changes, now)


def deliver_again(outbox: Outbox, reply: Reply) -> None:
    """Send a whole reply that the client is not known to have."""
    total = len(reply.parts)
    for index, text in enumerate(reply.parts):
        part = Part(text, index, total, final=index == total - 1)
        outbox.put(_response(part, reply.id))


async def mark_when_received(services: Services, outbox: Outbox, reply_id: str, parts: int) -> None:
    """Wait until the client has a reply, and remember that it needs no telling again."""
    received = False
    try:
        await outbox.receive_all()
        received = True
    except PeerGone:
        pass
    finally:
        # Also when this is cut off because the client has left.
        if received or outbox.said_goodbye:
            with trio.CancelScope(shield=True):
                await services.store.write(partial(mark_delivered, reply_id=reply_id, parts=parts))


def _response(part: Part, reply_id: str) -> AgentResponse:
    return AgentResponse(
        text=part.text,
        index=part.index,
        total=part.total,
        assistant_message_id=reply_id,
        final=part.final,
    )
