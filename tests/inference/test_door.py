"""The door as the rest of the server sees it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import trio
import trio.testing

from lifeecho_server.engines.chat_model import ChatModel, Message, Sampling
from lifeecho_server.engines.llama import load_llama
from lifeecho_server.engines.transcriber import Hearing, Transcriber
from lifeecho_server.inference import AudioSource, Capabilities, EngineState, Inference
from lifeecho_server.settings import Settings
from tests.inference.fakes import FakeChatModel, FakeTranscriber, Obstacle

MODEL = Path(__file__).parent.parent / "models" / "micro-llama.gguf"
SECOND = AudioSource(data=bytes(32_000), format="pcm_s16le", sample_rate=16_000)
GREEDY = Sampling(temperature=0)


@asynccontextmanager
async def running(
    transcriber: Callable[[], Transcriber | None] = lambda: None,
    chat_model: Callable[[], ChatModel | None] = lambda: None,
) -> AsyncIterator[Inference]:
    door = Inference(
        Settings(),
        load_transcriber=transcriber,
        load_chat_model=chat_model,
        fingerprint=lambda: "same",
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda task_status: door.run(task_status=task_status))
        yield door
        nursery.cancel_scope.cancel()


async def settled(door: Inference) -> Capabilities:
    known = door.capabilities
    while EngineState.LOADING in (known.asr, known.llm, known.tts):
        known = await door.changed(known)
    return known


async def test_it_starts_at_once_and_tells_everybody_when_engines_are_there() -> None:
    obstacle = Obstacle()

    def load() -> FakeTranscriber:
        obstacle.block()
        return FakeTranscriber()

    async with running(load) as door:
        await obstacle.reached.wait()
        first = door.capabilities
        assert first.asr is EngineState.LOADING
        told: list[Capabilities] = []

        async def listen() -> None:
            known = first
            while known.asr is EngineState.LOADING:
                known = await door.changed(known)
            told.append(known)

        async with trio.open_nursery() as connections:
            for _ in range(3):
                connections.start_soon(listen)
            await trio.testing.wait_all_tasks_blocked()
            obstacle.clear()
        assert [capabilities.asr for capabilities in told] == [EngineState.READY] * 3


async def test_nothing_installed_is_told_without_a_reason() -> None:
    async with running() as door:
        assert await settled(door) == Capabilities(
            EngineState.NONE, EngineState.NONE, EngineState.NONE
        )
        assert door.reasons == {}


async def test_a_model_with_a_single_sequence_is_refused_with_the_reason() -> None:
    model = FakeChatModel(max_sequences=1)
    async with running(chat_model=lambda: model) as door:
        assert (await settled(door)).llm is EngineState.FAILED
        assert "llm_sequences" in door.reasons["llm"]
    assert model.closed.is_set()


async def test_recognition_and_replies_through_the_door() -> None:
    async with running(FakeTranscriber, FakeChatModel) as door:
        await settled(door)
        transcript = await door.transcribe(SECOND, Hearing(hotwords=("mei",)), owner="a")
        assert transcript.text == "mei"
        messages = [Message("system", "be kind"), Message("user", transcript.text)]
        await door.prepare(messages, conversation="a")
        async with door.reply(messages, conversation="a", max_tokens=9) as pieces:
            assert "".join([piece async for piece in pieces]) == "Tell me m"
        assert door.metrics.asr.recognised == 1
        assert door.metrics.llm.finished == 2


async def test_a_real_model_answers_two_people_in_turn_from_what_it_kept() -> None:
    load = partial(load_llama, MODEL, context=2048, sequences=4, batch=128, threads=1)
    system = Message("system", "You are a gentle interviewer. Ask one short question. " * 4)
    histories = {name: [system] for name in ("ann", "bo")}
    async with running(chat_model=load) as door:
        await settled(door)
        for text in ("hello", "I was born by the river.", "我的妈妈每天唱歌。"):
            for name, history in histories.items():
                history.append(Message("user", text))
                reply = ""
                async with door.reply(
                    history, conversation=name, sampling=GREEDY, max_tokens=60
                ) as pieces:
                    async for piece in pieces:
                        reply += piece
                assert reply.strip()
                history.append(Message("assistant", reply))
        assert histories["ann"] == histories["bo"]
        counted = door.metrics.llm
        assert counted.evaluated_tokens < counted.prompt_tokens / 2
