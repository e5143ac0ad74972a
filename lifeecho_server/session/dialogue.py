"""The interviewer's side of one connection: one reply in the making, cut off by new turns."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import assert_never

import trio

from lifeecho_server.inference import EngineState
from lifeecho_server.interview.connecting import Connecting, on_connecting
from lifeecho_server.interview.decide import chips, greet, re_greet, reply
from lifeecho_server.interview.decision import Decision, Intent
from lifeecho_server.interview.situation import Hearing, Situation, Turn
from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.outgoing import (
    MessageAck,
    ReplyCancelled,
    Suggestion,
    TopicSuggestions,
)
from lifeecho_server.protocol.writing import error_message
from lifeecho_server.session.admission import Admitted, align_stage
from lifeecho_server.session.boundary import boundary
from lifeecho_server.session.briefing import Briefing, brief
from lifeecho_server.session.delivery import Delivery, kept_already, mark_when_received
from lifeecho_server.session.heard import Heard
from lifeecho_server.session.outbox import Outbox
from lifeecho_server.session.preparing import Preparing
from lifeecho_server.session.questions_ahead import QuestionsAhead
from lifeecho_server.session.record import Record
from lifeecho_server.session.services import Services
from lifeecho_server.session.shown import heard_message
from lifeecho_server.session.speech import Speech
from lifeecho_server.session.told import told_as_faults
from lifeecho_server.session.wording import Wording, tell
from lifeecho_server.store.replies import Reply, take_back

READ_AT_ONCE = 300
"""Characters that are read on the event loop: a few milliseconds, less than a thread's turns."""


