"""Latency: ``ping`` to ``pong`` while nothing goes on, and while the engines work.

``python -m bench.latency`` pings on the socket of a person who is being answered by the model,
turn after turn, while another person's long recording is recognised, again and again. Beside it:
how late the bench itself wakes from its sleep, which the machine's load adds to every figure.
"""

import argparse
import base64
import tempfile
import time
import wave
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path

import msgspec
import trio

from bench.report import RESULTS, percentile, show, write
from bench.serving import addresses, lifeecho, settle
from bench.socket_client import SocketClient, is_final, opened
from bench.start import MICRO_MODELS, copy_models
from bench.talkers import SAID

PAUSE = 0.005
PING = b'{"type":"ping"}'
LOADING_SECONDS = 120.0
RATE = 16_000


class Capabilities(msgspec.Struct):
    """What of the engines is ready."""

    asr: str
    llm: str


class Connect(msgspec.Struct):
    """What a conversation begins with."""

    capabilities: Capabilities


@dataclass(slots=True)
class Pings:
    """Milliseconds of each ping, how late a sleep ended, and what went on meanwhile."""

    name: str
    pongs: list[float] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    replies: int = 0
    transcripts: int = 0


def recording(seconds: float, folder: Path = MICRO_MODELS / "recordings") -> bytes:
    """Return the test recordings, one after the other, as one WAV of about so many seconds."""
    pieces = []
    for path in sorted(folder.glob("*.wav")):
        with wave.open(str(path)) as file:
            pieces.append(file.readframes(file.getnframes()))
    once = b"".join(pieces)
    joined = once * max(1, round(seconds * RATE * 2 / len(once)))
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(joined)
    return out.getvalue()


async def engines_ready(client: SocketClient) -> None:
    """Wait until both engines are ready."""
    data = (await client.until("connect")).data
    now = msgspec.json.decode(data, type=Connect).capabilities
    while (now.asr, now.llm) != ("ready", "ready"):
        if "failed" in (now.asr, now.llm) or "none" in (now.asr, now.llm):
            raise SystemExit(f"the models cannot be used: {now}")
        data = (await client.until("capabilities")).data
        now = msgspec.json.decode(data, type=Capabilities)


async def ping(client: SocketClient, pings: Pings, seconds: float, *, talking: bool) -> None:
    """Ping for so long; when talking, say something whenever the last turn was answered."""
    end, answered, said = time.perf_counter() + seconds, True, 0
    while (begin := time.perf_counter()) < end:
        if talking and answered:
            text = {"text": SAID[said % len(SAID)]}
            await client.send(msgspec.json.encode({"type": "text", "data": text}))
            answered, said = False, said + 1
        begin = time.perf_counter()
        await client.send(PING)
        while (message := await client.receive()).type != "pong":
            if message.type == "agent_response" and is_final(message):
                answered, pings.replies = True, pings.replies + 1
        pings.pongs.append((time.perf_counter() - begin) * 1000)
        begin = time.perf_counter()
        await trio.sleep(PAUSE)
        pings.lateness.append((time.perf_counter() - begin - PAUSE) * 1000)


async def keep_recognising(client: SocketClient, pings: Pings, seconds: float) -> None:
    """Send a long recording again as soon as the last one has become words."""
    audio = base64.b64encode(recording(seconds)).decode()
    frame = msgspec.json.encode({"type": "audio_message", "data": {"audio_base64": audio}})
    while True:
        await client.send(frame)
        await client.until("transcript")
        pings.transcripts += 1


async def measure(urls: list[str], seconds: float, audio_seconds: float) -> list[Pings]:
    """Ping while idle, then while both engines work."""
    idle, busy = Pings("idle"), Pings("reply and recognition")
    async with opened(urls[0]) as one, opened(urls[1]) as other:
        with trio.fail_after(LOADING_SECONDS):
            await engines_ready(one)
            await other.until("topic_suggestions")
        await ping(one, idle, seconds, talking=False)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_recognising, other, busy, audio_seconds)
            await ping(one, busy, seconds, talking=True)
            nursery.cancel_scope.cancel()
    return [idle, busy]


def main() -> None:
    """Read the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models-dir", type=Path, help="models to use [the test models]")
    parser.add_argument("--seconds", type=float, default=20, help="of pinging, each")
    parser.add_argument("--audio-seconds", type=float, default=120, help="of each recording")
    parser.add_argument("--out", type=Path, default=RESULTS / "latency.json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        models = given.models_dir or copy_models(Path(folder) / "models")
        tokens = settle(Path(folder) / "data", 2)
        with lifeecho(Path(folder) / "data", models, LIFEECHO_PART_PAUSE="0") as server:
            urls = addresses(server.url, tokens)
            measured = trio.run(measure, urls, given.seconds, given.audio_seconds)
    rows = []
    for each in measured:
        times = [percentile(each.pongs, share) for share in (0.5, 0.99, 1)]
        late = [percentile(each.lateness, share) for share in (0.5, 0.99, 1)]
        figures = [f"{value:.2f}" for value in (*times, *late)]
        counts = [str(count) for count in (len(each.pongs), each.replies, each.transcripts)]
        rows.append([each.name, *figures, *counts])
    columns = ["ms", "pong p50", "p99", "max", "sleep p50", "p99", "max"]
    columns += ["pings", "replies", "transcripts"]
    show("ping to pong; lateness of a sleep in the bench itself", columns, rows)
    write(given.out, {"pings": [asdict(each) for each in measured]})


if __name__ == "__main__":
    main()
