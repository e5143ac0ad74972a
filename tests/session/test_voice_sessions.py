"""Recordings in slices, on the real micro Whisper: nothing is lost, each word comes out once."""

import base64
import itertools
import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from lifeecho_server.session import amending, live_recording
from lifeecho_server.settings import Plan
from lifeecho_server.store.conversations import delete_conversation
from tests.conftest import MODELS
from tests.engines.clips import encoded
from tests.engines.disks import FailingDisk
from tests.house import House, Talker
from tests.session.engines import Engines, Gate, ScriptedTranscriber, failing
from tests.session.slices import ENGLISH, cut, pcm, quiet, send, send_one, talk, words
from tests.session.waiting import eventually


@pytest.fixture
def hearing_house(build_house: Callable[..., House]) -> House:
    """A house with the micro Whisper, in which Rose lives."""
    house = build_house(models_dir=MODELS, llm_model="none", speech_engine="none", slice_wait=1.5)
    house.elder("rose")
    return house


def transcript(talker: Talker) -> dict[str, Any]:
    """Read until the finished transcript."""
    return talker.until("transcript")


def acked(talker: Talker) -> list[tuple[int, str]]:
    """Return which slices were acknowledged, as seen so far."""
    acks = [m["data"] for m in talker.seen if m["type"] == "segment_ack"]
    return [(ack["segment_index"], ack["status"]) for ack in acks]


def told_turns(house: House) -> list[tuple[str, str]]:
    return house.ask(  # type: ignore[return-value]
        "SELECT text, hearing FROM turns WHERE speaker = 'narrator' AND hearing <> 'silent'"
        " ORDER BY seq"
    )


# What a recording is.


@pytest.mark.parametrize("seconds", [1.0, 2.7])
def test_slices_become_one_turn_that_is_acknowledged_shown_and_answered(
    hearing_house: House, seconds: float
) -> None:
    samples = talk(4)
    with hearing_house.opened("rose") as talker:
        slices = cut(samples, seconds)
        send(talker, slices)
        ack = talker.until("message_ack")
        shown = talker.expect("transcript")
        assert talker.reply()
    assert acked(talker) == [(index, "stored") for index in range(len(slices))]
    assert (ack["id"], ack["status"]) == (None, "stored")
    assert shown["text"] == words(4)
    assert (shown["voice_session_id"], shown["message_id"]) == ("v-1", ack["message_id"])
    assert (shown["missing"], shown["revision"], shown["language"]) == ([], 1, "en")
    assert shown["audio_duration"] == pytest.approx(len(samples) / 16_000, abs=0.01)
    assert " ".join(segment["text"] for segment in shown["segments"]) == words(4)
    times = [time for segment in shown["segments"] for time in (segment["start"], segment["end"])]
    assert times == sorted(times)
    assert told_turns(hearing_house) == [(words(4), "heard")]


def test_every_order_gives_the_same_words(hearing_house: House) -> None:
    slices = cut(talk(5), 0.9)
    rng = random.Random(1)
    for session in ("one", "two", "three"):
        order = list(range(len(slices)))
        rng.shuffle(order)
        order += rng.choices(order, k=3)
        with hearing_house.talker("rose", f"c-{session}") as talker:
            send(talker, slices, session, order)
            assert transcript(talker)["text"] == words(5)
            talker.say("ping")
            talker.until("pong")
        doubled = [index for index, status in acked(talker) if status == "duplicate"]
        assert sorted(doubled) == sorted(order[-3:])


def test_words_come_while_the_person_talks_and_stable_ones_stay(hearing_house: House) -> None:
    slices = cut(talk(6), 1.0)
    with hearing_house.opened("rose") as talker:
        for index, audio in enumerate(slices[:-1]):
            send_one(talker, audio, index)
        first = talker.until("transcript_partial")
        while not first["stable_chars"]:
            first = talker.until("transcript_partial")
        send_one(talker, slices[-1], len(slices) - 1, is_last=True)
        shown = transcript(talker)
    partials = [m["data"] for m in talker.seen if m["type"] == "transcript_partial"]
    indexes = [partial["segment_index"] for partial in partials]
    assert indexes == sorted(indexes)
    assert all(partial["voice_session_id"] == "v-1" for partial in partials)
    for partial in partials:
        assert shown["text"].startswith(partial["text"][: partial["stable_chars"]])
    assert shown["text"] == words(6)


