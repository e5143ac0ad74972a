"""One connection a conversation: the newest wins, and ends come in the order of arrival."""

from dataclasses import dataclass, field

import pytest
import trio

from lifeecho_server.protocol.codes import GOING_AWAY, OPENED_ELSEWHERE, Closing
from lifeecho_server.session.heard import Heard
from lifeecho_server.session.seats import Full, Seats, Superseded


@dataclass
class Sitter:
    """A connection that ends a while after it is asked to."""

    arrival: int
    user_id: str = "rose"
    device_id: str | None = None
    slow: float = 0.0
    closed: list[Closing] = field(default_factory=list)
    asked: trio.Event = field(default_factory=trio.Event)

    def close(self, closing: Closing) -> None:
        self.closed.append(closing)
        self.asked.set()

    def heard(self, heard: Heard) -> None:
        raise AssertionError(heard)

    async def sit(
        self,
        seats: Seats,
        log: list[str],
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        async with seats.taken("c", self):
            log.append(f"in {self.arrival}")
            task_status.started()
            await self.asked.wait()
            await trio.sleep(self.slow)
            log.append(f"out {self.arrival}")


def seats(most: int = 10, most_per_user: int = 10) -> Seats:
    return Seats(most=most, most_per_user=most_per_user)


async def test_older_has_fully_ended_before_the_newer_is_in(
    autojump_clock: trio.testing.MockClock,
) -> None:
    here, log = seats(), list[str]()
    older, newer = Sitter(1, slow=5), Sitter(2)
    async with trio.open_nursery() as nursery:
        await nursery.start(older.sit, here, log)
        await nursery.start(newer.sit, here, log)
        assert older.closed == [OPENED_ELSEWHERE]
        assert here.occupant("c") is newer
        newer.close(GOING_AWAY)
    assert log == ["in 1", "out 1", "in 2", "out 2"]
    assert here.occupant("c") is None


async def test_many_at_once_end_in_order(autojump_clock: trio.testing.MockClock) -> None:
    here, log = seats(), list[str]()
    sitters = [Sitter(n, slow=1) for n in range(6)]
    async with trio.open_nursery() as nursery:
        for sitter in sitters:
            nursery.start_soon(sitter.sit, here, log)
            await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(10)
        assert here.occupant("c") is sitters[-1]
        sitters[-1].close(GOING_AWAY)
    assert log == [step for n in range(6) for step in (f"in {n}", f"out {n}")]


async def test_older_arrival_does_not_disturb_a_newer() -> None:
    here, log = seats(), list[str]()
    newer = Sitter(2)
    async with trio.open_nursery() as nursery:
        await nursery.start(newer.sit, here, log)
        with pytest.raises(Superseded):
            await Sitter(1).sit(here, log)
        assert newer.closed == []
        newer.close(GOING_AWAY)


async def test_room_is_limited_but_a_seat_can_be_taken_over() -> None:
    here, log = seats(most=1), list[str]()
    first = Sitter(1)
    async with trio.open_nursery() as nursery:
        await nursery.start(first.sit, here, log)
        with pytest.raises(Full):
            here.check_room("other", "mary")
        here.check_room("c", "rose")
        first.close(GOING_AWAY)


async def test_room_of_one_user_is_limited() -> None:
    here, log = seats(most_per_user=1), list[str]()
    first = Sitter(1)
    async with trio.open_nursery() as nursery:
        await nursery.start(first.sit, here, log)
        with pytest.raises(Full):
            here.check_room("other", "rose")
        here.check_room("other", "mary")
        first.close(GOING_AWAY)


async def test_close_all_waits_for_the_last(autojump_clock: trio.testing.MockClock) -> None:
    here, log = seats(), list[str]()
    async with trio.open_nursery() as nursery:
        await nursery.start(Sitter(1, slow=3).sit, here, log)
        await here.close_all(GOING_AWAY)
        assert log == ["in 1", "out 1"]
