"""What a model says, sentence by sentence."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import trio

from lifeecho_server.engines.chat_model import Sampling
from lifeecho_server.inference import (
    ContextOverflow,
    EngineFailed,
    Inference,
    LlmUnavailable,
    Priority,
    QueueFull,
)
from lifeecho_server.interview.message import Message
from lifeecho_server.interview.sentences import SentenceSplitter

TEMPERATURE = 0.6
MODEL_FAULTS = (EngineFailed, LlmUnavailable, QueueFull, ContextOverflow, trio.TooSlowError)
"""What a model is given up for; the script is there instead."""

Take = Callable[[str], Awaitable[bool]]
"""Takes the next sentence; False when nothing more is wanted."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a model is asked; ``tokens`` bounds what it may say."""

    messages: Sequence[Message]
    conversation: str
    tokens: int
    priority: Priority
    seed: int = 0


async def listen_to_model(
    inference: Inference,
    attempt: Attempt,
    take: Take,
    patience: Callable[[], float] = lambda: float("inf"),
) -> None:
    """Hand on a model's sentences as they are whole; ``patience`` is in seconds from now.

    A sentence that the limit of tokens cut short is left out. Raises MODEL_FAULTS.
    """
    splitter, pieces_seen, begun = SentenceSplitter(), 0, trio.current_time()
    generation = inference.reply(
        attempt.messages,
        conversation=attempt.conversation,
        sampling=Sampling(temperature=TEMPERATURE, seed=attempt.seed),
        max_tokens=attempt.tokens,
        priority=attempt.priority,
    )
    async with generation as pieces:
        while True:
            # Only waiting for the model is bounded: what it said is never cut off in between.
            with trio.fail_at(begun + patience()):
                piece = await anext(pieces, None)
            if piece is None:
                break
            pieces_seen += 1
            for sentence in splitter.feed(piece):
                if not await take(sentence):
                    return
    for sentence in splitter.flush() if pieces_seen < attempt.tokens else ():
        if not await take(sentence):
            return
