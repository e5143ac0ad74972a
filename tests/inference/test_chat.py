"""The chat lane: joining, leaving, priorities, faults."""

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import trio
import trio.testing

from lifeecho_server.engines.chat_model import Advance, Message, Sampling
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.activity import Activity
from lifeecho_server.inference.chat import ChatLane
from lifeecho_server.inference.errors import (
    EngineFailed,
    LlmUnavailable,
    QueueFull,
)
from lifeecho_server.inference.generation import Prompt
from lifeecho_server.inference.loading import EngineLoader
from lifeecho_server.inference.metrics import LlmMetrics
from lifeecho_server.inference.schedule import Priority
from tests.inference.fakes import FakeChatModel, Obstacle


class Talk:
    """A chat lane over fakes, with all its parts at hand."""

    def __init__(self, load: Callable[[], FakeChatModel | None], *, queue: int = 8) -> None:
        self.activity = Activity()
        self.metrics = LlmMetrics()
        self.loader = EngineLoader(load, lambda: 0, on_change=lambda: self.lane.engine_changed())
        self.lane = ChatLane(
            self.loader, self.activity, self.metrics, queue=queue, chunk=64, step_timeout=60
        )
        self.said: dict[str, str | LifeEchoError] = {}
        self.order: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.loader.run)
            nursery.start_soon(self.lane.run)
            yield
            nursery.cancel_scope.cancel()

    async def ask(
        self, name: str, priority: Priority = Priority.REPLY, *, max_tokens: int = 40
    ) -> None:
        messages = (Message("system", "be kind"), Message("user", name))
        prompt = Prompt(name, messages, Sampling(temperature=0), max_tokens, priority)
        try:
            async with self.lane.reply(prompt) as pieces:
                self.said[name] = "".join([piece async for piece in pieces])
        except LifeEchoError as error:
            self.said[name] = error
        self.order.append(name)


def at(name: str, then: Callable[[], None]) -> Callable[[Sequence[Advance]], None]:
    """A hook for the steps that evaluate the words ``name``."""

    def hook(work: Sequence[Advance]) -> None:
        if any(name.encode() in bytes(advance.tokens) for advance in work):
            then()

    return hook


async def test_several_people_are_answered_side_by_side() -> None:
    model, start = FakeChatModel(), Obstacle()
    model.hook = at("one", start.block)
    talk = Talk(lambda: model)
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            for name in ("one", "two", "three"):
                people.start_soon(talk.ask, name)
            await start.reached.wait()
            await trio.testing.wait_all_tasks_blocked()
            start.clear()
    assert talk.said == dict.fromkeys(("one", "two", "three"), "Tell me more.")
    assert max(len(step) for step in model.steps) == 3
    assert talk.metrics.first_tokens == talk.metrics.finished == 3
    assert (talk.metrics.waiting, talk.metrics.active) == (0, 0)


async def test_more_people_than_sequences_are_all_answered() -> None:
    model = FakeChatModel(max_sequences=2)
    talk = Talk(lambda: model)
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            for number in range(6):
                people.start_soon(talk.ask, f"person {number}")
    assert list(talk.said.values()) == ["Tell me more."] * 6
    assert max(len(step) for step in model.steps) <= 2


async def test_who_leaves_the_block_is_not_generated_for_any_more() -> None:
    model = FakeChatModel(reply=b"x" * 1000)
    talk = Talk(lambda: model)
    async with talk.running():
        await talk.loader.ready()
        prompt = Prompt("a", (Message("user", "hi"),), Sampling(), 1000, Priority.REPLY)
        async with talk.lane.reply(prompt) as pieces:
            assert await anext(pieces) == "x"
        await talk.ask("next", max_tokens=5)
    assert talk.said["next"] == "xxxxx"
    assert model.evaluated < 900
    assert talk.activity.most_urgent is Priority.BACKGROUND


async def test_a_cancelled_request_that_waits_is_never_taken_up() -> None:
    model, obstacle = FakeChatModel(max_sequences=2), Obstacle()
    model.hook = at("first", obstacle.block)
    talk = Talk(lambda: model)
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            people.start_soon(talk.ask, "first")
            await obstacle.reached.wait()
            async with trio.open_nursery() as impatient:
                impatient.start_soon(talk.ask, "gone")
                await trio.testing.wait_all_tasks_blocked()
                impatient.cancel_scope.cancel()
            obstacle.clear()
    assert talk.said == {"first": "Tell me more."}
    assert talk.metrics.prompt_tokens == len(
        model.prompt([Message("system", "be kind"), Message("user", "first")])
    )