def test_slices_may_come_as_json_and_be_named_by_the_client(hearing_house: House) -> None:
    slices = cut(talk(2), 2.0)
    with hearing_house.opened("rose") as talker:
        for index, audio in enumerate(slices):
            talker.say(
                "audio_segment",
                client_segment_id=f"walk-in_the_rain-{index}",
                segment_index=str(index),
                audio_base64=base64.b64encode(audio).decode(),
                format="pcm_s16le",
                sample_rate=16_000,
                is_last=index == len(slices) - 1,
                duration="long",
            )
        shown = transcript(talker)
    assert (shown["voice_session_id"], shown["text"]) == ("walk-in_the_rain", words(2))


def test_what_a_relative_says_is_kept_as_theirs(hearing_house: House) -> None:
    with hearing_house.opened("rose") as talker:
        send(talker, cut(talk(1), 2.0), speaker="relative", recorded_at="2026-02-01T10:00:00Z")
        transcript(talker)
    [(speaker, said_at)] = hearing_house.ask(
        "SELECT speaker, said_at FROM turns WHERE voice_session_id IS NOT NULL"
    )
    assert speaker == "relative"
    assert said_at == 1_769_940_000_000_000


@pytest.mark.parametrize("seconds", [1.0, 4.0])
def test_silence_is_no_turn(hearing_house: House, seconds: float) -> None:
    with hearing_house.opened("rose") as talker:
        send(talker, cut(quiet(seconds), 1.0))
        shown = transcript(talker)
        assert (shown["text"], shown["message_id"], shown["segments"]) == ("", None, [])
        talker.quiet()
    assert not [m for m in talker.seen if m["type"] == "message_ack"]
    assert told_turns(hearing_house) == []


# What may be wrong with a slice, in the order of the contract.


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"voice_session_id": None}, "MISSING_FIELD", "voice_session_id"),
        ({"voice_session_id": " "}, "MISSING_FIELD", "voice_session_id"),
        ({"voice_session_id": "a b"}, "BAD_FIELD", "voice_session_id"),
        ({"voice_session_id": "x" * 65}, "BAD_FIELD", "voice_session_id"),
        ({"voice_session_id": 7}, "BAD_FIELD", "voice_session_id"),
        (
            {"voice_session_id": None, "client_segment_id": "nothing"},
            "BAD_FIELD",
            "client_segment_id",
        ),
        ({"voice_session_id": None, "audio_base64": None}, "MISSING_FIELD", "voice_session_id"),
        ({"audio_base64": None, "segment_index": None}, "MISSING_FIELD", "audio_base64"),
        ({"audio_base64": ""}, "MISSING_FIELD", "audio_base64"),
        ({"audio_base64": "%%%"}, "BAD_FIELD", "audio_base64"),
        ({"segment_index": None}, "MISSING_FIELD", "segment_index"),
        ({"segment_index": " "}, "MISSING_FIELD", "segment_index"),
        ({"segment_index": True}, "BAD_FIELD", "segment_index"),
        ({"segment_index": 1.5}, "BAD_FIELD", "segment_index"),
        ({"segment_index": "1.5"}, "BAD_FIELD", "segment_index"),
        ({"segment_index": "one"}, "BAD_FIELD", "segment_index"),
        ({"segment_index": -1}, "BAD_FIELD", "segment_index"),
        ({"segment_index": 100_000}, "BAD_FIELD", "segment_index"),
        ({"segment_index": "100000"}, "BAD_FIELD", "segment_index"),
        ({"is_last": "yes"}, "BAD_FIELD", "is_last"),
        ({"sample_rate": None}, "MISSING_FIELD", "sample_rate"),
        ({"sample_rate": 1}, "BAD_FIELD", "sample_rate"),
    ],
)
def test_first_fault_of_a_slice_is_told_and_nothing_is_stored(
    house: House, fields: dict[str, Any], code: str, field: str
) -> None:
    sound = base64.b64encode(pcm(quiet(1))).decode()
    data: dict[str, Any] = {"voice_session_id": "v-1", "segment_index": 3, "audio_base64": sound}
    data |= {"format": "pcm_s16le", "sample_rate": 16_000} | fields
    with house.opened("rose") as talker:
        talker.say("audio_segment", "s-1", **data)
        error = talker.error()
    assert (error["code"], error["field"], error["reply_to"]) == (code, field, "s-1")
    if field == "segment_index":
        assert error["voice_session_id"] == "v-1"
        assert "segment_index" not in error
    if field in ("is_last", "sample_rate"):
        assert (error["voice_session_id"], error["segment_index"]) == ("v-1", 3)
    assert house.ask("SELECT count(*) FROM voice_sessions") == [(0,)]


@pytest.mark.parametrize("index", [0, 99_999, "7"])
def test_every_index_of_the_contract_is_taken(house: House, index: int | str) -> None:
    with house.opened("rose") as talker:
        send_one(talker, pcm(quiet(0.1)), index)  # type: ignore[arg-type]
        assert talker.expect("segment_ack")["segment_index"] == int(index)


