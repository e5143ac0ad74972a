"""From a decision to words: the model's, guarded, or the script's; sentence by sentence."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, assert_never

from lifeecho_server.inference import EngineState, Inference, Priority
from lifeecho_server.interview.ahead import Ahead, question_of, stands_for, taking_up
from lifeecho_server.interview.asking import asks
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.guards import Guard, Outcome, Reason
from lifeecho_server.interview.message import Message
from lifeecho_server.interview.prompts import prompt
from lifeecho_server.interview.sentences import sentences_of
from lifeecho_server.interview.situation import Situation
from lifeecho_server.session.model_words import MODEL_FAULTS, Attempt, listen_to_model
from lifeecho_server.session.questions_ahead import QuestionsAhead
from lifeecho_server.settings import Settings

log = logging.getLogger("lifeecho.reply")

ATTEMPTS = 2
"""The model is asked a second time when everything it said was in the wrong language or script."""


class Telling(Protocol):
    """Where what is said goes: each part as its sentences, one by one, and then as a whole."""

    async def sentence(self, text: str, so_far: str) -> None:
        """Take a sentence; the part that it belongs to is ``so_far`` with it."""
        ...

    async def part(self, text: str, *, total: int | None, final: bool) -> None:
        """Take the part that the sentences since the last one make; ``total`` where known."""
        ...


class _Spoken:
    """A model's reply as it is told; a part is closed when it is known whether another follows."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._sentences: list[str] = []
        self.said: list[str] = []
        self._over = False
        self._parts = 0

    @property
    def empty(self) -> bool:
        """Whether nothing has been said yet."""
        return not self._sentences and not self._parts

    async def sentence(self, text: str) -> None:
        """Say a sentence at once."""
        if self._over:
            await self._close(final=False)
        self._sentences.append(text)
        self.said.append(text)
        await self._telling.sentence(text, joined(self._sentences))

    def part_ends(self) -> None:
        """Let the next sentence begin another part."""
        self._over = bool(self._sentences)

    async def finish(self) -> None:
        """End the reply, and with it its last part."""
        await self._close(final=True)

    async def _close(self, *, final: bool) -> None:
        text = joined(self._sentences)
        self._sentences, self._over, self._parts = [], False, self._parts + 1
        await self._telling.part(text, total=self._parts if final else None, final=final)


class _Draft:
    """One attempt of the model: what of its sentences passes the guards is said.

    With ``one_sentence`` nothing more is wanted after the first, for more is to be said after it.
    A question that is not the one decided on (``stands``) is left out.
    """

    def __init__(
        self, guard: Guard, spoken: _Spoken, stands: Callable[[str], bool], *, one_sentence: bool
    ) -> None:
        self._guard = guard
        self._spoken = spoken
        self._stands = stands
        self._one_sentence = one_sentence
        self.passed = 0
        self.refused: Counter[Reason] = Counter()

    async def take(self, sentence: str) -> bool:
        """Guard a sentence and say it if it passes; False when nothing more is wanted."""
        verdict = self._guard.check(sentence)
        if verdict.reason is not None:
            self.refused[verdict.reason] += 1
        match verdict.outcome:
            case Outcome.PASS if not self._stands(verdict.text):
                self.refused[Reason.OTHER_QUESTION] += 1
            case Outcome.PASS:
                self.passed += 1
                await self._spoken.sentence(verdict.text)
                return not self._one_sentence
            case Outcome.BREAK:
                self._spoken.part_ends()
            case Outcome.STOP:
                return False
            case Outcome.DROP:
                pass
            case _:
                assert_never(verdict.outcome)
        return True

    @property
    def in_wrong_language(self) -> bool:
        """Whether nothing passed and the language or script was a reason."""
        language = self.refused[Reason.WRONG_LANGUAGE] + self.refused[Reason.WRONG_SCRIPT]
        return not self.passed and language > 0


def joined(sentences: Sequence[str]) -> str:
    """Join sentences as their script does: with a space after Latin ones, without after Hanzi."""
    text = ""
    for sentence in sentences:
        spaced = text and text[-1].isascii()
        text += f" {sentence}" if spaced else sentence
    return text