async def test_memoir_work_stands_still_while_a_reply_is_made() -> None:
    model, obstacle = FakeChatModel(reply=b"x" * 30), Obstacle()
    model.hook = at("chapter", obstacle.block)
    talk = Talk(lambda: model)
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            people.start_soon(talk.ask, "chapter", Priority.BACKGROUND)
            await obstacle.reached.wait()
            people.start_soon(talk.ask, "person")
            await trio.testing.wait_all_tasks_blocked()
            obstacle.clear()
    assert talk.order == ["person", "chapter"]
    assert talk.said == {"person": "x" * 30, "chapter": "x" * 30}
    assert max(len(step) for step in model.steps) == 1


async def test_memoir_work_waits_for_live_recognition_and_then_goes_on() -> None:
    model = FakeChatModel()
    talk = Talk(lambda: model)
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            with talk.activity.under_way(Priority.LIVE):
                people.start_soon(talk.ask, "chapter", Priority.BACKGROUND)
                await trio.testing.wait_all_tasks_blocked()
                await talk.ask("person")
                assert talk.order == ["person"]
    assert talk.order == ["person", "chapter"]


async def test_work_that_gives_way_leaves_room_for_replies() -> None:
    model, obstacle = FakeChatModel(reply=b"x" * 30), Obstacle()
    model.hook = at("chapter", obstacle.block)
    talk = Talk(lambda: model)
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            for number in range(6):
                people.start_soon(talk.ask, f"chapter {number}", Priority.BACKGROUND)
            await obstacle.reached.wait()
            people.start_soon(talk.ask, "person")
            await trio.testing.wait_all_tasks_blocked()
            obstacle.clear()
    assert talk.order[0] == "person"
    assert len(talk.order) == 7
    assert set(talk.said.values()) == {"x" * 30}


async def test_much_that_is_prepared_takes_little_room_from_replies() -> None:
    model, ahead = FakeChatModel(max_sequences=8), Obstacle()
    model.hook = at("ahead", ahead.block)
    talk = Talk(lambda: model, queue=16)
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            for number in range(8):
                people.start_soon(partial(talk.ask, f"ahead {number}", Priority.PREPARING))
            await ahead.reached.wait()
            for number in range(6):
                people.start_soon(talk.ask, f"person {number}")
            await trio.testing.wait_all_tasks_blocked()
            ahead.clear()
    assert max(len(step) for step in model.steps) == 6
    assert len(talk.said) == 14


async def test_a_consumer_that_dawdles_does_not_hold_memoir_work_up() -> None:
    talk = Talk(FakeChatModel)
    async with talk.running():
        await talk.loader.ready()
        prompt = Prompt("a", (Message("user", "hi"),), Sampling(), 40, Priority.REPLY)
        async with talk.lane.reply(prompt) as pieces:
            assert "".join([piece async for piece in pieces]) == "Tell me more."
            await talk.ask("chapter", Priority.BACKGROUND)
    assert talk.said["chapter"] == "Tell me more."


async def test_a_step_that_raises_fails_its_own_request() -> None:
    def broken() -> None:
        raise RuntimeError("native")

    model, start = FakeChatModel(), Obstacle()
    hooks = [at("poison", broken), at("first", start.block)]

    def hook(work: Sequence[Advance]) -> None:
        for each in hooks:
            each(work)

    model.hook = hook
    talk = Talk(lambda: model)
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            people.start_soon(talk.ask, "first")
            await start.reached.wait()
            people.start_soon(talk.ask, "poison")
            await trio.testing.wait_all_tasks_blocked()
            start.clear()
    assert isinstance(talk.said["poison"], EngineFailed)
    assert talk.said["first"] == "Tell me more."
    assert (talk.metrics.failed, talk.metrics.finished) == (1, 1)


