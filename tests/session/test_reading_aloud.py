"""One connection's voice over a network and an engine that a test leads by the hand."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing

from lifeecho_server.engines.speaker import Spoken, Voice
from lifeecho_server.inference import EngineFailed, EngineState
from lifeecho_server.protocol.outgoing import Outgoing, Pong
from lifeecho_server.protocol.writing import write_frame
from lifeecho_server.session.outbox import Outbox
from lifeecho_server.session.speech import SENTENCES_MAX, Aloud, Speech
from lifeecho_server.settings import Settings

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Network:
    """A socket that takes frames at once, or one each time it is let."""

    heard_at = 0.0
    said_goodbye = False

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.slow = False
        self.let = trio.Semaphore(0)

    async def receive(self) -> str | bytes:
        raise AssertionError

    async def send(self, frame: str) -> None:
        await trio.lowlevel.checkpoint()
        if self.slow:
            await self.let.acquire()
        self.sent.append(json.loads(frame))

    async def ping(self) -> None:
        raise AssertionError

    def told(self) -> list[tuple[str, Any]]:
        """What arrived: the text of each sound, the epoch of each cancelling."""
        values = [("text", "tts_audio"), ("epoch", "tts_cancelled"), ("", "pong")]
        of = {kind: field for field, kind in values}
        return [(one["type"], one["data"].get(of[one["type"]])) for one in self.sent]


class Engine:
    """The door to the engines, as far as speech is concerned."""

    def __init__(self) -> None:
        self.capabilities = SimpleNamespace(tts=EngineState.READY)
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.slow = False
        self.let = trio.Semaphore(0)

    async def speak(self, sentence: str, voice: Voice, *, owner: str) -> Spoken:
        assert (voice, owner) == (Voice("en", 110), "c-1")
        self.begun.append(sentence)
        try:
            await trio.lowlevel.checkpoint()
            if self.slow:
                await self.let.acquire()
        except trio.Cancelled:
            self.cancelled.append(sentence)
            raise
        if sentence == "broken":
            raise EngineFailed("the sentence could not be read aloud")
        return Spoken(b"" if sentence == "\u2026" else b"\1\0", 8000)


class Store:
    """A store that knows no wish of the narrator's."""

    async def read(self, query: Callable[[Any], Any]) -> None:
        del query
        await trio.lowlevel.checkpoint()


class Stage:
    """A voice that is running, with all that is around it."""

    def __init__(self, *, speech: bool = True) -> None:
        self.network, self.engine = Network(), Engine()
        self.outbox = Outbox(self.network, self._frame, limit=10_000, timeout=20)
        services: Any = SimpleNamespace(
            inference=self.engine, store=Store(), settings=Settings(speech_rate=110)
        )
        admitted: Any = SimpleNamespace(
            narrator=SimpleNamespace(id="rose", language="en"),
            conversation=SimpleNamespace(id="c-1"),
            request=SimpleNamespace(speech=speech),
        )
        self.speech = Speech(services, self.outbox, admitted)
        self.kept: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.outbox.run)
            nursery.start_soon(self.speech.run)
            yield
            nursery.cancel_scope.cancel()

    def _frame(self, message: Outgoing) -> str:
        return write_frame(message, "c-1", NOW)

    def say(self, aloud: Aloud, *sentences: str) -> None:
        for sentence in sentences:

            async def keep(sentence: str = sentence) -> bool:
                self.kept.append(sentence)
                return sentence != "cut off"

            aloud.say(sentence, keep)

    def sounds(self) -> list[dict[str, Any]]:
        return [one["data"] for one in self.network.sent if one["type"] == "tts_audio"]


quiet = trio.testing.wait_all_tasks_blocked


async def test_sentences_go_out_one_by_one_and_the_last_is_marked() -> None:
    stage = Stage()
    async with stage.running():
        aloud = stage.speech.begin("m")
        stage.say(aloud, "one", "two")
        aloud.finish()
        await quiet()
    marks = [(one["text"], one["sequence"], one["last"]) for one in stage.sounds()]
    assert marks == [("one", 0, False), ("two", 1, True)]
    assert stage.kept == ["one", "two"]


async def test_messages_follow_one_another() -> None:
    stage = Stage()
    async with stage.running():
        first, second = stage.speech.begin("m-1"), stage.speech.begin("m-2")
        stage.say(second, "b")
        second.finish()
        stage.say(first, "a1")
        await quiet()
        stage.say(first, "a2")
        first.finish()
        await quiet()
    order = [
        (one["assistant_message_id"], one["sequence"], one["text"], one["last"])
        for one in stage.sounds()
    ]
    assert order == [("m-1", 0, "a1", False), ("m-1", 1, "a2", True), ("m-2", 0, "b", True)]


async def test_end_that_comes_late_is_told_by_a_file_without_sound() -> None:
    stage = Stage()
    async with stage.running():
        aloud = stage.speech.begin("m")
        stage.say(aloud, "one")
        await quiet()
        aloud.finish()
        await quiet()
    assert [(one["text"], one["last"]) for one in stage.sounds()] == [("one", False), ("", True)]


@pytest.mark.parametrize("last", ["broken", "\u2026", "cut off"])
async def test_last_sentence_without_sound_leaves_an_end(last: str) -> None:
    stage = Stage()
    async with stage.running():
        aloud = stage.speech.begin("m")
        stage.say(aloud, "one", last)
        aloud.finish()
        await quiet()
    assert [(one["text"], one["last"]) for one in stage.sounds()] == [("one", False), ("", True)]


