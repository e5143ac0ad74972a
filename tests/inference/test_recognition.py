"""The recognition lane: turns, priorities, faults."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
import trio.testing

from lifeecho_server.engines.audio import BadAudio
from lifeecho_server.engines.transcriber import Hearing
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.activity import Activity
from lifeecho_server.inference.decoding import AudioSource, Decoding
from lifeecho_server.inference.errors import AsrUnavailable, EngineFailed, QueueFull
from lifeecho_server.inference.loading import EngineLoader
from lifeecho_server.inference.metrics import AsrMetrics
from lifeecho_server.inference.recognition import RecognitionLane
from lifeecho_server.inference.schedule import Priority
from tests.inference.fakes import FakeDecoding, FakeTranscriber, Obstacle

NOTHING = AudioSource(data=b"")
SECOND = AudioSource(data=b"\x00\x01" * 16_000, format="pcm_s16le", sample_rate=16_000)


class Lane:
    """A lane over fakes, with all its parts at hand."""

    def __init__(
        self,
        load: Callable[[], FakeTranscriber | None],
        *,
        queue: int = 8,
        decoding: Decoding | FakeDecoding | None = None,
    ) -> None:
        self.activity = Activity()
        self.decoding = decoding or FakeDecoding()
        self.metrics = AsrMetrics()
        self.loader = EngineLoader(load, lambda: 0, on_change=lambda: self.lane.engine_changed())
        self.lane = RecognitionLane(
            self.loader,
            self.activity,
            self.metrics,
            queue=queue,
            step_timeout=60,
        )
        self.heard: dict[str, str | LifeEchoError] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[trio.Nursery]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.loader.run)
            nursery.start_soon(self.lane.run)
            yield nursery
            nursery.cancel_scope.cancel()

    async def hear(
        self,
        name: str,
        owner: str | None = None,
        priority: Priority = Priority.LIVE,
        source: AudioSource = NOTHING,
    ) -> None:
        try:
            transcript = await self.lane.transcribe(
                partial(self.decoding.opened, source, priority),
                Hearing(hotwords=(name,)),
                owner=owner or name,
                priority=priority,
            )
            self.heard[name] = transcript.text
        except LifeEchoError as error:
            self.heard[name] = error


async def test_recordings_of_two_people_take_turns() -> None:
    loading, engine = Obstacle(), FakeTranscriber()

    def load() -> FakeTranscriber:
        loading.block()
        return engine

    lane = Lane(load)
    async with lane.running(), trio.open_nursery() as people:
        for name, owner in (("a1", "a"), ("a2", "a"), ("b1", "b")):
            people.start_soon(lane.hear, name, owner)
            await trio.testing.wait_all_tasks_blocked()
        loading.clear()
    assert engine.log == ["a1", "b1", "a1", "b1", "a1", "b1", "a2", "a2", "a2"]
    assert lane.heard == {"a1": "a1", "a2": "a2", "b1": "b1"}
    assert lane.metrics.recognised == 3
    assert lane.metrics.waiting == 0
    assert lane.metrics.audio_seconds == 3


async def test_what_is_said_now_goes_before_old_recordings() -> None:
    obstacle = Obstacle()

    def stop_at_first(name: str) -> None:
        if name == "old":
            obstacle.block()

    engine = FakeTranscriber(hook=stop_at_first)
    lane = Lane(lambda: engine)
    async with lane.running(), trio.open_nursery() as people:
        people.start_soon(lane.hear, "old", None, Priority.BACKGROUND)
        await obstacle.reached.wait()
        people.start_soon(lane.hear, "live")
        await trio.testing.wait_all_tasks_blocked()
        obstacle.clear()
    assert engine.log == ["old", "live", "live", "live", "old", "old"]


async def test_old_recordings_give_way_to_a_reply_in_the_other_lane() -> None:
    engine = FakeTranscriber()
    lane = Lane(lambda: engine)
    async with lane.running(), trio.open_nursery() as people:
        await lane.loader.ready()
        with lane.activity.under_way(Priority.REPLY):
            people.start_soon(lane.hear, "old", None, Priority.BACKGROUND)
            await trio.testing.wait_all_tasks_blocked()
            await lane.hear("live")
            assert engine.log == ["live"] * 3
    assert engine.log == ["live"] * 3 + ["old"] * 3


async def test_a_cancelled_recording_leaves_between_two_windows() -> None:
    obstacle = Obstacle()
    engine = FakeTranscriber(windows=50, hook=lambda _: obstacle.block())
    lane = Lane(lambda: engine)
    async with lane.running():
        async with trio.open_nursery() as person:
            person.start_soon(lane.hear, "long")
            await obstacle.reached.wait()
            person.cancel_scope.cancel()
        engine.windows = 1
        obstacle.clear()
        await lane.hear("next")
    assert engine.log == ["long", "next"]
    assert lane.heard == {"next": "next"}
    assert lane.activity.most_urgent is Priority.BACKGROUND


async def test_an_engine_that_raises_fails_that_recording_only() -> None:
    def raise_at(name: str) -> None:
        if name == "bad":
            raise RuntimeError("native")

    lane = Lane(lambda: FakeTranscriber(hook=raise_at))
    async with lane.running(), trio.open_nursery() as people:
        for name in ("bad", "good"):
            people.start_soon(lane.hear, name)
    assert isinstance(lane.heard["bad"], EngineFailed)
    assert lane.heard["good"] == "good"
    assert lane.metrics.failed == 1


async def test_after_a_hang_the_others_are_recognised_from_the_start_by_a_new_engine(
    mock_clock: trio.testing.MockClock,
) -> None:
    begun, hung = Obstacle(), Obstacle()
    in_the_way = {"good": begun, "bad": hung}
    engines = [
        FakeTranscriber(windows=1000, hook=lambda name: in_the_way[name].block()),
        FakeTranscriber(),
    ]
    fresh = iter(engines)
    lane = Lane(lambda: next(fresh))
    async with lane.running(), trio.open_nursery() as people:
        people.start_soon(lane.hear, "good")
        await begun.reached.wait()
        people.start_soon(lane.hear, "bad")
        await trio.testing.wait_all_tasks_blocked()
        begun.clear()
        await hung.reached.wait()
        mock_clock.jump(61)
    assert isinstance(lane.heard["bad"], EngineFailed)
    assert lane.heard["good"] == "good"
    assert engines[1].log == ["good"] * 3
    hung.clear()
    await trio.to_thread.run_sync(engines[0].closed.wait)


async def test_without_a_model_it_says_so_at_once_and_to_those_who_waited() -> None:
    loading = Obstacle()
    lane = Lane(lambda: loading.block())
    async with lane.running():
        async with trio.open_nursery() as people:
            people.start_soon(lane.hear, "early")
            await loading.reached.wait()
            await trio.testing.wait_all_tasks_blocked()
            assert lane.heard == {}
            loading.clear()
        await lane.hear("late")
    assert isinstance(lane.heard["early"], AsrUnavailable)
    assert isinstance(lane.heard["late"], AsrUnavailable)


async def test_the_queue_is_bounded() -> None:
    obstacle = Obstacle()
    lane = Lane(lambda: FakeTranscriber(hook=lambda _: obstacle.block()), queue=2)
    async with lane.running(), trio.open_nursery() as people:
        for name in ("one", "two", "three"):
            people.start_soon(lane.hear, name)
            await trio.testing.wait_all_tasks_blocked()
        assert isinstance(lane.heard["three"], QueueFull)
        obstacle.clear()
    assert lane.heard["one"] == "one"
    assert lane.heard["two"] == "two"


async def test_real_bytes_are_decoded_and_damaged_ones_refused() -> None:
    activity = Activity()
    decoding = Decoding(activity, limit_seconds=2)
    lane = Lane(FakeTranscriber, decoding=decoding)
    async with lane.running():
        await lane.hear("second", source=SECOND)
        assert lane.metrics.audio_seconds == 1.0
        for name, source in {
            "damaged": AudioSource(data=b"no audio at all" * 9, format="webm"),
            "empty": AudioSource(data=b"", format="pcm_s16le", sample_rate=16_000),
            "absent": AudioSource(),
            "endless": AudioSource(
                data=bytes(2 * 48_000 * 3), format="pcm_s16le", sample_rate=48_000
            ),
        }.items():
            await lane.hear(name, source=source)
            assert isinstance(lane.heard[name], BadAudio), name
    assert lane.metrics.waiting == 0


async def test_a_recording_nobody_waits_for_is_decoded_when_it_is_quiet() -> None:
    activity = Activity()
    decoding = Decoding(activity, limit_seconds=2)
    decoded: list[int] = []

    async def decode() -> None:
        async with decoding.opened(SECOND, Priority.BACKGROUND) as audio:
            while (piece := await audio.read(30)) is not None:
                decoded.append(len(piece))

    async with trio.open_nursery() as nursery:
        with activity.under_way(Priority.LIVE):
            nursery.start_soon(decode)
            for _ in range(5):
                await trio.to_thread.run_sync(int)
                await trio.testing.wait_all_tasks_blocked()
            assert decoded == []
    assert decoded == [16_000]


@pytest.mark.parametrize("priority", [Priority.PREPARING, Priority.BACKGROUND])
async def test_activity_lets_go_when_the_urgent_is_over(priority: Priority) -> None:
    activity = Activity()
    with activity.under_way(Priority.REPLY), activity.under_way(Priority.LIVE):
        assert not activity.allows(priority)
        assert activity.allows(Priority.SPEECH)
    assert activity.allows(priority)