def test_quota_is_looked_at_with_the_first_slice_only_and_after_duplicates(
    build_house: Callable[..., House],
) -> None:
    house = build_house(plans={"unlimited": Plan(turns_a_day=1)})
    house.elder("rose")
    slices = cut(talk(1), 1.0)
    with house.opened("rose", lang="en") as talker:
        send_one(talker, slices[0], 0)
        talker.expect("segment_ack")
        talker.text("We lived by the river.")
        talker.until("message_ack")
        talker.reply()
        send_one(talker, slices[1], 1)
        assert talker.expect("segment_ack")["status"] == "stored"
        send_one(talker, slices[0], 0)
        assert talker.expect("segment_ack")["status"] == "duplicate"
        send_one(talker, slices[0], 0, "v-2")
        error = talker.error()
    assert (error["code"], error["retryable"]) == ("QUOTA_EXCEEDED", True)
    assert (error["voice_session_id"], error["segment_index"]) == ("v-2", 0)
    assert error["resets_at"]
    assert house.ask("SELECT client_id FROM voice_sessions") == [("v-1",)]
    assert house.ask("SELECT count(*) FROM recordings") == [(2,)]


def test_only_so_many_recordings_go_on_at_once(build_house: Callable[..., House]) -> None:
    house = build_house(plans={"unlimited": Plan(recordings_at_once=1)})
    house.elder("rose")
    with house.opened("rose") as talker:
        send_one(talker, pcm(quiet(1)), 1, "v-1", is_last=True)
        talker.expect("segment_ack")
        now = house.clock.now()
        send_one(talker, pcm(quiet(1)), 0, "v-2")
        error = talker.error()
        assert error["code"] == "QUOTA_EXCEEDED"
        waits = datetime.fromisoformat(error["resets_at"]) - now
        assert waits <= timedelta(seconds=house.settings.session_idle)
        send_one(talker, pcm(quiet(1)), 0, "v-1")
        talker.expect("segment_ack")
        send_one(talker, pcm(quiet(1)), 0, "v-2")
        talker.until("segment_ack")


def test_a_slice_that_nobody_can_read_is_kept_and_told_and_the_rest_is_heard(
    hearing_house: House,
) -> None:
    sound = encoded(talk(1), "m4a")
    with hearing_house.opened("rose", lang="en") as talker:
        send_one(talker, sound, 0, format="m4a")
        send_one(talker, b"this is no sound at all" * 40, 1, format="m4a")
        send_one(talker, sound, 2, format="m4a", is_last=True)
        error = talker.until("error")
        shown = transcript(talker)
    assert acked(talker) == [(0, "stored"), (1, "stored"), (2, "stored")]
    assert (error["code"], error["voice_session_id"], error["segment_index"]) == (
        "BAD_AUDIO",
        "v-1",
        1,
    )
    assert shown["text"] == f"{words(1)} {words(1)}"


def test_a_recording_of_which_nothing_can_be_read_is_kept_and_answered(
    hearing_house: House,
) -> None:
    with hearing_house.opened("rose", lang="en") as talker:
        send_one(talker, b"this is no sound at all" * 40, 0, format="ogg", is_last=True)
        talker.until("message_ack")
        error = talker.error()
        assert talker.reply()
    assert (error["code"], error["voice_session_id"]) == ("BAD_AUDIO", "v-1")
    assert told_turns(hearing_house) == [("", "failed")]


def test_a_slice_that_cannot_be_kept_is_told_and_can_be_sent_again(hearing_house: House) -> None:
    in_the_way, slices = hearing_house.data_dir / "recordings", cut(talk(1), 1.0)
    with hearing_house.opened("rose") as talker:
        in_the_way.write_text("a file where the folder should be")
        send_one(talker, slices[0], 0)
        error = talker.error()
        assert (error["code"], error["retryable"]) == ("STORE_FAILED", True)
        assert (error["voice_session_id"], error["segment_index"]) == ("v-1", 0)
        in_the_way.unlink()
        send(talker, slices)
        assert transcript(talker)["text"] == words(1)
    assert acked(talker) == [(index, "stored") for index in range(len(slices))]


def test_a_fault_of_ours_over_a_slice_names_it(house: House) -> None:
    trigger = "CREATE TRIGGER broken BEFORE INSERT ON slices BEGIN SELECT RAISE(ABORT, 'x'); END"
    with house.opened("rose") as talker:
        house.change(lambda db: db.execute(trigger))
        send_one(talker, pcm(quiet(1)), 7)
        error = talker.error()
    assert error["code"] == "INTERNAL"
    assert error["reference"]
    assert (error["voice_session_id"], error["segment_index"]) == ("v-1", 7)