async def test_message_of_which_nothing_can_be_heard_is_not_there() -> None:
    stage = Stage()
    async with stage.running():
        aloud = stage.speech.begin("m")
        stage.say(aloud, "broken", "\u2026")
        aloud.finish()
        after = stage.speech.begin("n")
        stage.say(after, "heard")
        after.finish()
        await quiet()
    assert stage.network.told() == [("tts_audio", "heard")]


async def test_what_is_not_wanted_or_not_possible_is_never_prepared() -> None:
    unwanted, impossible = Stage(speech=False), Stage()
    impossible.engine.capabilities.tts = EngineState.LOADING
    for stage in (unwanted, impossible):
        async with stage.running():
            aloud = stage.speech.begin("m")
            stage.say(aloud, "one")
            aloud.finish()
            await quiet()
        assert stage.engine.begun == []
        assert stage.kept == []


async def test_stop_ends_a_sentence_being_read_and_those_that_wait(
    mock_clock: trio.testing.MockClock,
) -> None:
    stage = Stage()
    stage.engine.slow = True
    async with stage.running():
        aloud, waiting = stage.speech.begin("m-1"), stage.speech.begin("m-2")
        stage.say(aloud, "one", "two")
        stage.say(waiting, "three")
        await quiet()
        begun = trio.current_time()
        stage.speech.stop()
        await quiet()
        assert stage.engine.cancelled == ["one"]
        assert trio.current_time() == begun  # it took no time: far less than 100 ms
        stage.say(aloud, "four")
        aloud.finish()
        stage.engine.slow = False
        after = stage.speech.begin("m-3")
        stage.say(after, "five")
        after.finish()
        await quiet()
    assert stage.engine.begun == ["one", "five"]
    assert stage.network.told() == [("tts_audio", "five")]
    assert stage.kept == ["five"]
    assert mock_clock.current_time() == begun


async def test_nothing_of_an_epoch_follows_its_cancelling_on_a_slow_network() -> None:
    stage = Stage()
    stage.network.slow = True
    async with stage.running():
        stage.outbox.put(Pong())
        await quiet()
        aloud = stage.speech.begin("m")
        stage.say(aloud, "one", "two", "three")
        stage.network.let.release()  # the pong goes out; "one" is on its way, "two" waits
        await quiet()
        assert stage.network.told() == [("pong", None)]
        stage.speech.cancel()
        stage.say(aloud, "four")
        for _ in range(9):
            stage.network.let.release()
        await quiet()
        after = stage.speech.begin("n")
        stage.say(after, "five")
        await quiet()
    told = stage.network.told()
    assert told == [
        ("pong", None),
        ("tts_audio", "one"),
        ("tts_cancelled", 0),
        ("tts_audio", "five"),
    ]
    assert [one["epoch"] for one in stage.sounds()] == [0, 1]


async def test_stop_holds_in_the_moment_in_which_the_network_is_free_again() -> None:
    """The task that waits for it is woken before it learns that it was stopped."""
    stage = Stage()
    async with stage.running():
        aloud = stage.speech.begin("m")
        keeping = trio.Event()

        async def keep() -> bool:
            with trio.CancelScope(shield=True):
                await keeping.wait()
            return True

        aloud.say("one", keep)
        aloud.finish()
        await quiet()
        keeping.set()
        stage.speech.cancel()
        await quiet()
    assert stage.network.told() == [("tts_cancelled", 0)]


async def test_text_never_waits_for_sound() -> None:
    stage = Stage()
    stage.network.slow = True
    async with stage.running():
        aloud = stage.speech.begin("m")
        stage.say(aloud, *("long" for _ in range(SENTENCES_MAX)))
        aloud.finish()
        await quiet()
        for _ in range(3):
            stage.outbox.put(Pong())
        for _ in range(4):
            stage.network.let.release()
        await quiet()
        # One sentence was being sent when the text came.
        assert [kind for kind, _ in stage.network.told()] == ["tts_audio", "pong", "pong", "pong"]


async def test_too_long_a_message_is_read_as_far_as_there_is_room() -> None:
    stage = Stage()
    async with stage.running():
        aloud = stage.speech.begin("m")
        stage.say(aloud, *(f"s{n}" for n in range(SENTENCES_MAX + 5)))
        aloud.finish()
        await quiet()
    assert len(stage.sounds()) == SENTENCES_MAX
    assert stage.sounds()[-1]["last"]


async def test_every_cancelling_is_answered_and_counted() -> None:
    stage = Stage()
    async with stage.running():
        for _ in range(3):
            stage.speech.cancel()
        await quiet()
    assert stage.network.told() == [("tts_cancelled", epoch) for epoch in range(3)]


async def test_fault_while_keeping_silences_its_message_only() -> None:
    stage = Stage()

    async def broken() -> bool:
        raise RuntimeError("a fault of ours")

    async with stage.running():
        aloud = stage.speech.begin("m")
        aloud.say("one", broken)
        stage.say(aloud, "two")
        after = stage.speech.begin("n")
        stage.say(after, "three")
        after.finish()
        await quiet()
    assert stage.network.told() == [("tts_audio", "three")]
