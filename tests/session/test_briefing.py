"""How much of the history a prompt sees."""

from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.session.briefing import HISTORY_BLOCK, history_length


@given(st.integers(0, 10_000), st.integers(0, 100))
def test_history_keeps_at_least_what_is_asked_and_at_most_a_block_more(
    turns: int, least: int
) -> None:
    length = history_length(turns, least)
    assert min(turns, least) <= length <= max(least, 0) + HISTORY_BLOCK - 1 or length == turns


@given(st.integers(0, 10_000))
def test_the_first_turn_shown_stays_for_a_whole_block(turns: int) -> None:
    first = turns - history_length(turns, 30)
    assert first % HISTORY_BLOCK == 0
    assert 0 <= first <= turns
