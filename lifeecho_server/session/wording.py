"""From a decision to spoken parts: the model's words, guarded; the script's where it has none."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

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
from lifeecho_server.interview.sentences import SentenceSplitter
from lifeecho_server.interview.situation import Situation
from lifeecho_server.settings import Settings

log = logging.getLogger("lifeecho.reply")

ATTEMPTS = 2
"""The model is asked a second time when everything it said was in the wrong language or script."""
TEMPERATURE = 0.6


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a reply; ``total`` is known with the last part, or from the start by script."""

    text: str
    index: int
    total: int | None
    final: bool


Say = Callable[[Part], Awaitable[None]]


class _OneAhead:
    """Holds each part back until it is known whether another one follows."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._held: list[str] = []
        self._said = 0

    @property
    def empty(self) -> bool:
        """Whether no part has come yet."""
        return not self._held and not self._said

    async def part(self, text: str) -> None:
        """Say the part that was held, and hold this one; if that is cut off, both are held."""
        self._held.append(text)
        if len(self._held) > 1:
            await self._say(Part(self._held[0], self._said, None, final=False))
            del self._held[0]
            self._said += 1

    async def finish(self) -> None:
        """Say what is held; its end is the reply's end."""
        while self._held:
            final = len(self._held) == 1
            total = self._said + 1 if final else None
            await self._say(Part(self._held[0], self._said, total, final=final))
            del self._held[0]
            self._said += 1


class _Draft:
    """One attempt of the model: its guarded sentences, gathered into parts."""

    def __init__(self, guard: Guard, ahead: _OneAhead) -> None:
        self._guard = guard
        self._ahead = ahead
        self._sentences: list[str] = []
        self.passed = 0
        self.refused: Counter[Reason] = Counter()

    async def take(self, sentence: str) -> bool:
        """Guard a sentence and keep it if it passes; False when nothing more is wanted."""
        verdict = self._guard.check(sentence)
        if verdict.reason is not None:
            self.refused[verdict.reason] += 1
        match verdict.outcome:
            case Outcome.PASS:
                self.passed += 1
                self._sentences.append(verdict.text)
            case Outcome.BREAK:
                await self.close_part()
            case Outcome.STOP:
                return False
            case Outcome.DROP:
                pass
            case _:
                assert_never(verdict.outcome)
        return True

    async def close_part(self) -> None:
        """End the part that is being gathered, if there is anything in it."""
        sentences, self._sentences = self._sentences, []
        if sentences:
            await self._ahead.part(joined(sentences))

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

    async def speak(self, situation: Situation, decision: Decision, say: Say) -> None:
        """Say a decision, part by part; there is always at least one part."""
        ahead = _OneAhead(say)
        if decision.direction is not None and self._inference.capabilities.llm is EngineState.READY:
            await self._by_model(situation, decision, ahead)
        if ahead.empty:
            await _by_script(decision, say)
        else:
            await ahead.finish()

    async def _by_model(self, situation: Situation, decision: Decision, ahead: _OneAhead) -> None:
        messages = prompt(situation, decision, self._bank)
        for seed in range(ATTEMPTS):
            draft = _Draft(Guard(situation, decision, self._bank), ahead)
            try:
                await self._attempt(messages, draft, seed)
            except (EngineFailed, LlmUnavailable, QueueFull, ContextOverflow) as error:
                log.warning("model gave up kind=%s", type(error).__name__)
            await draft.close_part()
            self._note(draft)
            if not draft.in_wrong_language:
                return

    async def _attempt(self, messages: Sequence[Message], draft: _Draft, seed: int) -> None:
        """Ask the model once; what passes goes to the draft while it is being generated."""
        splitter, pieces_seen, begun = SentenceSplitter(), 0, trio.current_time()
        most = self._settings.reply_tokens_max
        generation = self._inference.reply(
            messages,
            conversation=self._conversation_id,
            sampling=Sampling(temperature=TEMPERATURE, seed=seed),
            max_tokens=most,
            priority=Priority.REPLY,
        )
        with trio.move_on_after(self._settings.first_words_timeout) as patience:
            async with generation as pieces:
                async for piece in pieces:
                    pieces_seen += 1
                    for sentence in splitter.feed(piece):
                        if not await draft.take(sentence):
                            return
                    if draft.passed:
                        patience.deadline = begun + self._settings.reply_timeout
            # A sentence that the token limit cut short is not said.
            for sentence in splitter.flush() if pieces_seen < most else ():
                await draft.take(sentence)
        if patience.cancelled_caught:
            log.warning("model too slow conversation=%s", self._conversation_id)

    def _note(self, draft: _Draft) -> None:
        if draft.refused:
            counts = " ".join(f"{reason}={n}" for reason, n in sorted(draft.refused.items()))
            log.info("guarded conversation=%s %s", self._conversation_id, counts)


async def _by_script(decision: Decision, say: Say) -> None:
    total = len(decision.parts)
    for index, text in enumerate(decision.parts):
        await say(Part(text, index, total, final=index == total - 1))
