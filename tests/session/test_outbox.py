"""The one writer: in order, bounded, and done with slow readers."""

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from lifeecho_server.protocol.outgoing import Outgoing, Pong
from lifeecho_server.session.outbox import Outbox
from lifeecho_server.session.socket import PeerGone


class SlowSocket:
    """A socket that takes one frame each time it is let."""

    heard_at = 0.0
    said_goodbye = False

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.let = trio.Semaphore(0)

    async def receive(self) -> str | bytes:
        await trio.sleep_forever()
        raise AssertionError

    async def send(self, frame: str) -> None:
        await self.let.acquire()
        self.sent.append(frame)

    async def ping(self) -> None:
        await trio.sleep_forever()


class Numbers:
    """Gives each message a frame of ten characters with its number."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _: Outgoing) -> str:
        self.count += 1
        return f"{self.count:010d}"


def outbox(socket: SlowSocket, limit: int = 1000) -> Outbox:
    return Outbox(socket, Numbers(), limit=limit, timeout=20)


async def test_frames_go_out_in_order(nursery: trio.Nursery) -> None:
    socket = SlowSocket()
    box = outbox(socket)
    nursery.start_soon(box.run)
    for _ in range(5):
        box.put(Pong())
        socket.let.release()
    await box.flush()
    assert socket.sent == [f"{n:010d}" for n in range(1, 6)]


async def test_flush_of_nothing_is_at_once() -> None:
    with trio.fail_after(1):
        await outbox(SlowSocket()).flush()


async def test_what_is_put_last_lets_the_rest_pass(nursery: trio.Nursery) -> None:
    socket = SlowSocket()
    box = outbox(socket)
    nursery.start_soon(box.run)
    box.put_last(Pong())
    box.put(Pong())
    box.put_last(Pong())
    box.put(Pong())
    for _ in range(4):
        socket.let.release()
    await box.flush()
    assert socket.sent == [f"{n:010d}" for n in (2, 4, 1, 3)]


async def test_what_is_put_last_can_be_withdrawn_until_it_is_being_sent(
    nursery: trio.Nursery,
) -> None:
    socket = SlowSocket()
    box = outbox(socket, limit=30)
    nursery.start_soon(box.run)
    for _ in range(3):
        box.put_last(Pong())
    await trio.testing.wait_all_tasks_blocked()
    box.withdraw()
    box.put(Pong())
    box.put(Pong())  # there is room for it again
    for _ in range(3):
        socket.let.release()
    await box.flush()
    assert socket.sent == [f"{n:010d}" for n in (1, 4, 5)]


async def test_withdrawing_all_there_is_leaves_nothing_to_wait_for(nursery: trio.Nursery) -> None:
    box = outbox(SlowSocket())
    box.put_last(Pong())
    box.withdraw()
    nursery.start_soon(box.run)
    with trio.fail_after(1):
        await box.flush()


async def test_reader_that_reads_nothing_is_given_up(autojump_clock: MockClock) -> None:
    box = outbox(SlowSocket())
    box.put(Pong())
    with pytest.raises(PeerGone):
        await box.run()
    assert trio.current_time() == pytest.approx(autojump_clock.current_time())
    assert trio.current_time() >= 20


async def test_too_much_waiting_gives_the_reader_up_at_once(autojump_clock: MockClock) -> None:
    begun = autojump_clock.current_time()
    box = outbox(SlowSocket(), limit=50)
    async with trio.open_nursery() as nursery:

        async def run() -> None:
            with pytest.raises(PeerGone):
                await box.run()

        nursery.start_soon(run)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(6):
            box.put(Pong())
    assert autojump_clock.current_time() == begun
    box.put(Pong())
    with pytest.raises(PeerGone):
        await box.receive_all()