class Wording:
    """The interviewer's voice in one conversation."""

    def __init__(
        self,
        inference: Inference,
        settings: Settings,
        bank: Bank,
        questions: QuestionsAhead,
        conversation_id: str,
    ) -> None:
        self._inference = inference
        self._settings = settings
        self._bank = bank
        self._questions = questions
        self._conversation_id = conversation_id
        self._counts = inference.metrics.replies

    async def speak(self, situation: Situation, decision: Decision, telling: Telling) -> None:
        """Say a decision; there is always at least one part.

        Where the question was worded ahead the model has only to take up what was told.
        """
        spoken = _Spoken(telling)
        question = self._questions.worded(situation, decision)
        whole, asked = False, question_of(decision)
        try:
            if self._model_speaks(decision):
                await self._by_model(situation, decision, spoken, ahead=question is not None)
            by_script = spoken.empty
            unasked = asked is not None and not by_script and not self._has_asked(spoken)
            left = asked.text if question is None and asked and unasked else question
            await self._to_its_end(decision, left, spoken, telling)
            whole = True
        finally:
            self._counts.cut_off += not whole
        self._note_reply(by_script=by_script, ahead=question is not None)

    async def _to_its_end(
        self, decision: Decision, question: str | None, spoken: _Spoken, telling: Telling
    ) -> None:
        """Say what the model has left to be said: all of it if it said nothing."""
        if spoken.empty:
            parts = decision.parts if question is None else (*decision.parts[:-1], question)
            await tell(parts, telling)
            return
        if question is not None:
            spoken.part_ends()
            await spoken.sentence(question)
        await spoken.finish()

    def _has_asked(self, spoken: _Spoken) -> bool:
        return any(asks(text, self._bank) for text in spoken.said)

    def _stands_for(self, asked: Ahead | None, text: str) -> bool:
        """Whether a sentence may be said as far as it asks something."""
        if asked is None or not asks(text, self._bank):
            return True
        return stands_for(text, asked, self._bank)

    def _model_speaks(self, decision: Decision) -> bool:
        ready = self._inference.capabilities.llm is EngineState.READY
        return ready and decision.direction is not None

    async def _by_model(
        self, situation: Situation, decision: Decision, spoken: _Spoken, *, ahead: bool
    ) -> None:
        """Have the model say it; ``ahead``: all but the question, in a sentence."""
        directed = taking_up(decision, self._bank) if ahead else decision
        messages = prompt(situation, directed, self._bank)
        stands = partial(self._stands_for, question_of(directed))
        for seed in range(ATTEMPTS):
            draft = _Draft(
                Guard(situation, directed, self._bank), spoken, stands, one_sentence=ahead
            )
            try:
                await self._attempt(messages, draft, seed)
            except MODEL_FAULTS as error:
                self._note_fault(type(error).__name__)
            self._note_refused(draft)
            if not draft.in_wrong_language:
                return

    async def _attempt(self, messages: Sequence[Message], draft: _Draft, seed: int) -> None:
        """Ask the model once; what passes is said while the rest is being generated."""
        attempt = Attempt(
            messages,
            self._conversation_id,
            self._settings.reply_tokens_max,
            Priority.REPLY,
            seed,
        )
        patience = partial(self._patience, draft)
        await listen_to_model(self._inference, attempt, draft.take, patience)

    def _patience(self, draft: _Draft) -> float:
        """Seconds that the model has for its first words, and once they are there for all."""
        settings = self._settings
        return settings.reply_timeout if draft.passed else settings.first_words_timeout

    def _note_fault(self, kind: str) -> None:
        self._counts.model_faults[kind] += 1
        log.warning("model gave up conversation=%s kind=%s", self._conversation_id, kind)

    def _note_refused(self, draft: _Draft) -> None:
        self._counts.refused.update(draft.refused)
        if draft.refused:
            counts = " ".join(f"{reason}={n}" for reason, n in sorted(draft.refused.items()))
            log.info("guarded conversation=%s %s", self._conversation_id, counts)

    def _note_reply(self, *, by_script: bool, ahead: bool) -> None:
        self._counts.by_script += by_script
        self._counts.by_model += not by_script
        self._counts.asked_ahead += ahead
        words = "script" if by_script else "model"
        log.info("reply conversation=%s words=%s ahead=%d", self._conversation_id, words, ahead)


async def tell(parts: Sequence[str], telling: Telling) -> None:
    """Say parts that are known from the start, as they are written."""
    for index, text in enumerate(parts):
        sentences = sentences_of(text)
        for count, sentence in enumerate(sentences, 1):
            await telling.sentence(sentence, joined(sentences[:count]))
        await telling.part(text, total=len(parts), final=index == len(parts) - 1)