async def test_a_step_that_hangs_fails_its_requests_and_the_engine_is_replaced(
    mock_clock: trio.testing.MockClock,
) -> None:
    obstacle = Obstacle()
    engines = [FakeChatModel(hook=at("poison", obstacle.block)), FakeChatModel(reply=b"anew")]
    fresh = iter(engines)
    talk = Talk(lambda: next(fresh))
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            people.start_soon(talk.ask, "poison")
            await obstacle.reached.wait()
            mock_clock.jump(61)
        assert isinstance(talk.said["poison"], EngineFailed)
        assert talk.metrics.steps_hung == 1
        assert not engines[0].closed.is_set()
        await talk.loader.ready()
        await talk.ask("person")
        assert talk.said["person"] == "anew"
        obstacle.clear()
        await trio.to_thread.run_sync(engines[0].closed.wait)


async def test_who_waits_behind_a_hang_is_told_at_once(
    mock_clock: trio.testing.MockClock,
) -> None:
    obstacle, loading = Obstacle(), Obstacle()
    engines = iter([FakeChatModel(max_sequences=2, hook=lambda _: obstacle.block())])

    def load() -> FakeChatModel | None:
        model = next(engines, None)
        if model is None:
            loading.block()
        return model

    talk = Talk(load)
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            people.start_soon(talk.ask, "one")
            await obstacle.reached.wait()
            people.start_soon(talk.ask, "two")
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(61)
        assert isinstance(talk.said["one"], EngineFailed)
        assert isinstance(talk.said["two"], LlmUnavailable)
        obstacle.clear()
        loading.clear()


async def test_without_a_model_it_says_so_at_once() -> None:
    loading = Obstacle()
    talk = Talk(lambda: loading.block())
    async with talk.running():
        await loading.reached.wait()
        await talk.ask("early")
        assert "loading" in str(talk.said["early"])
        loading.clear()
        while not talk.loader.unavailable:
            await trio.testing.wait_all_tasks_blocked()
        await talk.ask("late")
    assert isinstance(talk.said["late"], LlmUnavailable)
    assert "installed" in str(talk.said["late"])


async def test_the_queue_is_bounded() -> None:
    obstacle = Obstacle()
    model = FakeChatModel(max_sequences=2, hook=lambda _: obstacle.block())
    talk = Talk(lambda: model, queue=1)
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            people.start_soon(talk.ask, "one")
            await obstacle.reached.wait()
            people.start_soon(talk.ask, "two")
            await trio.testing.wait_all_tasks_blocked()
            await talk.ask("three")
            assert isinstance(talk.said["three"], QueueFull)
            obstacle.clear()
    assert talk.said["one"] == talk.said["two"] == "Tell me more."


async def test_preparing_takes_no_place_from_those_who_wait() -> None:
    obstacle = Obstacle()
    model = FakeChatModel(max_sequences=2, hook=lambda _: obstacle.block())
    talk = Talk(lambda: model, queue=1)
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            people.start_soon(talk.ask, "one")
            await obstacle.reached.wait()
            for number in range(5):
                name = f"ahead {number}"
                people.start_soon(partial(talk.ask, name, Priority.PREPARING, max_tokens=0))
            await trio.testing.wait_all_tasks_blocked()
            people.start_soon(talk.ask, "two")
            await trio.testing.wait_all_tasks_blocked()
            obstacle.clear()
    assert talk.said["one"] == talk.said["two"] == "Tell me more."
    assert talk.order.index("two") < 2
    assert len(talk.order) == 7


async def test_only_replies_count_in_the_time_to_a_first_token() -> None:
    talk = Talk(FakeChatModel)
    async with talk.running():
        await talk.loader.ready()
        for name, priority in (("a", Priority.PREPARING), ("b", Priority.REPLY)):
            await talk.ask(name, priority)
    assert talk.metrics.first_tokens == 1


async def test_steps_run_one_at_a_time_outside_the_event_loop() -> None:
    inside: list[int] = []
    threads: set[bool] = set()

    def hook(_: Sequence[Advance]) -> None:
        inside.append(1)
        assert len(inside) == 1
        threads.add(threading.current_thread() is threading.main_thread())
        inside.pop()

    talk = Talk(lambda: FakeChatModel(hook=hook))
    async with talk.running():
        await talk.loader.ready()
        async with trio.open_nursery() as people:
            for number in range(4):
                people.start_soon(talk.ask, str(number))
    assert threads == {False}
    assert set(talk.said.values()) == {"Tell me more."}