class Dialogue:
    """Greets, and answers the turns of one conversation while its client is connected.

    ``turn_taken`` and ``heard`` may be called at any time and never wait: they end the reply in
    the making, and the next one answers all turns that have no answer yet. ``taking`` is held
    while a turn is committed and acknowledged, so that none is answered before that.
    """

    def __init__(
        self, services: Services, outbox: Outbox, speech: Speech, admitted: Admitted
    ) -> None:
        self._services = services
        self._outbox = outbox
        self._speech = speech
        self._admitted = admitted
        self._bank = services.bank(admitted.narrator.language)
        here = admitted.conversation.id
        questions = QuestionsAhead(services.inference, self._bank, here)
        self._wording = Wording(services.inference, services.settings, self._bank, questions, here)
        self.preparing = Preparing(services, admitted, self._bank, questions)
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
        self._interrupt()
        if readable:
            self.preparing.hold()
            self._called.set()
        else:
            self._awaited.add(turn_id)

    def heard(self, heard: Heard) -> None:
        """A recording has been listened to: show its words or what went wrong, and answer."""
        self.preparing.hold()
        if heard.taken:
            self._outbox.put(MessageAck(None, heard.turn_id, "stored"))
        if heard.transcript is not None:
            self._outbox.put(heard_message(heard.transcript, heard))
        if heard.fault is not None:
            fault = Fault(
                heard.fault, reply_to=heard.client_id, voice_session_id=heard.voice_session_id
            )
            self._outbox.put(error_message(fault, self._admitted.language))
        if heard.taken or heard.turn_id in self._awaited:
            self._awaited.discard(heard.turn_id)
            self._interrupt()
        self._called.set()

    def reconsider(self) -> None:
        """Look again at what has no answer: an engine has come, or will not come."""
        self._called.set()

    def silence(self) -> None:
        """End the reply in the making; nothing more is said until ``speak_again``."""
        self._silenced = True
        self._interrupt()

    def speak_again(self) -> None:
        """Answer what was left unanswered when the dialogue was silenced."""
        self._silenced = False
        self._called.set()

    def _interrupt(self) -> None:
        """End the reply in the making, and what is still being read aloud."""
        self._making.cancel()
        self._speech.stop()

    async def _make(self, making: Callable[[], Awaitable[None]]) -> None:
        """Run one reply in a scope that a new turn cancels; its failing ends nothing else."""
        with trio.CancelScope() as self._making:
            try:
                with boundary("reply", Code.REPLY_FAILED), told_as_faults():
                    await making()
            except Fault as fault:
                self._outbox.put(error_message(fault, self._admitted.language))
        self._rest()

    def _rest(self) -> None:
        """Let what comes next be prepared: just now nothing is being answered."""
        if not self._silenced and self._admitted.conversation.ended_at is None:
            self.preparing.release()

    async def _begin(self) -> None:
        """Do what the contract's table says happens on connecting."""
        if self._admitted.conversation.ended_at is not None:
            return
        self._admitted = await align_stage(self._services, self._admitted, self._bank)
        briefing = await self._briefing()
        if briefing.undelivered is not None and not briefing.situation.unanswered:
            await self._make_good(briefing, briefing.undelivered)
            return
        facts = briefing.connecting_facts(settings=self._services.settings)
        await self._connecting(on_connecting(facts), briefing)

    async def _connecting(self, row: Connecting, briefing: Briefing) -> None:
        situation = briefing.situation
        match row:
            case Connecting.ENDED | Connecting.NOTHING:
                pass
            case Connecting.ANSWER:
                await self._answer()
            case Connecting.PROFILE_GREETING:
                await self._speak(situation, greet(situation, self._bank))
            case Connecting.OPENING:
                await self._speak(situation, greet(situation, self._bank), chips_for="opening")
            case Connecting.RE_GREETING:
                decision = re_greet(situation, self._bank, briefing.idle)
                await self._speak(situation, decision, chips_for="re_greeting")
            case Connecting.RESUME_CHIPS:
                await self._suggest("resume")
            case _:
                assert_never(row)

    async def _make_good(self, briefing: Briefing, reply: Reply) -> None:
        """See to a reply that never arrived, or that a lost connection cut in the middle.

        A whole one is delivered again. Of one that was cut off the rest is not known: what it
        answered is answered anew, and a greeting is said again.
        """
        if reply.finished:
            await self._deliver_again(reply)
            if not reply.answers and briefing.situation.profile.complete:
                await self._suggest("opening" if briefing.only_greeted else "re_greeting")
            await mark_when_received(self._services, self._outbox, reply.id, len(reply.parts))
            return
        here = self._admitted.conversation.id
        await self._services.store.write(
            partial(take_back, conversation_id=here, reply_id=reply.id)
        )
        if reply.answers:
            await self._answer()
        else:
            await self._connecting(briefing.greeting_due, briefing)

    async def _answer(self) -> None:
        """Answer all turns that have no answer yet, those still being listened to excepted."""
        briefing = await self._briefing()
        waiting = tuple(t for t in briefing.situation.unanswered if not self._to_be_heard(t))
        if not waiting or self._silenced:
            return
        situation = replace(briefing.situation, unanswered=waiting)
        decision = await self._decide(situation)
        opens = decision.intent is Intent.OPENING
        await self._speak(situation, decision, chips_for="opening" if opens else None)

    async def _decide(self, situation: Situation) -> Decision:
        """Decide on a reply; what is long enough to be felt by others is read in a thread."""
        if sum(len(turn.text) for turn in situation.unanswered) <= READ_AT_ONCE:
            return reply(situation, self._bank)
        return await trio.to_thread.run_sync(reply, situation, self._bank)

    def _to_be_heard(self, turn: Turn) -> bool:
        """Whether the words of a turn are still to come: an engine is there, or on its way."""
        if self._services.recogniser.listening_to(turn.id):
            return True
        engine = self._services.inference.capabilities.asr
        hears = engine in (EngineState.READY, EngineState.LOADING)
        return hears and turn.hearing is Hearing.WAITING

    async def _speak(
        self, situation: Situation, decision: Decision, *, chips_for: str | None = None
    ) -> None:
        """Say a decision, show chips after it where they are due, and see it received."""
        self.preparing.hold()
        services, outbox = self._services, self._outbox
        record = Record(services, self._admitted, decision, situation.unanswered)
        aloud = self._speech.begin(record.reply_id)
        delivery = Delivery(
            outbox,
            aloud,
            record.keep,
            deltas=self._admitted.request.deltas,
            pause=services.settings.part_pause,
        )
        try:
            await self._wording.speak(situation, decision, delivery)
        finally:
            aloud.finish()
            await record.close()
            if record.begun and not record.complete:
                outbox.put(ReplyCancelled(record.reply_id))
        if chips_for is not None:
            await self._suggest(chips_for)
        self._rest()
        await mark_when_received(services, outbox, record.reply_id, delivery.parts)

    async def _deliver_again(self, reply: Reply) -> None:
        """Say a whole reply that the client is not known to have, all parts at once."""
        aloud = self._speech.begin(reply.id)
        deltas = self._admitted.request.deltas
        await tell(reply.parts, Delivery(self._outbox, aloud, kept_already, deltas=deltas))
        aloud.finish()

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
                partial(
                    brief,
                    here=here,
                    first_stage=self._bank.stage_ids[0],
                    now=now,
                    settings=services.settings,
                    worded=services.inference.capabilities.llm is EngineState.READY,
                )
            )