def test_of_a_recording_that_is_too_long_so_much_is_heard_as_may_be(
    build_house: Callable[..., House],
) -> None:
    first = len(talk(1)) / 16_000 + 0.3
    house = build_house(models_dir=MODELS, llm_model="none", audio_seconds_max=first)
    house.elder("rose")
    with house.opened("rose", lang="en") as talker:
        send(talker, cut(np.concatenate([talk(1), quiet(1.0), talk(2)]), 1.0))
        shown = transcript(talker)
        assert talker.error()["code"] == "BAD_AUDIO"
        assert talker.reply()
    assert (shown["text"], shown["revision"], shown["missing"]) == (words(1), 1, [])
    assert told_turns(house) == [(words(1), "heard")]


# Slices that are missing, and slices that come late.


def test_a_missing_slice_is_waited_for_then_named(hearing_house: House) -> None:
    slices = cut(np.concatenate([talk(2), quiet(2.0), talk(2)]), 1.0)
    lost = round(len(talk(2)) / 16_000) + 1
    with hearing_house.opened("rose") as talker:
        send(talker, slices, order=[i for i in range(len(slices)) if i != lost])
        shown = transcript(talker)
    assert shown["missing"] == [lost]
    assert shown["text"] == f"{words(2)} {words(2)}"
    with hearing_house.talker("rose") as talker:
        pass
    [session] = talker.seen[0]["data"]["resume"]["voice_sessions"]
    assert session == {
        "voice_session_id": "v-1",
        "received": [i for i in range(len(slices)) if i != lost],
        "last": len(slices) - 1,
        "closed": True,
    }


def test_a_late_slice_amends_the_turn_and_gets_no_second_reply(hearing_house: House) -> None:
    slices = cut(talk(4), 2.0)
    late = 1
    with hearing_house.opened("rose") as talker:
        send(talker, slices, order=[i for i in range(len(slices)) if i != late])
        first = transcript(talker)
        assert talker.reply()
    hearing_house.clock.forward(hours=1)
    with hearing_house.talker("rose") as talker:
        talker.until("topic_suggestions")
        send_one(talker, slices[late], late)
        assert talker.expect("segment_ack")["status"] == "stored"
        amended = talker.expect("transcript")
        talker.quiet()
    assert first["text"] != words(4)
    assert (amended["text"], amended["revision"], amended["missing"]) == (words(4), 2, [])
    assert amended["message_id"] == first["message_id"]
    assert told_turns(hearing_house) == [(words(4), "heard")]
    with hearing_house.talker("rose") as talker:
        assert talker.seen[0]["data"]["resume"]["voice_sessions"] == []


def test_a_turn_that_a_late_slice_makes_is_acknowledged_and_answered(
    hearing_house: House,
) -> None:
    slices = [pcm(quiet(1.0)), pcm(talk(1)), pcm(quiet(1.0))]
    with hearing_house.opened("rose") as talker:
        send(talker, slices, order=[0, 2])
        assert transcript(talker)["message_id"] is None
        send_one(talker, slices[1], 1)
        assert talker.expect("segment_ack")["status"] == "stored"
        ack = talker.expect("message_ack")
        shown = talker.expect("transcript")
        assert talker.reply()
        talker.quiet()
    assert (ack["id"], ack["status"]) == (None, "stored")
    assert (shown["text"], shown["revision"]) == (words(1), 2)
    assert shown["message_id"] == ack["message_id"]


def test_a_late_slice_is_taken_after_the_conversation_has_ended(hearing_house: House) -> None:
    slices = cut(talk(2), len(talk(2)) / 16_000 / 3)
    with hearing_house.opened("rose") as talker:
        send(talker, slices, order=[0, 2])
        talker.say("end_conversation")
        assert talker.closed().code == 1000
    with hearing_house.talker("rose") as talker:
        assert talker.seen[0]["data"]["ended"]
        send_one(talker, slices[1], 1)
        assert talker.until("segment_ack")["status"] == "stored"
        while (shown := transcript(talker))["missing"]:
            pass
        assert shown["text"] == words(2)
        send_one(talker, slices[0], 0, "v-2")
        assert talker.until("error")["code"] == "ENDED"
        talker.text("More.")
        assert talker.error()["code"] == "ENDED"


