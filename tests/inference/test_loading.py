"""Keeping an engine loaded."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.capabilities import EngineState
from lifeecho_server.inference.lease import Lease
from lifeecho_server.inference.loading import RECHECK_SECONDS, STUCK_MAX, EngineLoader
from tests.inference.fakes import FakeTranscriber, Obstacle


class Watch:
    """The states a loader went through, and a way to wait for one."""

    def __init__(
        self,
        load: Callable[[], FakeTranscriber | None],
        fingerprint: Callable[[], object] = lambda: 0,
    ) -> None:
        self.states: list[EngineState] = []
        self._changed = trio.Event()
        self.loader = EngineLoader(load, fingerprint, on_change=self._note)

    def _note(self) -> None:
        self.states.append(self.loader.state)
        self._changed.set()

    async def until(self, *states: EngineState) -> None:
        while tuple(self.states[-len(states) :]) != states:
            await self._changed.wait()
            self._changed = trio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.loader.run)
            yield
            nursery.cancel_scope.cancel()


async def test_it_loads_lends_and_closes_at_the_end() -> None:
    engine = FakeTranscriber()
    watch = Watch(lambda: engine)
    assert watch.loader.state is EngineState.LOADING
    async with watch.running():
        lease = await watch.loader.ready()
        assert lease.engine is engine
        assert watch.states == [EngineState.READY]
    assert engine.closed.is_set()


async def test_what_is_installed_later_is_picked_up(mock_clock: trio.testing.MockClock) -> None:
    installed: list[FakeTranscriber] = []
    looks: list[int] = []

    def fingerprint() -> int:
        looks.append(len(installed))
        return len(installed)

    watch = Watch(lambda: installed[0] if installed else None, fingerprint)
    async with watch.running():
        await watch.until(EngineState.NONE)
        assert watch.loader.unavailable
        while len(looks) < 3:
            await _tick(mock_clock)
        assert watch.states == [EngineState.NONE]
        installed.append(FakeTranscriber())
        while watch.states[-1] is not EngineState.READY:
            await _tick(mock_clock)
        assert watch.states == [EngineState.NONE, EngineState.LOADING, EngineState.READY]


async def _tick(clock: trio.testing.MockClock) -> None:
    clock.jump(RECHECK_SECONDS)
    await trio.testing.wait_all_tasks_blocked()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LifeEchoError("the file is damaged"), "the file is damaged"),
        (RuntimeError("native"), "the model could not be loaded: native"),
    ],
)
async def test_a_model_that_does_not_load_is_reported_and_tried_again(
    mock_clock: trio.testing.MockClock, error: Exception, reason: str
) -> None:
    files = ["damaged"]

    def load() -> FakeTranscriber:
        if files == ["damaged"]:
            raise error
        return FakeTranscriber()

    watch = Watch(load, lambda: tuple(files))
    async with watch.running():
        await watch.until(EngineState.FAILED)
        assert watch.loader.unavailable
        assert watch.loader.reason == reason
        files[:] = ["mended"]
        while watch.states[-1] is not EngineState.READY:
            await _tick(mock_clock)
        assert watch.loader.reason is None


async def test_a_broken_engine_is_replaced() -> None:
    engines: list[FakeTranscriber] = []

    def load() -> FakeTranscriber:
        engines.append(FakeTranscriber())
        return engines[-1]

    watch = Watch(load)
    async with watch.running():
        lease = await watch.loader.ready()
        watch.loader.report(lease, "it raised")
        assert not watch.loader.unavailable
        assert watch.loader.reason == "it raised"
        await watch.until(
            EngineState.READY, EngineState.FAILED, EngineState.LOADING, EngineState.READY
        )
        watch.loader.report(lease, "the old one again")
        assert watch.loader.state is EngineState.READY
    assert [engine.closed.is_set() for engine in engines] == [True, True]


async def test_engines_that_hang_again_and_again_are_not_loaded_for_ever(
    mock_clock: trio.testing.MockClock,
) -> None:
    obstacles = [Obstacle() for _ in range(STUCK_MAX)]
    watch = Watch(FakeTranscriber)
    leases: list[Lease[FakeTranscriber]] = []
    async with watch.running():
        for obstacle in obstacles:
            await watch.until(EngineState.READY)
            leases.append(await watch.loader.ready())
            await _hang(watch.loader, leases[-1], obstacle, mock_clock)
        await watch.until(EngineState.LOADING, EngineState.FAILED)
        assert "restart" in (watch.loader.reason or "")
        assert watch.loader.unavailable
        obstacles[0].clear()
        await trio.to_thread.run_sync(leases[0].engine.closed.wait)
        while watch.states[-1] is not EngineState.READY:
            await _tick(mock_clock)
    obstacles[1].clear()
    await trio.to_thread.run_sync(leases[1].engine.closed.wait)


async def _hang(
    loader: EngineLoader[FakeTranscriber],
    lease: Lease[FakeTranscriber],
    obstacle: Obstacle,
    clock: trio.testing.MockClock,
) -> None:
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def step() -> None:
            with pytest.raises(LifeEchoError):
                await lease.step(obstacle.block, 60)
            loader.report(lease, "it hangs")

        await obstacle.reached.wait()
        clock.jump(61)


async def test_an_engine_that_is_loaded_too_late_is_closed_again() -> None:
    obstacle, engine = Obstacle(), FakeTranscriber()

    def load() -> FakeTranscriber:
        obstacle.block()
        return engine

    watch = Watch(load)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.loader.run)
        await obstacle.reached.wait()
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await trio.testing.wait_all_tasks_blocked()
            obstacle.clear()
    assert engine.closed.is_set()
