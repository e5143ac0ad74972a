"""The speech lane: turns, cancelling, faults; and espeak-ng through the door."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from lifeecho_server.engines.espeak import load_espeak
from lifeecho_server.engines.faults import ModelBroken, SpeechFailed
from lifeecho_server.engines.speaker import Spoken, Voice
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference import EngineFailed, EngineState, Inference, QueueFull
from lifeecho_server.inference.activity import Activity
from lifeecho_server.inference.errors import TtsUnavailable
from lifeecho_server.inference.loading import EngineLoader
from lifeecho_server.inference.metrics import TtsMetrics
from lifeecho_server.inference.schedule import Priority
from lifeecho_server.inference.speech import SpeechLane
from lifeecho_server.settings import Settings
from tests.inference.fake_speaker import FakeSpeaker
from tests.inference.fakes import Obstacle

VOICE = Voice("en", 130)


class Lane:
    """A lane over fakes, with all its parts at hand."""

    def __init__(self, load: Callable[[], FakeSpeaker | None], *, queue: int = 8) -> None:
        self.activity = Activity()
        self.metrics = TtsMetrics()
        self.loader = EngineLoader(load, lambda: 0, on_change=lambda: self.lane.engine_changed())
        self.lane = SpeechLane(
            self.loader, self.activity, self.metrics, queue=queue, step_timeout=60
        )
        self.heard: dict[str, Spoken | LifeEchoError] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[trio.Nursery]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.loader.run)
            nursery.start_soon(self.lane.run)
            yield nursery
            nursery.cancel_scope.cancel()

    async def hear(self, sentence: str, owner: str = "a") -> None:
        try:
            self.heard[sentence] = await self.lane.speak(sentence, VOICE, owner=owner)
        except LifeEchoError as error:
            self.heard[sentence] = error


async def test_a_sentence_becomes_sound_and_is_counted() -> None:
    engine = FakeSpeaker()
    lane = Lane(lambda: engine)
    async with lane.running():
        await lane.loader.ready()
        await lane.hear("Good.")
    assert lane.heard["Good."] == Spoken(b"Good.\0" * 3, 8000)
    assert engine.voices == [VOICE]
    counted = lane.metrics
    assert (counted.sentences, counted.cancelled, counted.failed, counted.waiting) == (1, 0, 0, 0)
    assert counted.audio_seconds == pytest.approx(9 / 8000)


async def test_people_take_turns() -> None:
    first = Obstacle()
    engine = FakeSpeaker(pieces=1, hook=lambda name: first.block() if name == "a1" else None)
    lane = Lane(lambda: engine)
    async with lane.running(), trio.open_nursery() as people:
        await lane.loader.ready()
        for sentence in ("a1", "a2", "a3", "b1", "b2"):
            people.start_soon(lane.hear, sentence, sentence[0])
            await trio.testing.wait_all_tasks_blocked()
        await first.reached.wait()
        first.clear()
    assert engine.log == ["a1", "a2", "b1", "a3", "b2"]


async def test_cancelling_stops_a_sentence_at_its_next_piece() -> None:
    inside = Obstacle()
    engine = FakeSpeaker(pieces=10**9, hook=lambda name: inside.block() if name == "long" else None)
    lane = Lane(lambda: engine)
    async with lane.running(), trio.open_nursery() as people:
        await lane.loader.ready()
        people.start_soon(lane.hear, "long")
        await inside.reached.wait()
        people.cancel_scope.cancel()
    assert "long" not in lane.heard
    assert engine.log == ["long"]
    inside.clear()
    assert lane.metrics.waiting == 0


async def test_after_a_cancelled_sentence_the_next_is_spoken() -> None:
    inside = Obstacle()
    engine = FakeSpeaker(pieces=2, hook=lambda name: inside.block() if name == "long" else None)
    lane = Lane(lambda: engine)
    async with lane.running():
        await lane.loader.ready()
        async with trio.open_nursery() as people:
            people.start_soon(lane.hear, "long")
            await inside.reached.wait()
            people.cancel_scope.cancel()
        inside.clear()
        await lane.hear("next")
    assert engine.log == ["long", "next", "next"]
    assert (lane.metrics.sentences, lane.metrics.cancelled) == (1, 1)


async def test_a_sentence_cancelled_while_it_waits_is_never_begun() -> None:
    inside = Obstacle()
    engine = FakeSpeaker(pieces=1, hook=lambda name: inside.block() if name == "one" else None)
    lane = Lane(lambda: engine)
    async with lane.running(), trio.open_nursery() as people:
        await lane.loader.ready()
        people.start_soon(lane.hear, "one")
        await inside.reached.wait()
        with trio.move_on_after(0):
            await lane.hear("two")
        inside.clear()
    assert engine.log == ["one"]


async def test_a_failing_sentence_fails_alone() -> None:
    def hook(sentence: str) -> None:
        if sentence == "bad":
            raise SpeechFailed("no such voice")
        if sentence == "worse":
            raise OSError("segment")

    lane = Lane(lambda: FakeSpeaker(hook=hook))
    async with lane.running():
        await lane.loader.ready()
        for sentence in ("bad", "worse", "good"):
            await lane.hear(sentence)
    assert isinstance(lane.heard["bad"], EngineFailed)
    assert isinstance(lane.heard["worse"], EngineFailed)
    assert isinstance(lane.heard["good"], Spoken)
    assert lane.metrics.failed == 2


async def test_after_a_hang_a_new_engine_speaks(mock_clock: trio.testing.MockClock) -> None:
    hung = Obstacle()
    fresh = iter([FakeSpeaker(hook=lambda _: hung.block()), FakeSpeaker()])
    lane = Lane(lambda: next(fresh))
    async with lane.running():
        await lane.loader.ready()
        async with trio.open_nursery() as people:
            people.start_soon(lane.hear, "bad")
            await hung.reached.wait()
            mock_clock.jump(61)
        await lane.loader.ready()
        await lane.hear("good")
        hung.clear()
    assert isinstance(lane.heard["bad"], LifeEchoError)
    assert isinstance(lane.heard["good"], Spoken)


async def test_too_much_waiting_is_refused() -> None:
    inside = Obstacle()
    lane = Lane(lambda: FakeSpeaker(hook=lambda _: inside.block()), queue=2)
    async with lane.running(), trio.open_nursery() as people:
        await lane.loader.ready()
        for sentence in ("one", "two"):
            people.start_soon(lane.hear, sentence)
            await trio.testing.wait_all_tasks_blocked()
        await inside.reached.wait()
        await lane.hear("three")
        inside.clear()
    assert isinstance(lane.heard["three"], QueueFull)


async def test_it_goes_on_beside_replies_and_live_recognition() -> None:
    lane = Lane(FakeSpeaker)
    async with lane.running():
        await lane.loader.ready()
        with (
            lane.activity.under_way(Priority.LIVE),
            lane.activity.under_way(Priority.REPLY),
            trio.fail_after(5),
        ):
            await lane.hear("good")
    assert isinstance(lane.heard["good"], Spoken)


@asynccontextmanager
async def door(load: Callable[[], FakeSpeaker | None]) -> AsyncIterator[Inference]:
    built = Inference(
        Settings(),
        load_transcriber=lambda: None,
        load_chat_model=lambda: None,
        load_speaker=load,  # type: ignore[arg-type]
        fingerprint=lambda: 0,
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda task_status: built.run(task_status=task_status))
        known = built.capabilities
        while known.tts is EngineState.LOADING:
            known = await built.changed(known)
        yield built
        nursery.cancel_scope.cancel()


async def test_nothing_installed_is_told() -> None:
    async with door(lambda: None) as inference:
        assert inference.capabilities.tts is EngineState.NONE
        assert "tts" not in inference.reasons
        with pytest.raises(TtsUnavailable):
            await inference.speak("Good.", VOICE, owner="a")


async def test_what_cannot_be_loaded_is_told_with_the_reason() -> None:
    def load() -> None:
        raise ModelBroken("espeak-ng does not find its data")

    async with door(load) as inference:
        assert inference.capabilities.tts is EngineState.FAILED
        assert inference.reasons["tts"] == "espeak-ng does not find its data"
        with pytest.raises(TtsUnavailable, match="does not find its data"):
            await inference.speak("Good.", VOICE, owner="a")


async def test_while_it_loads_it_is_not_there() -> None:
    loading = Obstacle()

    def load() -> FakeSpeaker:
        loading.block()
        return FakeSpeaker()

    lane = Lane(load)
    async with lane.running():
        await loading.reached.wait()
        await lane.hear("early")
        loading.clear()
        await lane.loader.ready()
        await lane.hear("late")
    assert isinstance(lane.heard["early"], TtsUnavailable)
    assert isinstance(lane.heard["late"], Spoken)


async def test_espeak_speaks_through_the_door() -> None:
    async with door(load_espeak) as inference:  # type: ignore[arg-type]
        assert inference.capabilities.tts is EngineState.READY
        for sentence, language in (("您好，苏州。", "zh"), ("Good morning.", "en")):
            spoken = await inference.speak(sentence, Voice(language, 130), owner="a")
            assert spoken.duration > 0.5
            assert any(spoken.pcm)
        counted = inference.metrics.tts
        assert counted.sentences == 2
        assert counted.real_time_factor < 1
