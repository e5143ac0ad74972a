"""The process killed at any instant: what was acknowledged is there, once, and is answered."""

import random
import time
from pathlib import Path

import pytest

from lifeecho_server.store.database import Database
from tests.faults.serving import Process, household
from tests.house import House
from tests.models.recorded import recordings

RECORDING = recordings()[0]
NO_MODELS = Path(__file__).parent


def turns(house: House) -> list[tuple[str, str, str | None]]:
    return house.ask(  # type: ignore[return-value]
        "SELECT client_id, text, answered_by FROM turns WHERE speaker = 'narrator' ORDER BY seq"
    )


def whole(data_dir: Path) -> bool:
    with Database.open(data_dir / "lifeecho.db") as data:
        return data.faults() == []


def test_killed_between_acknowledgement_and_reply(tmp_path: Path) -> None:
    # Parts are far apart, so the reply has surely not been delivered when the kill comes.
    with Process(tmp_path, NO_MODELS, LIFEECHO_PART_PAUSE="30") as server:
        house = household(tmp_path, server.url)
        house.elder("rose")
        with house.talker("rose") as talker:
            talker.until("agent_response")
            talker.text("We lived by the river.", "m-1")
            talker.until("message_ack")
            server.kill()
    assert whole(tmp_path)
    assert [turn[:2] for turn in turns(house)] == [("m-1", "We lived by the river.")]
    with Process(tmp_path, NO_MODELS) as server:
        house.url = server.url
        with house.talker("rose", speech="0") as talker:
            assert talker.reply()
            talker.text("We lived by the river.", "m-1")
            assert talker.until("message_ack")["status"] == "duplicate"
            talker.quiet()
    [(_, _, answer)] = turns(house)
    assert answer is not None


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"deltas": "1", "speech": "0"}, "agent_response_delta"),
        ({"deltas": "0", "speech": "1"}, "tts_audio"),
    ],
)
def test_killed_when_a_sentence_has_left(tmp_path: Path, query: dict[str, str], kind: str) -> None:
    """It is in the history, and as the rest is not known its turn is answered anew."""
    with Process(tmp_path, NO_MODELS, LIFEECHO_PART_PAUSE="30") as server:
        house = household(tmp_path, server.url)
        house.elder("rose")
        with house.talker("rose", **query) as talker:
            talker.until_capability("tts", "ready")
            talker.text("We had a garden with a plum tree.", "m-1")
            talker.until("message_ack")
            left = talker.until(kind)
            server.kill()
    [(kept, finished)] = house.ask(
        "SELECT text, finished FROM turns WHERE id = ?", left["assistant_message_id"]
    )
    assert left["text"] in kept
    assert not finished
    with Process(tmp_path, NO_MODELS) as server:
        house.url = server.url
        with house.talker("rose", speech="0") as talker:
            anew = talker.reply()[0]["assistant_message_id"]
    assert anew != left["assistant_message_id"]
    assert [turn[2] for turn in turns(house)] == [anew]


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_a_random_instant_under_load(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    acked: set[str] = set()
    with Process(tmp_path, NO_MODELS, LIFEECHO_PART_PAUSE="0.01") as server:
        house = household(tmp_path, server.url)
        house.elder("rose")
        with house.talker("rose") as talker:
            deadline = time.monotonic() + rng.uniform(0.02, 0.6)
            sent = 0
            while time.monotonic() < deadline:
                talker.text(f"Story {sent}.", f"m-{sent}")
                sent += 1
                message = talker.next()
                if message["type"] == "message_ack":
                    acked.add(message["data"]["id"])
            server.kill()
    assert whole(tmp_path)
    stored = [client_id for client_id, _, _ in turns(house)]
    assert len(stored) == len(set(stored))
    assert acked <= set(stored)
    with Process(tmp_path, NO_MODELS) as server:
        house.url = server.url
        with house.talker("rose") as talker:
            talker.next()
            talker.say("ping")
            talker.until("pong")
    assert all(answer is not None for _, _, answer in turns(house))


def test_killed_after_a_recording_was_acknowledged(tmp_path: Path) -> None:
    with Process(tmp_path, NO_MODELS) as server:
        house = household(tmp_path, server.url)
        house.elder("rose")
        with house.talker("rose") as talker:
            talker.audio(RECORDING.path.read_bytes(), "a-1")
            talker.until("message_ack")
            server.kill()
    [(path,)] = house.ask("SELECT path FROM recordings")
    assert (tmp_path / "recordings" / path).read_bytes() == RECORDING.path.read_bytes()
    assert [turn[0] for turn in turns(house)] == ["a-1"]


def test_stopped_gracefully(tmp_path: Path) -> None:
    with Process(tmp_path, NO_MODELS) as server:
        house = household(tmp_path, server.url)
        house.elder("rose")
        with house.talker("rose") as talker:
            talker.text("We lived by the river.")
            code, _ = server.terminate()
            assert talker.closed().code == 1001
    assert code == 0
    assert not (tmp_path / "server.json").exists()
    assert len(turns(house)) == 1


def test_logs_hold_nothing_personal(tmp_path: Path) -> None:
    with Process(tmp_path, NO_MODELS, LIFEECHO_LOG_LEVEL="debug") as server:
        house = household(tmp_path, server.url)
        house.elder("rosalind")
        token = house.token("rosalind")
        with house.socket("c-1", token=token) as talker:
            talker.text("We lived by the river Wharfe.")
            talker.until("message_ack")
            talker.say("nonsense-type")
            talker.audio(b"no recording at all" * 30, "secret-id")
            talker.until("error")
            talker.socket.send("{broken")
            talker.until("error")
        with house.socket("c-1", token="not-a-token-at-all", lang="en") as talker:
            talker.closed()
        _, logged = server.terminate()
    for trace in ("Wharfe", "rosalind", token, "not-a-token", "token=", "nonsense", "secret-id"):
        assert trace not in logged
