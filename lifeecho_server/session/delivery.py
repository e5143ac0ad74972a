"""A message of the interviewer's on its way: sentence by sentence where wanted, part by part."""

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from lifeecho_server.protocol.outgoing import AgentResponse, AgentResponseDelta
from lifeecho_server.session.outbox import Outbox
from lifeecho_server.session.record import Said
from lifeecho_server.session.services import Services
from lifeecho_server.session.socket import PeerGone
from lifeecho_server.session.speech import Aloud
from lifeecho_server.store.replies import mark_delivered

Keep = Callable[[Said], Awaitable[bool]]
"""Has so much of a message in the history; False when no more of it may be given away."""


class Delivery:
    """Gives one message to the client; ``wording.Telling``.

    ``sentence`` and ``part`` take it in order. A sentence is sent as a delta if ``deltas`` are
    wanted, and handed on to be read aloud; its part follows when it is whole. Parts come ``pause``
    seconds apart, as a person sends messages. Nothing leaves before ``keep`` has it.
    """

    def __init__(
        self,
        outbox: Outbox,
        aloud: Aloud,
        keep: Keep,
        *,
        deltas: bool,
        pause: float = 0.0,
    ) -> None:
        self.parts = 0
        self._outbox = outbox
        self._aloud = aloud
        self._keep = keep
        self._deltas = deltas
        self._pause = pause
        self._sentences = 0

    async def sentence(self, text: str, so_far: str) -> None:
        """Give away a sentence of the part in the making, which is ``so_far`` with it."""
        if self.parts and not self._sentences:
            await trio.sleep(self._pause)
        self._sentences += 1
        said = Said(self.parts, self._sentences, so_far)
        if self._deltas and await self._keep(said):
            self._outbox.put(AgentResponseDelta(text, self.parts, self._aloud.message_id))
        self._aloud.say(text, partial(self._keep, said))

    async def part(self, text: str, *, total: int | None, final: bool) -> None:
        """Send the part whose sentences have been given away."""
        said = Said(self.parts, self._sentences, text, whole=True, final=final)
        if await self._keep(said):
            self._outbox.put(AgentResponse(text, self.parts, total, self._aloud.message_id, final))
        self.parts, self._sentences = self.parts + 1, 0


async def kept_already(_: Said) -> bool:
    """Say of a message that is delivered again that it is in the history."""
    return True


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
