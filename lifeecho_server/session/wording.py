"""From a decision to words: the model's, guarded, or the script's; sentence by sentence."""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Protocol, assert_never

import trio

from lifeecho_server.engines.chat_model import Sampling
from lifeecho_server.inference import (
    ContextOverflow,
    EngineFailed,
    EngineState,
    Inference,
    LlmUnavailable,
    Priority,
    QueueFull,
)
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.guards import Guard, Outcome, Reason
from lifeecho_server.interview.message import Message
from lifeecho_server.interview.prompts import prompt
from lifeecho_server.interview.sentences import SentenceSplitter, sentences_of
from lifeecho_server.interview.situation import Situation
from lifeecho_server.settings import Settings

log = logging.getLogger("lifeecho.reply")

ATTEMPTS = 2
"""The model is asked a second time when everything it said was in the wrong language or script."""
TEMPERATURE = 0.6
MODEL_FAULTS = (EngineFailed, LlmUnavailable, QueueFull, ContextOverflow, trio.TooSlowError)
"""After these the reply ends with what was said of it; the script says one that is not begun."""


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
    """One attempt of the model: what of its sentences passes the guards is said."""

    def __init__(self, guard: Guard, spoken: _Spoken) -> None:
        self._guard = guard
        self._spoken = spoken
        self.passed = 0
        self.refused: Counter[Reason] = Counter()

    async def take(self, sentence: str) -> bool:
        """Guard a sentence and say it if it passes; False when nothing more is wanted."""
        verdict = self._guard.check(sentence)
        if verdict.reason is not None:
            self.refused[verdict.reason] += 1
        match verdict.outcome:
            case Outcome.PASS:
                self.passed += 1
                await self._spoken.sentence(verdict.text)
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
        self, inference: Inference, settings: Settings, bank: Bank, conversation_id: str
    ) -> None:
        self._inference = inference
        self._settings = settings
        self._bank = bank
        self._conversation_id = conversation_id

    async def speak(self, situation: Situation, decision: Decision, telling: Telling) -> None:
        """Say a decision; there is always at least one part."""
        spoken = _Spoken(telling)
        if decision.direction is not None and self._inference.capabilities.llm is EngineState.READY:
            await self._by_model(situation, decision, spoken)
        if spoken.empty:
            await tell(decision.parts, telling)
        else:
            await spoken.finish()

    async def _by_model(self, situation: Situation, decision: Decision, spoken: _Spoken) -> None:
        messages = prompt(situation, decision, self._bank)
        for seed in range(ATTEMPTS):
            draft = _Draft(Guard(situation, decision, self._bank), spoken)
            try:
                await self._attempt(messages, draft, seed)
            except MODEL_FAULTS as error:
                kind = type(error).__name__
                log.warning("model gave up conversation=%s kind=%s", self._conversation_id, kind)
            self._note(draft)
            if not draft.in_wrong_language:
                return

    async def _attempt(self, messages: Sequence[Message], draft: _Draft, seed: int) -> None:
        """Ask the model once; what passes is said while the rest is being generated."""
        splitter, most = SentenceSplitter(), self._settings.reply_tokens_max
        generation = self._inference.reply(
            messages,
            conversation=self._conversation_id,
            sampling=Sampling(temperature=TEMPERATURE, seed=seed),
            max_tokens=most,
            priority=Priority.REPLY,
        )
        pieces_seen, begun = 0, trio.current_time()
        async with generation as pieces:
            while True:
                # Only waiting for the model is bounded: what it said is never cut off in between.
                with trio.fail_at(begun + self._patience(draft)):
                    piece = await anext(pieces, None)
                if piece is None:
                    break
                pieces_seen += 1
                for sentence in splitter.feed(piece):
                    if not await draft.take(sentence):
                        return
        # A sentence that the token limit cut short is not said.
        for sentence in splitter.flush() if pieces_seen < most else ():
            await draft.take(sentence)

    def _patience(self, draft: _Draft) -> float:
        """Seconds that the model has for its first words, and once they are there for all."""
        settings = self._settings
        return settings.reply_timeout if draft.passed else settings.first_words_timeout

    def _note(self, draft: _Draft) -> None:
        if draft.refused:
            counts = " ".join(f"{reason}={n}" for reason, n in sorted(draft.refused.items()))
            log.info("guarded conversation=%s %s", self._conversation_id, counts)


async def tell(parts: Sequence[str], telling: Telling) -> None:
    """Say parts that are known from the start, as they are written."""
    for index, text in enumerate(parts):
        sentences = sentences_of(text)
        for count, sentence in enumerate(sentences, 1):
            await telling.sentence(sentence, joined(sentences[:count]))
        await telling.part(text, total=len(parts), final=index == len(parts) - 1)
