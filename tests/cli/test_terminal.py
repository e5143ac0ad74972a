"""The terminal against a server's end of the socket, over memory streams."""

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import msgspec
import pytest
import trio
import trio_websocket as ws
from trio.testing import memory_stream_pair

from lifeecho_server.cli.terminal import CannotTalk, Terminal, connected
from lifeecho_server.clock import SystemClock

CHIP = {"id": "1", "label": "Home", "text": "Let us talk of home.", "slot": "childhood.home"}
CAPABILITIES = {"asr": "none", "llm": "none", "tts": "none", "languages": ["zh", "en"]}


@dataclass
class Interviewer:
    """The server's end: says what a test tells it to, and keeps what it was told."""

    socket: ws.WebSocketConnection
    told: list[str] = field(default_factory=list)

    async def send(self, kind: str, **data: object) -> None:
        envelope = {"type": kind, "conversation_id": "c", "data": data, "timestamp": "now"}
        await self.socket.send_message(msgspec.json.encode(envelope).decode())

    async def connect(self, *, last: str | None = None, ended: bool = False) -> None:
        resume = {"last_message_id": last, "voice_sessions": []}
        narrator = {"id": "n", "name": "N"}
        await self.send(
            "connect", narrator=narrator, ended=ended, capabilities=CAPABILITIES, resume=resume
        )

    async def say(self, text: str, *, final: bool = True) -> None:
        await self.send(
            "agent_response", text=text, index=0, total=1, assistant_message_id="a", final=final
        )

    async def hear(self) -> str:
        frame = await self.socket.get_message()
        head = frame[2 : 2 + int.from_bytes(frame[:2])] if isinstance(frame, bytes) else frame
        message = msgspec.json.decode(head)
        self.told.append(message["data"].get("text", "(audio)"))
        await self.send("message_ack", id=message["id"], message_id="t", status="stored")
        return self.told[-1]


Script = Callable[[Interviewer], Awaitable[None]]


async def converse(script: Script, recording: bytes | None = None) -> list[str]:
    """Talk from a terminal to a script; return what the server was told."""
    near, far = memory_stream_pair()
    told: list[str] = []

    async def serve(nursery: trio.Nursery) -> None:
        request = await ws.wrap_server_stream(nursery, far)
        interviewer = Interviewer(await request.accept(), told)
        try:
            await script(interviewer)
        except ws.ConnectionClosed:
            return
        await interviewer.socket.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, nursery)
        socket = await ws.wrap_client_stream(nursery, near, "server", "/ws/conversation/c")
        try:
            await Terminal(SystemClock(), recording).talk(socket)
        finally:
            await socket.aclose()
            nursery.cancel_scope.cancel()
    return told


async def answer_everything(interviewer: Interviewer) -> None:
    await interviewer.connect()
    await interviewer.say("Good day.", final=False)
    await interviewer.say("What shall I call you?")
    await interviewer.send(
        "topic_suggestions", reason="opening", stage="childhood", suggestions=[CHIP]
    )
    while True:
        heard = await interviewer.hear()
        await interviewer.say(f"You said: {heard}")


def typing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


async def test_lines_are_said_one_after_the_other(autojump_clock, monkeypatch, capsys):
    typing(monkeypatch, "1\n\n1\nI like tea\n")
    told = await converse(answer_everything)
    assert told == ["Let us talk of home.", "1", "I like tea"]
    assert capsys.readouterr().out.splitlines() == [
        "Good day.",
        "What shall I call you?",
        "  [1] Home",
        "You said: Let us talk of home.",
        "You said: 1",
        "You said: I like tea",
    ]


async def test_a_recording_is_sent_and_that_is_all(autojump_clock, monkeypatch, capsys):
    typing(monkeypatch, "this is not read\n")

    async def script(interviewer: Interviewer) -> None:
        await interviewer.connect(last="m0")
        await interviewer.hear()
        data = {"text": "hello", "audio_duration": 1.0, "message_id": "t", "language": "en"}
        await interviewer.send("transcript", **data, segments=[], missing=[], revision=1)
        await interviewer.say("Hello to you.")
        await trio.sleep_forever()

    assert await converse(script, b"RIFF") == ["(audio)"]
    assert capsys.readouterr().out.splitlines() == ["» hello", "Hello to you."]


async def test_an_old_conversation_goes_on_without_a_greeting(autojump_clock, monkeypatch):
    typing(monkeypatch, "again\n")

    async def script(interviewer: Interviewer) -> None:
        await interviewer.connect(last="m0")
        await interviewer.hear()
        await interviewer.say("Go on.")
        await trio.sleep_forever()

    assert await converse(script) == ["again"]


async def test_an_ended_conversation_is_only_told(autojump_clock, monkeypatch, capsys):
    typing(monkeypatch, "too late\n")

    async def script(interviewer: Interviewer) -> None:
        await interviewer.connect(last="m0", ended=True)
        await trio.sleep_forever()

    assert await converse(script) == []
    assert "has ended" in capsys.readouterr().err


async def test_being_cut_off_is_told_with_the_reason(autojump_clock, monkeypatch):
    typing(monkeypatch, "hello\n")

    async def script(interviewer: Interviewer) -> None:
        await interviewer.socket.aclose(1008, "no such user")

    with pytest.RaisesGroup(pytest.RaisesExc(CannotTalk, match="no such user")):
        await converse(script)


async def test_a_server_that_stops_ends_the_talk_in_peace(autojump_clock, monkeypatch):
    typing(monkeypatch, "hello\nanother\n")

    async def script(interviewer: Interviewer) -> None:
        await interviewer.connect(last="m0")
        await interviewer.hear()
        await interviewer.socket.aclose(1001, "server going away")

    assert await converse(script) == ["hello"]


async def test_a_server_that_refuses_the_upgrade_is_told():
    async def refuse(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some()
            await stream.send_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(
            partial(trio.serve_tcp, refuse, 0, host="127.0.0.1", handler_nursery=nursery)
        )
        port = listener.socket.getsockname()[1]
        with pytest.raises(CannotTalk, match="refused"):
            async with connected(f"ws://127.0.0.1:{port}/ws/conversation/c", "token"):
                pytest.fail("there is no conversation")
        nursery.cancel_scope.cancel()