def test_a_last_slice_sent_again_asks_for_the_transcript(hearing_house: House) -> None:
    slices = cut(talk(2), 2.0)
    with hearing_house.opened("rose") as talker:
        send(talker, slices)
        first = transcript(talker)
        talker.reply()
    with hearing_house.talker("rose") as talker:
        talker.until("topic_suggestions")
        send_one(talker, slices[-1], len(slices) - 1, is_last=True)
        assert talker.expect("segment_ack")["status"] == "duplicate"
        again = talker.expect("transcript")
        talker.quiet()
    first["segments"] = again["segments"] = [segment["text"] for segment in first["segments"]]
    assert again == first


def test_a_transcript_shown_again_lacks_what_it_was_made_without_and_is_made_anew(
    build_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amending, "ATTEMPTS", 1)
    transcriber = ScriptedTranscriber()
    house = build_house(Engines(transcriber), slice_wait=0.1)
    house.elder("rose")
    slices = [pcm(quiet(1.0))] * 3
    with house.opened("rose") as talker:
        send(talker, slices, order=[0, 2])
        assert transcript(talker)["missing"] == [1]
        talker.reply()
        transcriber.before = failing
        send_one(talker, slices[1], 1)
        assert talker.until("error")["code"] == "ASR_FAILED"
        send_one(talker, slices[2], 2, is_last=True)
        again = transcript(talker)
        assert (again["missing"], again["revision"]) == ([1], 1)
        assert talker.until("error")["code"] == "ASR_FAILED"
        transcriber.before = lambda: None
        send_one(talker, slices[2], 2, is_last=True)
        again = transcript(talker)
        assert (again["missing"], again["revision"]) == ([1], 1)
        amended = transcript(talker)
        assert (amended["missing"], amended["revision"]) == ([], 2)
        send_one(talker, slices[2], 2, is_last=True)
        again = transcript(talker)
        assert (again["missing"], again["revision"]) == ([], 2)
        talker.quiet()


def test_a_recording_without_a_last_slice_is_closed_when_nothing_more_comes(
    build_house: Callable[..., House],
) -> None:
    house = build_house(models_dir=MODELS, llm_model="none", session_idle=0.5)
    house.elder("rose")
    slices = cut(talk(2), 2.0)
    with house.opened("rose") as talker:
        send(talker, slices, last=-1)
        shown = transcript(talker)
        assert talker.reply()
    assert (shown["text"], shown["missing"]) == (words(2), [])


def test_time_stands_still_while_nobody_is_connected(build_house: Callable[..., House]) -> None:
    house = build_house(models_dir=MODELS, llm_model="none", session_idle=1.0)
    house.elder("rose")
    slices = cut(talk(2), 2.0)
    with house.opened("rose") as talker:
        send_one(talker, slices[0], 0)
        talker.until("segment_ack")
    with house.talker("rose", "elsewhere") as talker:  # time passes, but not for that recording
        send(talker, cut(talk(2), 2.0), "other", last=-1)
        transcript(talker)
    assert house.ask("SELECT client_id FROM voice_sessions WHERE closed_at IS NULL") == [("v-1",)]
    with house.talker("rose") as talker:
        send(talker, slices, order=range(1, len(slices)))
        assert transcript(talker)["text"] == words(2)


# Connections that break, and servers that stop.


def test_a_recording_goes_on_where_the_connection_broke(hearing_house: House) -> None:
    slices = cut(talk(6), 1.0)
    sent = 0
    while sent < len(slices):
        with hearing_house.talker("rose") as talker:
            [*resumed] = talker.seen[0]["data"]["resume"]["voice_sessions"]
            received = resumed[0]["received"] if resumed else []
            assert received == list(range(sent))
            for index in range(sent, min(sent + 5, len(slices))):
                send_one(talker, slices[index], index, is_last=index == len(slices) - 1)
                while talker.until("segment_ack")["segment_index"] != index:
                    pass
                sent += 1
            if sent == len(slices):
                assert transcript(talker)["text"] == words(6)


def test_what_was_sent_before_leaving_is_heard_and_answered_on_return(
    hearing_house: House,
) -> None:
    slices = cut(talk(3), 1.0)
    with hearing_house.opened("rose") as talker:
        send(talker, slices)
        while (len(slices) - 1, "stored") not in acked(talker):
            talker.next()
    with hearing_house.talker("rose") as talker:
        assert talker.reply()
    assert told_turns(hearing_house) == [(words(3), "heard")]


