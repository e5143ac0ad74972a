"""The interviewer's side of one connection: one reply in the making, cut off by new turns."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import assert_never

import trio

from lifeecho_server.interview.connecting import Connecting, on_connecting
from lifeecho_server.interview.decide import chips, greet, re_greet, reply
from lifeecho_server.interview.decision import Decision, Intent
from lifeecho_server.interview.situation import Situation
from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.outgoing import Suggestion, TopicSuggestions
from lifeecho_server.protocol.writing import error_message
from lifeecho_server.session.admission import Admitted, align_stage
from lifeecho_server.session.boundary import boundary
from lifeecho_server.session.briefing import Briefing, brief
from lifeecho_server.session.delivery import Delivery, deliver_again
from lifeecho_server.session.heard import Heard
from lifeecho_server.session.outbox import Outbox
from lifeecho_server.session.services import Services
from lifeecho_server.session.shown import transcript_message
from lifeecho_server.session.told import told_as_faults
from lifeecho_server.session.wording import Wording


class Dialogue:
    """Greets, and answers the turns of one conversation while its client is connected.

    ``turn_taken`` and ``heard`` may be called at any time and never wait: they end the reply in
    the making, and the next one answers all turns that have no answer yet. ``taking`` is held
    while a turn is committed and acknowledged, so that none is answered before that.
    """

    def __init__(self, services: Services, outbox: Outbox, admitted: Admitted) -> None:
        self._services = services
        self._outbox = outbox
        self._admitted = admitted
        self._bank = services.bank(admitted.narrator.language)
        self._wording = Wording(
            services.inference, services.settings, self._bank, admitted.conversation.id
        )
        self.taking = trio.Lock()
        self._called = trio.Event()
        self._making = trio.CancelScope()
        self._awaited: set[str] = set()
        self._silenced = False

    async def run(self) -> None:
        """Speak first where the contract says so, then answer until cancelled."""
        await self._make(self._begin)
        while True:
            await self._called.wait()
            self._called = trio.Event()
            await self._make(self._answer)

    def turn_taken(self, turn_id: str, *, readable: bool) -> None:
        """A turn was committed; one that is not readable is a recording yet to be listened to."""
        self._making.cancel()
        if readable:
            self._called.set()
        else:
            self._awaited.add(turn_id)

    def heard(self, heard: Heard) -> None:
        """A recording has been listened to: show its words or what went wrong, and answer."""
        if heard.transcript is not None:
            self._outbox.put(
                transcript_message(
                    heard.transcript, message_id=heard.turn_id, revision=heard.revision
                )
            )
        if heard.fault is not None:
            fault = Fault(heard.fault, reply_to=heard.client_id)
            self._outbox.put(error_message(fault, self._admitted.language))
        if heard.turn_id in self._awaited:
            self._awaited.discard(heard.turn_id)
            self._making.cancel()
        self._called.set()

    def silence(self) -> None:
        """End the reply in the making; nothing more is said."""
        self._silenced = True
        self._making.cancel()

    async def _make(self, speech: Callable[[], Awaitable[None]]) -> None:
        """Run one reply in a scope that a new turn cancels; its failing ends nothing else."""
        with trio.CancelScope() as self._making:
            try:
                with boundary("reply", Code.REPLY_FAILED), told_as_faults():
                    await speech()
            except Fault as fault:
                self._outbox.put(error_message(fault, self._admitted.language))

    async def _begin(self) -> None:
        """Do what the contract's table says happens on connecting."""
        if self._admitted.conversation.ended_at is not None:
            return
        self._admitted = await align_stage(self._services, self._admitted, self._bank)
        briefing = await self._briefing()
        situation, settings = briefing.situation, self._services.settings
        match on_connecting(briefing.connecting_facts(ended=False, settings=settings)):
            case Connecting.ENDED | Connecting.NOTHING:
                pass
            case Connecting.ANSWER:
                await self._catch_up(briefing)
            case Connecting.PROFILE_GREETING:
                await self._speak(situation, greet(situation, self._bank))
            case Connecting.OPENING:
                await self._speak(situation, greet(situation, self._bank))
                await self._suggest("opening")
            case Connecting.RE_GREETING:
                idle = situation.now - briefing.last.said_at if briefing.last else timedelta()
                await self._speak(situation, re_greet(situation, self._bank, idle))
                await self._suggest("re_greeting")
            case Connecting.RESUME_CHIPS:
                await self._suggest("resume")
            case row:
                assert_never(row)

    async def _catch_up(self, briefing: Briefing) -> None:
        """Answer what was left unanswered when the client or the server went away."""
        if briefing.undelivered is not None and not briefing.situation.unanswered:
            await deliver_again(self._services, self._outbox, briefing.undelivered)
        else:
            await self._answer()

    async def _answer(self) -> None:
        """Answer all turns that have no answer yet, those still being listened to excepted."""
        briefing = await self._briefing()
        listening = self._services.recogniser.listening_to
        waiting = tuple(t for t in briefing.situation.unanswered if not listening(t.id))
        if not waiting or self._silenced:
            return
        situation = replace(briefing.situation, unanswered=waiting)
        decision = reply(situation, self._bank)
        await self._speak(situation, decision)
        if decision.intent is Intent.OPENING:
            await self._suggest("opening")

    async def _speak(self, situation: Situation, decision: Decision) -> None:
        here = self._admitted.conversation
        delivery = Delivery(self._services, self._outbox, here, decision, situation.unanswered)
        try:
            await self._wording.speak(situation, decision, delivery.say)
        except trio.Cancelled:
            delivery.cancel()
            raise
        await delivery.delivered()

    async def _suggest(self, reason: str) -> None:
        """Show chips for the current stage's empty slots; none when no slot is left."""
        settings = self._services.settings
        if not settings.chips:
            return
        situation = (await self._briefing()).situation
        offered = chips(situation.state, self._bank, settings.topic_chips_max)
        if offered:
            suggestions = tuple(Suggestion(c.id, c.label, c.text, c.slot) for c in offered)
            stage = situation.state.stage or situation.stage
            self._outbox.put(TopicSuggestions(reason, stage, suggestions))

    async def _briefing(self) -> Briefing:
        services, here = self._services, self._admitted.conversation
        async with self.taking:
            now = services.clock.now()
            return await services.store.read(
                partial(brief, here=here, now=now, settings=services.settings)
            )
