"""An engine and the thread inside it."""

import pytest
import trio
import trio.testing

from lifeecho_server.inference.edge import EngineBroke
from lifeecho_server.inference.errors import StepHung
from lifeecho_server.inference.lease import Lease
from tests.inference.fakes import FakeTranscriber, Obstacle


async def test_a_step_gives_its_result_or_raises() -> None:
    lease = Lease(FakeTranscriber())
    assert await lease.step(lambda: 7, timeout=5) == 7
    with pytest.raises(EngineBroke, match="ZeroDivisionError"):
        await lease.step(lambda: 1 // 0, timeout=5)
    assert not lease.ended


async def test_the_end_closes_the_engine_once() -> None:
    lease = Lease(FakeTranscriber())
    await lease.end(patience=1)
    assert lease.engine.closed.is_set()
    await lease.end(patience=1)
    assert lease.ended
    assert not lease.stuck


async def test_a_hung_thread_is_left_behind_and_closes_when_it_comes_out(
    mock_clock: trio.testing.MockClock,
) -> None:
    lease, obstacle = Lease(FakeTranscriber()), Obstacle()
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def hang() -> None:
            with pytest.raises(StepHung):
                await lease.step(obstacle.block, timeout=60)
            await lease.end(patience=0)
            assert lease.stuck
            assert not lease.engine.closed.is_set()

        await obstacle.reached.wait()
        mock_clock.jump(61)
    obstacle.clear()
    await trio.to_thread.run_sync(lease.engine.closed.wait)
    assert not lease.stuck


async def test_a_cancelled_caller_leaves_the_engine_usable() -> None:
    lease, obstacle = Lease(FakeTranscriber()), Obstacle()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lease.step, obstacle.block, 60)
        await obstacle.reached.wait()
        nursery.cancel_scope.cancel()
    obstacle.clear()
    assert await lease.step(lambda: "next", timeout=60) == "next"
    assert not lease.ended
