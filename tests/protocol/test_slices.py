"""The order of slices, whatever happens to them on the way, and the patience with those missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.protocol.slices import Patience, SliceOrder, waits

SLICES = st.integers(1, 30)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[int, list[int]]:
    """Return how many slices a recording has, and their indexes as they arrive, some twice."""
    count = draw(SLICES)
    order = draw(st.permutations(range(count)))
    doubled = draw(st.lists(st.sampled_from(range(count)), max_size=10))
    mixed = draw(st.permutations([*order, *doubled]))
    return count, list(mixed)


@given(recording=arrivals(), looked=st.lists(st.booleans(), max_size=40))
def test_each_slice_is_handed_on_once_and_in_order(
    recording: tuple[int, list[int]], looked: list[bool]
) -> None:
    count, arriving = recording
    order, handed = SliceOrder(), list[int]()
    for position, index in enumerate(arriving):
        order.arrive(index, is_last=index == count - 1)
        if position < len(looked) and looked[position]:
            handed += order.ready()
    handed += order.ready()
    assert handed == list(range(count))
    assert order.complete
    assert order.over
    assert order.missing == ()


@given(recording=arrivals(), lost=st.sets(st.integers(0, 29)))
def test_what_is_missing_is_waited_for_then_left_out_and_named(
    recording: tuple[int, list[int]], lost: set[int]
) -> None:
    count, arriving = recording
    lost &= set(range(count - 1))  # the last one arrives, so that the end is known
    order, handed = SliceOrder(), list[int]()
    for index in arriving:
        if index not in lost:
            order.arrive(index, is_last=index == count - 1)
            handed += order.ready()
    assert order.complete == (not lost)
    assert handed == list(range(min(lost, default=count)))
    order.give_up()
    handed += order.ready()
    assert handed == [index for index in range(count) if index not in lost]
    assert order.missing == tuple(sorted(lost))
    assert order.over


def test_an_index_received_once_is_a_duplicate_for_good() -> None:
    order = SliceOrder()
    assert order.arrive(0, is_last=False)
    assert not order.arrive(0, is_last=True)
    assert order.last is None


def test_the_first_last_slice_wins_and_what_comes_after_it_is_no_part() -> None:
    order = SliceOrder()
    for index, is_last in ((5, False), (2, True), (4, True), (0, False), (1, False)):
        order.arrive(index, is_last=is_last)
    assert order.last == 2
    assert order.ready() == [0, 1, 2]
    assert order.complete
    assert order.over


def test_a_last_slice_may_come_long_before_the_others() -> None:
    order = SliceOrder()
    order.arrive(3, is_last=True)
    assert (order.ready(), order.complete, order.missing) == ([], False, (0, 1, 2))
    for index in (2, 0, 1):
        order.arrive(index, is_last=False)
    assert order.ready() == [0, 1, 2, 3]


def test_without_a_last_slice_the_highest_ends_it_when_given_up() -> None:
    order = SliceOrder()
    for index in (0, 3):
        order.arrive(index, is_last=False)
    assert order.ready() == [0]
    order.give_up()
    assert order.ready() == [3]
    assert order.over
    assert (order.last, order.missing) == (None, (1, 2))


def test_a_recording_of_nothing_is_over_when_given_up() -> None:
    order = SliceOrder()
    order.give_up()
    assert order.over
    assert order.missing == ()


def test_what_comes_after_it_was_passed_over_is_still_missing_until_rewound() -> None:
    order = SliceOrder.of([0, 2], last=2)
    order.give_up()
    assert order.ready() == [0, 2]
    order.arrive(1, is_last=False)
    assert (order.ready(), order.missing, order.handed) == ([], (1,), {0, 2})
    order.rewind()
    assert (order.ready(), order.missing) == ([0, 1, 2], ())


def test_rewinding_hands_all_slices_on_again() -> None:
    order = SliceOrder.of([0, 1, 2], last=2)
    assert order.ready() == [0, 1, 2]
    order.rewind()
    assert not order.over
    assert order.ready() == [0, 1, 2]


@pytest.mark.parametrize(
    ("received", "last", "wait"),
    [
        ([0, 2], 2, 30.0),  # a gap before a last slice that is here
        ([0, 1], None, 600.0),  # nobody has said that it is over
        ([0, 2], None, 600.0),
        ([0, 1], 1, None),  # all here
    ],
)
def test_how_long_is_waited(received: list[int], last: int | None, wait: float | None) -> None:
    order = SliceOrder.of(received, last)
    assert waits(order, slice_wait=30.0, session_idle=600.0) == wait
    order.give_up()
    assert waits(order, slice_wait=30.0, session_idle=600.0) is None


def test_patience_counts_only_while_somebody_is_connected() -> None:
    patience = Patience()
    assert patience.ends_at(30.0) is None
    patience.connected(100.0)
    assert patience.ends_at(30.0) == 130.0
    patience.arrived(110.0)
    assert patience.ends_at(30.0) == 140.0
    patience.disconnected(120.0)
    assert patience.ends_at(30.0) is None
    patience.connected(10_000.0)
    assert patience.ends_at(30.0) == 10_020.0


def test_what_arrives_while_nobody_is_there_starts_patience_anew() -> None:
    patience = Patience()
    patience.connected(0.0)
    patience.disconnected(20.0)
    patience.arrived(25.0)
    patience.connected(50.0)
    assert patience.ends_at(30.0) == 80.0


def test_saying_twice_that_somebody_is_there_changes_nothing() -> None:
    patience = Patience()
    patience.connected(0.0)
    patience.connected(20.0)
    assert patience.ends_at(30.0) == 30.0
    patience.disconnected(10.0)
    patience.disconnected(20.0)
    patience.connected(100.0)
    assert patience.ends_at(30.0) == 120.0
