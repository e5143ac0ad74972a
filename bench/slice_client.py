"""A phone that sends a recording in slices, over a network that misbehaves on purpose."""

import json
import random
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

SAMPLE_RATE = 16_000
PATIENCE = 600.0
SESSION = "talk"


def cut(pcm: bytes, seconds: float) -> list[bytes]:
    """Return raw ``pcm_s16le`` as slices, cut without regard to words."""
    size = round(seconds * SAMPLE_RATE) * 2
    return [pcm[at : at + size] for at in range(0, len(pcm), size)]


def frame(audio: bytes, index: int, is_last: bool, session: str = SESSION) -> bytes:
    """Return the binary frame of one slice."""
    data = {
        "voice_session_id": session,
        "segment_index": index,
        "is_last": is_last,
        "format": "pcm_s16le",
        "sample_rate": SAMPLE_RATE,
    }
    head = json.dumps({"type": "audio_segment", "data": data}).encode()
    return struct.pack(">H", len(head)) + head + audio


@dataclass
class Line:
    """One connection: what was acknowledged, and every message that came."""

    socket: ClientConnection
    seen: list[dict[str, Any]] = field(default_factory=list)
    acknowledged: set[int] = field(default_factory=set)

    def next(self, timeout: float = PATIENCE) -> dict[str, Any]:
        """Return the next message. Raises TimeoutError, ConnectionClosed."""
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=timeout))
        self.seen.append(message)
        if message["type"] == "segment_ack":
            self.acknowledged.add(message["data"]["segment_index"])
        return message

    def until(self, kind: str) -> dict[str, Any]:
        """Return the data of the next message of a type."""
        while (message := self.next())["type"] != kind:
            pass
        data: dict[str, Any] = message["data"]
        return data

    def until_asr(self) -> None:
        """Wait until the recognition model is ready."""
        told = self.until("connect")["capabilities"]
        while told["asr"] != "ready":
            told = self.until("capabilities")

    def drain(self) -> None:
        """Read what the server has sent before it was killed."""
        with suppress(ConnectionClosed):
            while True:
                self.next()


@contextmanager
def on_line(address: str) -> Iterator[Line]:
    """Open a connection."""
    opened = connect(
        address, compression=None, max_size=None, proxy=None, ping_interval=None, open_timeout=60
    )
    with opened as socket:
        yield Line(socket)


def send_all(
    address: str, slices: Sequence[bytes], *, shuffled: bool, doubled: float, cuts: int, seed: int
) -> dict[str, Any]:
    """Send a recording as told and return its transcript.

    ``doubled`` is the share of slices sent twice; after each of ``cuts`` drops of the connection
    it goes on with what ``connect.resume`` says is not there.
    """
    rng = random.Random(seed)
    order = list(range(len(slices)))
    if shuffled:
        rng.shuffle(order)
    for index in rng.sample(order, round(doubled * len(order))):
        order.insert(rng.randrange(len(order) + 1), index)
    lives = sorted(rng.sample(range(1, len(order)), min(cuts, len(order) - 1)))
    begin = 0
    for end in (*lives, len(order)):
        with on_line(address) as line:
            here = received(line.until("connect"))
            for index in order[begin:end]:
                line.socket.send(frame(slices[index], index, index == len(slices) - 1))
            missed = set(order[:begin]) - here
            for index in sorted(missed):
                line.socket.send(frame(slices[index], index, index == len(slices) - 1))
            if end == len(order):
                return line.until("transcript")
            time.sleep(rng.uniform(0, 0.05))
        begin = end
    raise AssertionError("the last life returns")


def received(connected: dict[str, Any], session: str = SESSION) -> set[int]:
    """Return which slices of a session the server says it has."""
    sessions = connected["resume"]["voice_sessions"]
    return {i for each in sessions if each["voice_session_id"] == session for i in each["received"]}
