"""A 400 kB audio message: received, decoded from base64, and (ours only) stored.

``python -m bench.audio_message --peer-python ENV/bin/python`` sends the same recording again and
again, one at a time, interleaved between the sides:

- *ours, stored*: acknowledged once the file is synced, its folder synced and its row committed;
- *ours, known*: the same message sent again under its own id, so it is received, decoded and looked
  up in the database, and not written: what the peer does, and a query more;
- *FastAPI*: received, decoded and answered; nothing is stored.
"""

import argparse
import base64
import random
import statistics
import tempfile
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import trio

from bench.report import RESULTS, percentile, show, spread, write
from bench.serving import addresses, lifeecho, settle
from bench.socket_client import SocketClient, opened
from bench.text_turn import peer

AUDIO_BYTES = 400_000


@dataclass(frozen=True, slots=True)
class Round:
    """One round of messages on one side: milliseconds from sending to the acknowledgement."""

    side: str
    p50: float
    p99: float
    messages_per_second: float


async def send_all(side: str, client: SocketClient, ids: list[str], audio: str) -> Round:
    """Send one message for each id, each after the last was acknowledged."""
    taken = []
    for client_id in ids:
        data = {"audio_base64": audio, "format": "wav"}
        message = {"type": "audio_message", "id": client_id, "data": data}
        frame = msgspec.json.encode(message)
        begin = time.perf_counter()
        await client.send(frame)
        await client.until("message_ack")
        taken.append((time.perf_counter() - begin) * 1000)
    return Round(
        side, percentile(taken, 0.5), percentile(taken, 0.99), 1000 / statistics.mean(taken)
    )


async def measure(urls: dict[str, str], rounds: int, messages: int) -> list[Round]:
    """Send to the sides in turn."""
    audio = base64.b64encode(random.Random(7).randbytes(AUDIO_BYTES)).decode()
    measured = []
    async with AsyncExitStack() as stack:
        clients = {}
        for side, url in urls.items():
            clients[side] = await stack.enter_async_context(opened(url))
            await clients[side].until("topic_suggestions" if side == "ours" else "connect")
        for number in range(rounds + 1):
            ids = [f"m-{number}-{index}" for index in range(messages)]
            ours = clients["ours"]
            measured.append(await send_all("ours, stored", ours, ids, audio))
            known = ids[:1] * messages
            measured.append(await send_all("ours, known", ours, known, audio))
            if "FastAPI" in clients:
                measured.append(await send_all("FastAPI", clients["FastAPI"], ids, audio))
    warm_up = len(measured) // (rounds + 1)
    return measured[warm_up:]


def table(measured: list[Round]) -> None:
    """Print the rounds' medians, least and most, and the rates beside the peer's."""
    sides = list(dict.fromkeys(each.side for each in measured))
    rates = {
        side: statistics.median(r.messages_per_second for r in measured if r.side == side)
        for side in sides
    }
    rows = []
    for side in sides:
        rounds = [each for each in measured if each.side == side]
        figures = [spread([getattr(r, name) for r in rounds]) for name in Round.__slots__[1:]]
        ratio = f"{rates[side] / rates['FastAPI']:.2f}" if "FastAPI" in rates else ""
        rows.append([side, *figures, ratio])
    columns = ["400 kB", "p50, ms", "p99, ms", "messages/s", "to FastAPI"]
    show("one client, one message at a time", columns, rows)


def main() -> None:
    """Read the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", type=Path, help="the Python of the peer's environment")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=40, help="a round")
    parser.add_argument("--out", type=Path, default=RESULTS / "audio_message.json")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        tokens = settle(folder, 1)
        servers = {"ours": stack.enter_context(lifeecho(folder))}
        if given.peer_python is None:
            print("no --peer-python: only our side is measured")
        else:
            servers["FastAPI"] = stack.enter_context(peer(given.peer_python, 5, folder))
        urls = {side: addresses(server.url, tokens)[0] for side, server in servers.items()}
        measured = trio.run(measure, urls, given.rounds, given.messages)
    table(measured)
    write(given.out, {"audio_bytes": AUDIO_BYTES, "rounds": [asdict(each) for each in measured]})


if __name__ == "__main__":
    main()