def test_a_restart_in_the_middle_loses_nothing(
    build_house: Callable[..., House],
) -> None:
    house = build_house(models_dir=MODELS, llm_model="none")
    house.elder("rose")
    slices = cut(talk(4), 1.0)
    half = len(slices) // 2
    with house.opened("rose") as talker:
        send(talker, slices, order=range(half))
        while (half - 1, "stored") not in acked(talker):
            talker.next()
    house.stop()
    house.start()
    with house.talker("rose") as talker:
        [resumed] = talker.seen[0]["data"]["resume"]["voice_sessions"]
        assert resumed["received"] == list(range(half))
        assert (resumed["last"], resumed["closed"]) == (None, False)
        send(talker, slices, order=range(half, len(slices)))
        assert transcript(talker)["text"] == words(4)


def test_a_restart_after_the_last_slice_needs_nobody(build_house: Callable[..., House]) -> None:
    gate = Gate()
    transcriber = ScriptedTranscriber(before=gate.wait)
    house = build_house(Engines(transcriber))
    house.elder("rose")
    with house.opened("rose") as talker:
        send(talker, cut(talk(1), 1.0))
        assert gate.reached.wait(20)
    gate.opened.set()
    house.stop()
    house.start()
    with house.talker("rose") as talker:
        assert talker.reply()
    assert told_turns(house) == [(transcriber.text, "heard")]


def test_ending_the_conversation_closes_what_is_being_recorded(hearing_house: House) -> None:
    slices = cut(talk(2), 2.0)
    with hearing_house.opened("rose") as talker:
        send(talker, slices, last=-1)
        talker.say("end_conversation")
        assert talker.closed().code == 1000
    eventually(lambda: told_turns(hearing_house) == [(words(2), "heard")])


# Engines that are not there, or fail.


def test_without_a_model_slices_are_kept_told_and_heard_when_one_comes(
    build_house: Callable[..., House], tmp_path: Any
) -> None:
    engines = Engines()
    house = build_house(engines)
    house.elder("rose")
    with house.opened("rose", lang="en") as talker:
        slices = cut(talk(1), 1.0)
        send(talker, slices)
        ack = talker.until("message_ack")
        error = talker.error()
        assert talker.reply()
        assert acked(talker) == [(index, "stored") for index in range(len(slices))]
        assert (error["code"], error["voice_session_id"]) == ("ASR_UNAVAILABLE", "v-1")
        engines.transcriber, engines.version = ScriptedTranscriber(), 1
        shown = talker.until("transcript")
        assert (shown["text"], shown["revision"]) == ("We lived by the river.", 1)
        assert (shown["voice_session_id"], shown["message_id"]) == ("v-1", ack["message_id"])
        talker.quiet()


def test_an_engine_that_fails_leaves_the_recording_and_is_answered(
    build_house: Callable[..., House],
) -> None:
    house = build_house(Engines(ScriptedTranscriber(before=failing)))
    house.elder("rose")
    with house.opened("rose", lang="en") as talker:
        send(talker, cut(talk(1), 1.0))
        talker.until("message_ack")
        error = talker.error()
        assert talker.reply()
    assert (error["code"], error["voice_session_id"]) == ("ASR_FAILED", "v-1")
    assert told_turns(house) == [("", "failed")]


def test_a_last_slice_sent_again_has_a_failed_recording_recognised(
    build_house: Callable[..., House],
) -> None:
    transcriber = ScriptedTranscriber(before=failing)
    house = build_house(Engines(transcriber))
    house.elder("rose")
    slices = cut(talk(1), 1.0)
    with house.opened("rose") as talker:
        send(talker, slices)
        talker.until("error")
        talker.reply()
        transcriber.before = lambda: None
        send_one(talker, slices[-1], len(slices) - 1, is_last=True)
        assert talker.expect("segment_ack")["status"] == "duplicate"
        shown = talker.expect("transcript")
        talker.quiet()
    assert (shown["text"], shown["revision"]) == (transcriber.text, 1)
    assert told_turns(house) == [(transcriber.text, "heard")]


def test_speech_that_is_not_understood_is_a_turn(build_house: Callable[..., House]) -> None:
    house = build_house(Engines(ScriptedTranscriber(text="", unsure=True)))
    house.elder("rose")
    with house.opened("rose") as talker:
        send(talker, cut(talk(1), 1.0))
        assert talker.until("message_ack")
        assert transcript(talker)["text"] == ""
        assert talker.reply()
    assert told_turns(house) == [("", "unsure")]


# Signs of listening.


def test_a_sign_of_listening_comes_once_a_session(build_house: Callable[..., House]) -> None:
    house = build_house(listening_feedback_after=0.05)
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.say("recording_started", voice_session_id="v-1")
        sign = talker.expect("listening_feedback")
        talker.say("recording_started", voice_session_id="v-1")
        talker.say("recording_started", voice_session_id="v-2")
        other = talker.expect("listening_feedback")
        talker.quiet()
    assert sign["voice_session_id"] == "v-1"
    assert sign["text"]
    assert other["voice_session_id"] == "v-2"
    assert other["text"] != sign["text"]
    assert house.ask("SELECT count(*) FROM turns WHERE text = ?", sign["text"]) == [(0,)]


