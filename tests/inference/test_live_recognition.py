"""Recordings that go on: what is shown of them, and whom they hold up."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import trio
import trio.testing

from lifeecho_server.engines.audio import BadAudio
from lifeecho_server.engines.transcriber import Hearing, Samples, SoFar, Transcript
from lifeecho_server.inference.errors import EngineFailed
from lifeecho_server.inference.schedule import Priority
from tests.inference.fakes import FakeTranscriber, Pieces
from tests.inference.test_recognition import Lane

SECOND = np.zeros(16_000, np.float32)
LIVE = Hearing(hotwords=("live",), live=True)


class Talk:
    """Sound that comes when a test says so; implements ``Audio``."""

    def __init__(self) -> None:
        self._put, self._pieces = trio.open_memory_channel[Samples | None](99)

    def say(self, seconds: int = 1) -> None:
        self._put.send_nowait(np.zeros(seconds * 16_000, np.float32))

    def end(self) -> None:
        self._put.send_nowait(None)

    async def read(self, seconds: float) -> Samples | None:
        del seconds
        return await self._pieces.receive()


@dataclass
class CountingTranscriber:
    """Hears as many words as seconds; the odd one out is a guess until the next comes."""

    log: list[str] = field(default_factory=list)

    def begin(self, hearing: Hearing) -> "CountingRecognition":
        return CountingRecognition(self, hearing.hotwords[0])

    def close(self) -> None:
        pass


@dataclass
class CountingRecognition:
    """One recording of a second a word."""

    transcriber: CountingTranscriber
    name: str
    waiting: list[Samples] = field(default_factory=list)
    words: int = 0
    guessed: int = 0
    over: bool = False

    def hear(self, samples: Samples) -> None:
        self.waiting.append(samples)

    def finish(self) -> None:
        self.over = True

    @property
    def idle(self) -> bool:
        return not self.waiting and not self.over

    def step(self) -> Transcript | None:
        self.transcriber.log.append(f"{self.name} step")
        if self.waiting:
            self.words += len(self.waiting.pop()) // 16_000
            return None
        text = "word " * self.words
        return Transcript(text, "en", (), float(self.words), speech=True) if self.over else None

    @property
    def guess_due(self) -> bool:
        return self.guessed < self.words

    def guess(self) -> None:
        self.transcriber.log.append(f"{self.name} guess")
        self.guessed = self.words

    def so_far(self) -> SoFar:
        return SoFar("word " * self.guessed, 5 * (self.guessed // 2 * 2))


async def test_what_was_recognised_is_shown_once_each_time_it_has_changed() -> None:
    engine, talk, shown = CountingTranscriber(), Talk(), list[SoFar]()
    lane = Lane(lambda: engine)  # type: ignore[arg-type, return-value]
    async with lane.running() as nursery:
        done = trio.Event()

        async def listen() -> None:
            transcript = await lane.lane.recognise(
                talk, LIVE, owner="a", priority=Priority.LIVE, progress=shown.append
            )
            assert transcript.duration == 3
            done.set()

        nursery.start_soon(listen)
        for _ in range(3):
            talk.say()
            await _settled(engine)
        talk.end()
        await done.wait()
    assert shown == [SoFar("word " * n, 5 * (n // 2 * 2)) for n in (1, 2, 3)]
    assert lane.metrics.waiting == 0


@pytest.mark.parametrize("asked", ["so_far", "idle", "guess_due", "guess"])
async def test_a_fault_of_the_engine_while_it_is_looked_at_ends_one_recording_only(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    def broken(recognition: CountingRecognition) -> Any:
        if recognition.name == "broken":
            raise RuntimeError(asked)
        return whole(recognition)

    given = getattr(CountingRecognition, asked)
    whole = given.fget if isinstance(given, property) else given
    patched = property(broken) if isinstance(given, property) else broken
    monkeypatch.setattr(CountingRecognition, asked, patched)
    lane, talk = Lane(CountingTranscriber), Talk()  # type: ignore[arg-type]
    async with lane.running():
        talk.say()
        with pytest.raises(EngineFailed):
            await lane.lane.recognise(
                talk,
                Hearing(hotwords=("broken",), live=True),
                owner="a",
                priority=Priority.LIVE,
                progress=lambda _: None,
            )
        await _listen(lane, _over(), LIVE, "b")


async def test_a_fault_of_who_is_shown_the_words_ends_one_recording_only() -> None:
    def broken(_: SoFar) -> None:
        raise RuntimeError("shown")

    lane, talk = Lane(CountingTranscriber), Talk()  # type: ignore[arg-type]
    async with lane.running():
        talk.say()
        with pytest.raises(ExceptionGroup) as raised:
            await lane.lane.recognise(
                talk, LIVE, owner="a", priority=Priority.LIVE, progress=broken
            )
        await _listen(lane, _over(), LIVE, "b")
    assert raised.value.subgroup(RuntimeError)
    assert lane.metrics.waiting == 0


async def test_nothing_is_guessed_for_those_who_are_shown_nothing() -> None:
    engine = CountingTranscriber()
    lane = Lane(lambda: engine)  # type: ignore[arg-type, return-value]
    async with lane.running():
        await lane.lane.recognise(Pieces(SECOND), LIVE, owner="a", priority=Priority.LIVE)
    assert "live guess" not in engine.log


async def test_a_guess_waits_while_somebody_waits_for_a_reply() -> None:
    engine, talk, shown = CountingTranscriber(), Talk(), list[SoFar]()
    lane = Lane(lambda: engine)  # type: ignore[arg-type, return-value]
    async with lane.running() as nursery:
        await lane.loader.ready()
        with lane.activity.under_way(Priority.REPLY):
            nursery.start_soon(_listening(lane, talk, shown))
            talk.say()
            await _settled(engine)
            assert engine.log == ["live step"]
        await _settled(engine)
        assert engine.log == ["live step", "live guess"]
    assert shown == [SoFar("word ", 0)]


async def test_a_person_who_thinks_holds_up_nobody() -> None:
    engine, talk = FakeTranscriber(windows=2), Talk()
    lane = Lane(lambda: engine)
    async with lane.running() as nursery:
        nursery.start_soon(_listening(lane, talk, []))
        talk.say()
        await trio.testing.wait_all_tasks_blocked()
        await lane.hear("old", priority=Priority.BACKGROUND)
        assert lane.heard == {"old": "old"}
        assert lane.activity.most_urgent is Priority.BACKGROUND


async def test_many_who_talk_take_turns() -> None:
    engine = CountingTranscriber()
    lane = Lane(lambda: engine)  # type: ignore[arg-type, return-value]
    talks = {name: Talk() for name in "abc"}
    async with lane.running(), trio.open_nursery() as people:
        for name, talk in talks.items():
            hearing = Hearing(hotwords=(name,), live=True)
            people.start_soon(_listen, lane, talk, hearing, name)
            for _ in range(4):
                talk.say()
            talk.end()
    first = engine.log[:6]
    assert {entry.split()[0] for entry in first} == {"a", "b", "c"}


async def test_sound_that_cannot_be_read_ends_its_own_recording_only() -> None:
    class Broken:
        async def read(self, seconds: float) -> Samples | None:
            del seconds
            await trio.lowlevel.checkpoint()
            raise BadAudio("too long")

    engine = FakeTranscriber()
    lane = Lane(lambda: engine)
    async with lane.running():
        try:
            await lane.lane.recognise(Broken(), LIVE, owner="a", priority=Priority.LIVE)
        except BadAudio:
            pass
        else:
            raise AssertionError("bad audio was recognised")
        await lane.hear("next")
    assert lane.heard == {"next": "next"}
    assert lane.metrics.waiting == 0


def _over() -> Talk:
    talk = Talk()
    talk.say()
    talk.end()
    return talk


def _listening(lane: Lane, talk: Talk, shown: list[SoFar]):  # type: ignore[no-untyped-def]
    async def listen() -> None:
        await lane.lane.recognise(
            talk, LIVE, owner="a", priority=Priority.LIVE, progress=shown.append
        )

    return listen


async def _listen(lane: Lane, talk: Talk, hearing: Hearing, owner: str) -> None:
    await lane.lane.recognise(talk, hearing, owner=owner, priority=Priority.LIVE)


async def _settled(engine: CountingTranscriber) -> None:
    """Wait until the engine has done all that it has to."""
    done = -1
    while done != len(engine.log):
        done = len(engine.log)
        for _ in range(5):
            await trio.to_thread.run_sync(int)
            await trio.testing.wait_all_tasks_blocked(0.01)
