"""The process killed at any instant of a recording in slices: what was acknowledged is heard."""

import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from lifeecho_server.store.database import Database
from tests.conftest import MODELS
from tests.faults.serving import Process, household
from tests.house import House, Talker
from tests.session.slices import cut, send, send_one, talk, words

KILLS = 5
ENGINES = {
    "LIFEECHO_ASR_MODEL": "micro-whisper",
    "LIFEECHO_LLM_MODEL": "none",
    "LIFEECHO_SPEECH_ENGINE": "none",
    "LIFEECHO_PART_PAUSE": "0",
}


def received(talker: Talker) -> set[int]:
    sessions = talker.seen[0]["data"]["resume"]["voice_sessions"]
    return {index for session in sessions for index in session["received"]}


def killed_amidst(
    server: Process, house: House, slices: list[bytes], rng: random.Random
) -> tuple[set[int], set[int]]:
    """Send some slices, kill the server meanwhile; return what it had and what it acknowledged."""
    with house.talker("rose") as talker:
        had = received(talker)
        left = [index for index in range(len(slices) - 1) if index not in had]
        for index in rng.sample(left, min(4, len(left))):
            send_one(talker, slices[index], index)
        time.sleep(rng.uniform(0.0, 0.1))
        server.kill()
        with suppress(ConnectionClosed):
            while True:
                talker.next()
        acks = [m["data"] for m in talker.seen if m["type"] == "segment_ack"]
        return had, {ack["segment_index"] for ack in acks}


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_slices_come_in(tmp_path: Path, seed: int) -> None:
    rng, acked = random.Random(seed), set[int]()
    slices = cut(talk(6), 0.7)
    with Process(tmp_path, MODELS, **ENGINES) as server:
        house = household(tmp_path, server.url)
        house.elder("rose")
        killed_amidst(server, house, slices, rng)
    for _ in range(KILLS - 1):
        with Process(tmp_path, MODELS, **ENGINES) as server:
            house.url = server.url
            had, now = killed_amidst(server, house, slices, rng)
            assert acked <= had
            acked |= now
    with Process(tmp_path, MODELS, **ENGINES) as server:
        house.url = server.url
        with house.talker("rose") as talker:
            had = received(talker)
            assert acked <= had
            send(talker, slices, order=[i for i in range(len(slices)) if i not in had])
            assert talker.until("transcript")["text"] == words(6)
            assert talker.reply()
    assert turns(house) == [(words(6), "heard")]
    with Database.open(tmp_path / "lifeecho.db") as data:
        assert data.faults() == []


def test_killed_between_the_last_slice_and_the_transcript(tmp_path: Path) -> None:
    slices = cut(talk(6), 2.0)
    with Process(tmp_path, MODELS, **ENGINES) as server:
        house = household(tmp_path, server.url)
        house.elder("rose")
        with house.talker("rose") as talker:
            send(talker, slices)
            last: dict[str, Any] = {}
            while last.get("segment_index") != len(slices) - 1:
                last = talker.until("segment_ack")
            server.kill()
    with Process(tmp_path, MODELS, **ENGINES) as server:
        house.url = server.url
        with house.talker("rose") as talker:
            assert talker.reply()
    assert turns(house) == [(words(6), "heard")]


def turns(house: House) -> list[tuple[str, str]]:
    query = "SELECT text, hearing FROM turns WHERE speaker = 'narrator' ORDER BY seq"
    return house.ask(query)  # type: ignore[return-value]