def test_a_recording_that_goes_on_after_a_break_gets_no_second_sign(
    build_house: Callable[..., House],
) -> None:
    house = build_house(listening_feedback_after=0.05)
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.say("recording_started", voice_session_id="v-1")
        talker.expect("listening_feedback")
        send_one(talker, pcm(quiet(1)), 0)
        talker.expect("segment_ack")
    with house.talker("rose") as talker:
        talker.expect("topic_suggestions")
        talker.say("recording_started", voice_session_id="v-1")
        talker.say("recording_started", voice_session_id="v-2")
        assert talker.expect("listening_feedback")["voice_session_id"] == "v-2"
        talker.quiet()


def test_the_last_slice_takes_the_sign_of_listening_back(
    build_house: Callable[..., House],
) -> None:
    house = build_house(listening_feedback_after=1.0)
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.say("recording_started", voice_session_id="v-1")
        send_one(talker, pcm(quiet(1)), 0, "v-1", is_last=True)
        talker.say("recording_started", voice_session_id="v-2")
        talker.until("listening_feedback")
    signs = [m["data"] for m in talker.seen if m["type"] == "listening_feedback"]
    assert [sign["voice_session_id"] for sign in signs] == ["v-2"]


@pytest.mark.parametrize(
    ("fields", "code"), [({}, "MISSING_FIELD"), ({"voice_session_id": "a b"}, "BAD_FIELD")]
)
def test_a_start_needs_a_name(house: House, fields: dict[str, Any], code: str) -> None:
    with house.opened("rose") as talker:
        talker.say("recording_started", **fields)
        error = talker.error()
    assert (error["code"], error["field"]) == (code, "voice_session_id")


# What slices are made of.


@pytest.mark.parametrize("form", ["m4a", "mp4", "webm", "ogg", "mp3", "wav"])
def test_slices_may_be_complete_files(hearing_house: House, form: str) -> None:
    samples, pause = talk(2), quiet(0.3)
    half = len(talk(1)) + 8_000
    files = [
        encoded(np.concatenate([pause, part, pause]), form)
        for part in (samples[:half], samples[half:])
    ]
    with hearing_house.opened("rose") as talker:
        for index, audio in enumerate(files):
            send_one(talker, audio, index, format=None, sample_rate=None, is_last=index == 1)
        assert transcript(talker)["text"] == words(2)


@pytest.mark.parametrize("form", ["webm", "ogg", "mp3", "wav"])
def test_slices_may_be_pieces_of_one_stream(hearing_house: House, form: str) -> None:
    whole = encoded(talk(3), form)
    rng = random.Random(form)
    edges = sorted(rng.sample(range(60, len(whole)), 6))
    pieces = [whole[a:b] for a, b in itertools.pairwise([0, *edges, len(whole)])]
    order = rng.sample(range(len(pieces)), len(pieces))
    with hearing_house.opened("rose") as talker:
        for index in order:
            last = index == len(pieces) - 1
            send_one(talker, pieces[index], index, format=None, sample_rate=None, is_last=last)
        assert transcript(talker)["text"] == words(3)
    kept = hearing_house.ask(
        "SELECT path FROM recordings r JOIN slices s ON s.recording_id = r.id"
        " ORDER BY segment_index"
    )
    folder = hearing_house.data_dir / "recordings"
    assert b"".join((folder / path).read_bytes() for (path,) in kept) == whole


def test_names_that_the_family_set_right_are_expected(build_house: Callable[..., House]) -> None:
    transcriber = ScriptedTranscriber()
    house = build_house(Engines(transcriber))
    house.elder("rose")
    house.elder("wang", "zh")
    for narrator, name, corrected in (
        ("rose", "Aline", 1),
        ("rose", "Eileen", 0),
        ("wang", "梅", 1),
    ):
        house.change(
            lambda db, row=(name, narrator, name, corrected): db.execute(
                "INSERT INTO people_places (id, narrator_id, kind, name, corrected)"
                " VALUES (?, ?, 'person', ?, ?)",
                row,
            )
        )
    with house.opened("rose") as talker:
        send(talker, cut(talk(1), 1.0))
        transcript(talker)
        talker.audio(pcm(talk(1)), format="pcm_s16le", sample_rate=16_000)
        transcript(talker)
    assert [hearing.hotwords for hearing in transcriber.hearings] == [("Aline",), ("Aline",)]
    assert [hearing.live for hearing in transcriber.hearings] == [True, False]


