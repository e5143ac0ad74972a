"""Dropping the oldest turns of a conversation."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.engines.chat_model import Message
from lifeecho_server.inference.errors import ContextOverflow
from lifeecho_server.inference.fitting import BLOCK, fit


def count(messages: Sequence[Message]) -> int:
    return sum(len(message.content) for message in messages)


def conversation(lengths: list[int], system: int = 5) -> list[Message]:
    turns = [
        Message("user" if i % 2 == 0 else "assistant", "x" * length)
        for i, length in enumerate(lengths)
    ]
    return [Message("system", "s" * system), *turns]


LENGTHS = st.lists(st.integers(0, 30), min_size=1, max_size=40).filter(lambda x: len(x) % 2 == 1)


@given(LENGTHS, st.integers(0, 400))
def test_it_fits_and_keeps_the_system_prompt_and_the_newest(lengths: list[int], room: int) -> None:
    messages = conversation(lengths)
    budget = 5 + lengths[-1] + room
    kept = fit(messages, budget, count)
    assert count(kept) <= budget
    assert kept[0] == messages[0]
    assert kept[1:] == messages[len(messages) - len(kept) + 1 :]
    assert kept[1].role == "user"
    if count(messages) <= budget:
        assert kept == messages


def test_the_beginning_stays_the_same_for_several_turns() -> None:
    starts = []
    for turns in range(21, 41, 2):
        messages = conversation([10] * turns)
        kept = fit(messages, 205, count)
        starts.append(len(messages) - len(kept))
    assert set(starts) <= set(range(0, 41, BLOCK))
    assert len(set(starts)) <= 4


def test_a_greeting_stays_unless_turns_are_dropped() -> None:
    messages = conversation([10] * 19)
    greeted = [messages[0], Message("assistant", "hello"), *messages[1:]]
    assert fit(greeted, 1000, count) == greeted
    kept = fit(greeted, 150, count)
    assert kept[1] == messages[-len(kept) + 1]
    assert kept[1].role == "user"


def test_a_last_message_that_is_too_long_by_itself_is_refused() -> None:
    with pytest.raises(ContextOverflow):
        fit(conversation([3, 3, 50]), 40, count)


def test_a_system_prompt_alone_is_a_prompt_too() -> None:
    only = conversation([])
    assert fit(only, 5, count) == only
    with pytest.raises(ContextOverflow):
        fit(only, 4, count)
