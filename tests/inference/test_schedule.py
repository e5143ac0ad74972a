"""Turn taking: bounded, by priority, fair between owners."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.inference.errors import QueueFull
from lifeecho_server.inference.schedule import Priority, TurnTaking, may_run

OWNERS = st.sampled_from("abcd")
PRIORITIES = st.sampled_from(Priority)
ENTRIES = st.lists(st.tuples(OWNERS, PRIORITIES), max_size=30)


def anyone(_: object) -> bool:
    return True


def filled(entries: list[tuple[str, Priority]]) -> TurnTaking[int]:
    turns: TurnTaking[int] = TurnTaking(100)
    for number, (owner, priority) in enumerate(entries):
        turns.add(number, owner=owner, priority=priority)
    return turns


def taken_in_order(turns: TurnTaking[int]) -> list[int]:
    order = []
    while (item := turns.next(anyone)) is not None:
        turns.remove(item)
        order.append(item)
    return order


@given(ENTRIES)
def test_all_come_out_once_the_urgent_first(entries: list[tuple[str, Priority]]) -> None:
    order = taken_in_order(filled(entries))
    assert sorted(order) == list(range(len(entries)))
    priorities = [entries[item][1] for item in order]
    assert priorities == sorted(priorities)


@given(ENTRIES)
def test_an_owners_own_items_keep_their_order(entries: list[tuple[str, Priority]]) -> None:
    order = taken_in_order(filled(entries))
    for entry in set(entries):
        own = [item for item in order if entries[item] == entry]
        assert own == sorted(own)


@given(st.lists(OWNERS, min_size=1, max_size=30), st.integers(1, 40))
def test_nobody_waits_longer_than_a_turn_of_each_other(owners: list[str], rounds: int) -> None:
    turns = filled([(owner, Priority.LIVE) for owner in owners])
    served = [owners[item] for _ in range(rounds) if (item := turns.next(anyone)) is not None]
    assert len(served) == rounds
    counts = Counter(served)
    assert max(counts.values()) - min(counts[owner] for owner in set(owners)) <= 1


@given(st.lists(OWNERS, max_size=12), st.integers(0, 6))
def test_it_holds_no_more_than_its_limit(owners: list[str], limit: int) -> None:
    turns: TurnTaking[int] = TurnTaking(limit)
    refused = 0
    for number, owner in enumerate(owners):
        try:
            turns.add(number, owner=owner, priority=Priority.REPLY)
        except QueueFull:
            refused += 1
    assert len(turns) == len(list(turns)) == min(limit, len(owners))
    assert refused == max(0, len(owners) - limit)


def test_what_may_not_go_now_is_passed_over_and_keeps_its_place() -> None:
    turns = filled([("a", Priority.LIVE), ("b", Priority.LIVE), ("b", Priority.REPLY)])
    assert turns.next(lambda item: item == 2) == 2
    assert turns.next(anyone) == 0
    assert turns.next(lambda item: item == 0) == 0
    assert turns.next(anyone) == 1
    assert turns.next(lambda _: False) is None


def test_removing_what_is_not_there_changes_nothing() -> None:
    turns = filled([("a", Priority.LIVE)])
    assert not turns.remove(7)
    assert turns.remove(0)
    assert not turns.remove(0)
    assert len(turns) == 0


@pytest.mark.parametrize(
    ("priority", "most_urgent", "goes"),
    [
        (Priority.LIVE, Priority.LIVE, True),
        (Priority.REPLY, Priority.LIVE, True),
        (Priority.SPEECH, Priority.REPLY, True),
        (Priority.PREPARING, Priority.SPEECH, False),
        (Priority.PREPARING, Priority.PREPARING, True),
        (Priority.BACKGROUND, Priority.PREPARING, False),
        (Priority.BACKGROUND, Priority.BACKGROUND, True),
    ],
)
def test_what_nobody_waits_for_gives_way(
    priority: Priority, most_urgent: Priority, goes: bool
) -> None:
    assert may_run(priority, most_urgent) is goes