# Several who talk at once.


def test_two_people_talk_at_once(hearing_house: House) -> None:
    hearing_house.elder("wang", "en")
    slices = {"rose": cut(talk(5), 1.0), "wang": cut(talk(5, ENGLISH[::-1]), 1.0)}
    with (
        hearing_house.opened("rose") as rose,
        hearing_house.opened("wang", "c-2") as wang,
    ):
        for index in range(max(map(len, slices.values()))):
            for talker, name in ((rose, "rose"), (wang, "wang")):
                if index < len(slices[name]):
                    last = index == len(slices[name]) - 1
                    send_one(talker, slices[name][index], index, name, is_last=last)
        assert transcript(rose)["text"] == words(5)
        assert transcript(wang)["text"] == words(5, ENGLISH[::-1])
    for talker, other in ((rose, "wang"), (wang, "rose")):
        assert not [m for m in talker.seen if m["data"].get("voice_session_id") == other]


# Disks that fail.


def test_a_recording_waits_for_a_disk_that_fails_and_loses_no_word(
    hearing_house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live_recording, "AGAIN_SECONDS", 0.02)
    disk = FailingDisk(monkeypatch, hearing_house.data_dir / "recordings")
    slices = cut(talk(3), 1.0)
    with hearing_house.opened("rose") as talker:
        disk.allowed = disk.asked + 2
        send(talker, slices)
        eventually(lambda: disk.asked > disk.allowed + 3)
        disk.allowed = 10**9
        shown = transcript(talker)
        assert talker.reply()
    assert (shown["text"], shown["missing"]) == (words(3), [])
    assert not [m for m in talker.seen if m["type"] == "error"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_late_slice_waits_for_a_disk_that_fails(
    hearing_house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(amending, "SWEEP_SECONDS", 0.02)
    disk = FailingDisk(monkeypatch, hearing_house.data_dir / "recordings")
    slices = cut(talk(2), 2.0)
    with hearing_house.opened("rose") as talker:
        send(talker, slices, order=[0, len(slices) - 1])
        transcript(talker)
        disk.allowed = disk.asked + 2
        for late in range(1, len(slices) - 1):
            send_one(talker, slices[late], late)
        eventually(lambda: disk.asked > disk.allowed + 3)
        disk.allowed = 10**9
        while (shown := transcript(talker))["missing"]:
            pass
    assert shown["text"] == words(2)
    assert not [m for m in talker.seen if m["type"] == "error"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


# Those who do not come back.


def _decoding() -> bool:
    return any(thread.name == "slices" for thread in threading.enumerate())


def test_a_recording_rests_while_nobody_comes_back_and_goes_on_when_they_do(
    hearing_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_recording, "REST_SECONDS", 0.2)
    slices = cut(talk(3), 1.0)
    half = len(slices) // 2
    with hearing_house.opened("rose") as talker:
        send(talker, slices, order=range(half))
        talker.until("transcript_partial")
    eventually(lambda: not _decoding())
    with hearing_house.talker("rose") as talker:
        [resumed] = talker.seen[0]["data"]["resume"]["voice_sessions"]
        assert (resumed["received"], resumed["closed"]) == (list(range(half)), False)
        send(talker, slices, order=range(half, len(slices)))
        assert transcript(talker)["text"] == words(3)


def test_a_recording_of_a_deleted_conversation_is_let_go_at_once(hearing_house: House) -> None:
    with hearing_house.opened("rose") as talker:
        send(talker, cut(talk(2), 1.0), last=-1)
        talker.until("transcript_partial")
    assert _decoding()
    now = hearing_house.clock.now()
    hearing_house.change(lambda db: delete_conversation(db, "c-1", now))
    eventually(lambda: not _decoding())


def test_a_recording_to_which_nobody_comes_back_becomes_a_turn(
    build_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_recording, "REST_SECONDS", 0.1)
    house = build_house(models_dir=MODELS, llm_model="none", session_abandoned=1.0)
    house.elder("rose")
    slices = cut(np.concatenate([talk(2), quiet(1.0), talk(1)]), len(talk(2)) / 16_000 + 0.5)
    with house.opened("rose") as talker:
        send_one(talker, slices[0], 0)
        talker.until("segment_ack")
    eventually(lambda: told_turns(house) == [(words(2), "heard")])
    with house.talker("rose") as talker:
        assert talker.reply()
        send_one(talker, slices[1], 1, is_last=True)
        assert talker.until("segment_ack")["status"] == "stored"
        amended = transcript(talker)
        assert (amended["text"], amended["revision"]) == (f"{words(2)} {words(1)}", 2)
        talker.quiet()
