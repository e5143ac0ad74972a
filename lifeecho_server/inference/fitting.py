"""Making a conversation fit into a model's context by dropping its oldest turns. Pure."""

from collections.abc import Callable, Sequence

from lifeecho_server.engines.chat_model import Message
from lifeecho_server.inference.errors import ContextOverflow

BLOCK = 8
"""Messages dropped at a time: the same beginning then serves several turns, evaluated once."""


def fit(
    messages: Sequence[Message],
    budget: int,
    count: Callable[[Sequence[Message]], int],
) -> list[Message]:
    """Return the messages without as many of the oldest as it takes to ``count`` ≤ ``budget``.

    Leading system messages and the last message always stay, and what is left of the turns begins
    with the user where it can. Raises ContextOverflow.
    """
    head = next((i for i, m in enumerate(messages) if m.role != "system"), len(messages))
    system, turns = list(messages[:head]), list(messages[head:])
    for dropped in _steps(len(turns)):
        kept = system + (_from_user(turns[dropped:]) if dropped else turns)
        if count(kept) <= budget:
            return kept
    raise ContextOverflow("this is too long for the language model; please say it in parts")


def _steps(turns: int) -> list[int]:
    """How many to drop, from nothing to all but the last."""
    last = max(turns - 1, 0)
    return [*range(0, last, BLOCK), last]


def _from_user(turns: list[Message]) -> list[Message]:
    while len(turns) > 1 and turns[0].role == "assistant":
        turns = turns[1:]
    return turns
