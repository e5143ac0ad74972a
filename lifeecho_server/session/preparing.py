"""What is done ahead for a conversation while nobody waits for it.

Its next prompt is evaluated as far as it is known, also while the person is still talking; and when
nothing is going on, the questions that are likely next are worded.
"""

import logging
from dataclasses import dataclass, replace
from functools import partial

import trio

from lifeecho_server.inference import EngineState
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.prompts import beginning
from lifeecho_server.interview.situation import Hearing, Situation, Turn
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.outgoing import TranscriptPartial
from lifeecho_server.protocol.speaker import Speaker
from lifeecho_server.session.admission import Admitted
from lifeecho_server.session.boundary import boundary
from lifeecho_server.session.briefing import brief
from lifeecho_server.session.model_words import MODEL_FAULTS
from lifeecho_server.session.questions_ahead import QuestionsAhead
from lifeecho_server.session.services import Services
from lifeecho_server.session.told import told_as_faults

log = logging.getLogger("lifeecho.preparing")


@dataclass(frozen=True, slots=True)
class _Talk:
    """What somebody is saying: the words of it that will not change any more."""

    session: str
    speaker: Speaker
    words: str = ""


class Preparing:
    """Prepares one conversation's next reply.

    Everything but ``run`` may be called at any time and never waits. Nothing is done between
    ``hold`` and ``release``: while a reply is made, the history that it will leave is not known.
    Every call of an engine is at the priority of preparing, and gives way to whatever somebody
    waits for; what was evaluated before it is cut off is kept.
    """

    def __init__(
        self, services: Services, admitted: Admitted, bank: Bank, questions: QuestionsAhead
    ) -> None:
        self._services = services
        self._here = admitted.conversation
        self._bank = bank
        self._questions = questions
        self._talk: _Talk | None = None
        self._held = True
        self._stirred = trio.Event()
        self._working = trio.CancelScope()
        self._at_leisure = trio.CancelScope()

    def hold(self) -> None:
        """Leave off: a turn is here and will be answered, what was being said is over."""
        self._held, self._talk = True, None
        self._working.cancel()

    def release(self) -> None:
        """Nothing is being answered any more."""
        self._held = False
        self._stirred.set()

    def talking(self, session: str, speaker: Speaker = Speaker.NARRATOR) -> None:
        """Somebody has begun to talk, or goes on."""
        talk = self._talk
        if talk is None or talk.session != session:
            self._hear(_Talk(session, speaker))
        elif talk.speaker is not speaker:
            self._hear(replace(talk, speaker=speaker))

    def overheard(self, heard: TranscriptPartial) -> None:
        """Some words of theirs are certain by now."""
        talk = self._talk
        if talk is None or talk.session != heard.voice_session_id:
            talk = _Talk(heard.voice_session_id, Speaker.NARRATOR)
        words = heard.text[: heard.stable_chars].strip()
        if words != talk.words:
            self._hear(replace(talk, words=words))

    def _hear(self, talk: _Talk) -> None:
        self._talk = talk
        self._at_leisure.cancel()
        self._stirred.set()

    async def run(self) -> None:
        """Prepare whenever something has happened, until cancelled."""
        while True:
            await self._stirred.wait()
            self._stirred = trio.Event()
            if self._held or self._services.inference.capabilities.llm is not EngineState.READY:
                continue
            with trio.CancelScope() as self._working:
                await self._prepare_or_leave()

    async def _prepare_or_leave(self) -> None:
        """Prepare; nobody waits for it, so its failing is told to nobody."""
        try:
            with boundary("preparing"), told_as_faults():
                await self._prepare()
        except Fault as fault:
            log.warning("not prepared conversation=%s code=%s", self._here.id, fault.code)

    async def _prepare(self) -> None:
        talk = self._talk
        situation = await self._situation()
        messages = beginning(_as_heard(situation, talk), self._bank)
        try:
            await self._services.inference.prepare(messages, conversation=self._here.id)
            with trio.CancelScope() as self._at_leisure:
                if self._talk is None and not situation.unanswered:
                    await self._questions.word(situation)
        except MODEL_FAULTS as error:
            log.info("not prepared conversation=%s kind=%s", self._here.id, type(error).__name__)

    async def _situation(self) -> Situation:
        services = self._services
        briefing = await services.store.read(
            partial(
                brief,
                here=self._here,
                first_stage=self._bank.stage_ids[0],
                now=services.clock.now(),
                settings=services.settings,
                worded=True,
            )
        )
        return briefing.situation


def _as_heard(situation: Situation, talk: _Talk | None) -> Situation:
    """Return a situation as it will be answered: with what is being said, without unheard turns."""
    heard = tuple(turn for turn in situation.unanswered if turn.hearing is not Hearing.WAITING)
    if talk is not None and talk.words:
        heard += (Turn("", talk.speaker, talk.words, situation.now, Hearing.HEARD),)
    return replace(situation, unanswered=heard)
