"""Whole recordings as turns, on the real micro Whisper and on engines that fail."""

import base64
import io
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lifeecho_server.session import recogniser
from lifeecho_server.settings import Plan
from tests.conftest import MODELS
from tests.engines.clips import encoded
from tests.engines.disks import FailingDisk
from tests.house import House
from tests.models.recorded import Recording, recordings
from tests.session.engines import Engines, Gate, ScriptedTranscriber, failing
from tests.session.waiting import eventually

ENGLISH = next(r for r in recordings() if r.text.startswith("My mother sang"))
CHINESE = next(r for r in recordings() if r.language == "zh")


def wav(samples: np.ndarray) -> bytes:
    """Return samples as a WAV file (16 kHz, mono, 16 bit)."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((samples * 32767).astype(np.int16).tobytes())
    return buffer.getvalue()


@pytest.fixture
def hearing_house(build_house: Callable[..., House]) -> House:
    """A house with the micro Whisper, in which Rose and Wang live."""
    house = build_house(models_dir=MODELS, llm_model="none")
    house.elder("rose")
    house.elder("wang", "zh")
    return house


@pytest.mark.parametrize("recording", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_what_was_said_is_stored_shown_and_answered(
    hearing_house: House, recording: Recording
) -> None:
    user = "rose" if recording.language == "en" else "wang"
    with hearing_house.opened(user) as talker:
        talker.audio(recording.path.read_bytes(), "a-1", duration="long")
        ack = talker.expect("message_ack")
        assert (ack["id"], ack["status"]) == ("a-1", "stored")
        transcript = talker.expect("transcript")
        assert talker.reply()
    assert transcript["text"] == recording.text
    assert transcript["message_id"] == ack["message_id"]
    assert transcript["language"] == recording.language
    assert (transcript["missing"], transcript["revision"]) == ([], 1)
    assert transcript["audio_duration"] == pytest.approx(
        len(recording.samples()) / 16_000, abs=0.01
    )
    assert [segment["text"] for segment in transcript["segments"]] == [recording.text]
    assert "voice_session_id" not in transcript
    stored = hearing_house.ask("SELECT text, hearing FROM turns WHERE speaker = 'narrator'")
    assert stored == [(recording.text, "heard")]


@pytest.mark.parametrize("form", ["m4a", "webm", "ogg", "mp3", "wav"])
def test_every_container_is_heard_alike(hearing_house: House, form: str) -> None:
    with hearing_house.opened("rose") as talker:
        talker.audio(encoded(ENGLISH.samples(), form))
        talker.expect("message_ack")
        assert talker.expect("transcript")["text"] == ENGLISH.text


def test_raw_pcm_is_heard_alike(hearing_house: House) -> None:
    pcm = (ENGLISH.samples() * 32767).astype("<i2").tobytes()
    with hearing_house.opened("rose") as talker:
        talker.audio(pcm, format="pcm_s16le", sample_rate=16_000)
        talker.expect("message_ack")
        assert talker.expect("transcript")["text"] == ENGLISH.text


def test_recording_is_kept_as_it_came(hearing_house: House) -> None:
    with hearing_house.opened("rose") as talker:
        talker.audio(ENGLISH.path.read_bytes())
        talker.expect("message_ack")
    [(path,)] = hearing_house.ask("SELECT path FROM recordings")
    kept = hearing_house.data_dir / "recordings" / path
    assert kept.read_bytes() == ENGLISH.path.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_silence_is_no_turn_and_gets_no_reply(hearing_house: House) -> None:
    with hearing_house.opened("rose") as talker:
        talker.audio(wav(np.zeros(48_000, np.float32)))
        talker.expect("message_ack")
        transcript = talker.expect("transcript")
        assert (transcript["text"], transcript["message_id"]) == ("", None)
        talker.quiet()
    with hearing_house.talker("rose") as talker:
        assert talker.expect("topic_suggestions")["reason"] == "resume"


def test_transcribe_only_stores_nothing_but_the_minutes(hearing_house: House) -> None:
    with hearing_house.opened("rose") as talker:
        before = hearing_house.ask("SELECT count(*) FROM turns")
        talker.say("transcribe_only", "t-1", audio_base64=_base64(ENGLISH.path.read_bytes()))
        transcript = talker.expect("transcript")
        talker.quiet()
    assert transcript["text"] == ENGLISH.text
    assert (transcript["message_id"], transcript["reply_to"]) == (None, "t-1")
    assert hearing_house.ask("SELECT count(*) FROM turns") == before
    assert hearing_house.ask("SELECT count(*) FROM recordings") == [(0,)]
    [(used,)] = hearing_house.ask("SELECT audio_ms FROM quota_use")
    assert used == pytest.approx(1000 * len(ENGLISH.samples()) / 16_000, abs=10)


def test_unreadable_audio_is_told_kept_and_answered(hearing_house: House) -> None:
    with hearing_house.opened("rose", lang="en") as talker:
        talker.audio(b"this is no recording" * 50, "a-1")
        assert talker.expect("message_ack")["status"] == "stored"
        error = talker.error()
        assert (error["code"], error["reply_to"]) == ("BAD_AUDIO", "a-1")
        assert talker.reply()
    [(path,)] = hearing_house.ask("SELECT path FROM recordings")
    assert (hearing_house.data_dir / "recordings" / path).exists()


@pytest.mark.parametrize("form", ["wav", "webm", "pcm_s16le"])
def test_a_recording_waits_for_a_disk_that_fails(
    hearing_house: House, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(recogniser, "SWEEP_PAUSE", 0.02)
    disk = FailingDisk(monkeypatch, hearing_house.data_dir / "recordings")
    samples = ENGLISH.samples()
    raw = (samples * 32767).astype("<i2").tobytes()
    sound = raw if form == "pcm_s16le" else encoded(samples, form)
    with hearing_house.opened("rose") as talker:
        disk.allowed = disk.asked + 1
        talker.audio(sound, format=form, sample_rate=16_000)
        talker.expect("message_ack")
        eventually(lambda: disk.asked > disk.allowed + 2)
        disk.allowed = 10**9
        assert talker.expect("transcript")["text"] == ENGLISH.text


def test_a_recording_that_the_disk_does_not_give_holds_up_no_other(
    build_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recogniser, "SWEEP_PAUSE", 0.02)
    engines = Engines()
    house = build_house(engines)
    house.elder("rose")
    with house.opened("rose") as talker:
        sound = ENGLISH.path.read_bytes()
        turns = []
        for _ in range(2):
            talker.audio(sound)
            turns.append(talker.until("message_ack")["message_id"])
        [first, _] = house.ask("SELECT path FROM recordings ORDER BY created_at")
        disk = FailingDisk(monkeypatch, house.data_dir / "recordings" / first[0])
        disk.allowed = 0
        engines.transcriber, engines.version = ScriptedTranscriber(), 1
        assert talker.until("transcript")["message_id"] == turns[1]
        disk.allowed = 10**9
        assert talker.until("transcript")["message_id"] == turns[0]


def test_transcribe_only_of_unreadable_audio(hearing_house: House) -> None:
    with hearing_house.opened("rose") as talker:
        talker.say("transcribe_only", "t-1", audio_base64=_base64(b"no recording" * 9))
        error = talker.error()
        assert (error["code"], error["reply_to"]) == ("BAD_AUDIO", "t-1")


def test_without_a_model_recordings_are_kept_and_answered(house: House) -> None:
    with house.opened("rose", lang="en") as talker:
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        assert talker.expect("message_ack")["status"] == "stored"
        error = talker.error()
        assert (error["code"], error["reply_to"]) == ("ASR_UNAVAILABLE", "a-1")
        assert talker.reply()
        talker.quiet()
        talker.say("transcribe_only", "t-1", audio_base64=_base64(ENGLISH.path.read_bytes()))
        assert talker.error()["code"] == "ASR_UNAVAILABLE"
    assert house.ask("SELECT hearing FROM turns WHERE speaker = 'narrator'") == [("waiting",)]


def test_kept_recording_is_recognised_once_a_model_is_there(
    build_house: Callable[..., House],
) -> None:
    engines = Engines()
    house = build_house(engines=engines)
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        talker.until("error")
        talker.reply()
        talker.quiet()
        gate = Gate()
        engines.transcriber = ScriptedTranscriber(ENGLISH.text, before=gate.wait)
        engines.version += 1
        talker.until_capability("asr", "ready")
        gate.opened.set()
        assert talker.expect("transcript")["text"] == ENGLISH.text
        talker.quiet()
    stored = house.ask("SELECT text, hearing FROM turns WHERE speaker = 'narrator'")
    assert stored == [(ENGLISH.text, "heard")]
    assert house.ask("SELECT count(*) FROM turns WHERE speaker = 'interviewer'") == [(2,)]


def test_failed_recognition_is_told_answered_and_tried_again(
    build_house: Callable[..., House],
) -> None:
    transcriber = ScriptedTranscriber(before=failing)
    house = build_house(engines=Engines(transcriber))
    house.elder("rose")
    with house.opened("rose", lang="en") as talker:
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        talker.expect("message_ack")
        error = talker.error()
        assert (error["code"], error["retryable"], error["reply_to"]) == ("ASR_FAILED", True, "a-1")
        assert talker.reply()
        talker.quiet()
        transcriber.before = lambda: None
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        assert talker.expect("message_ack")["status"] == "duplicate"
        assert talker.expect("transcript")["text"] == transcriber.text
        talker.quiet()
    assert house.ask("SELECT count(*) FROM recordings") == [(1,)]


def test_speech_that_cannot_be_understood_is_answered_kindly(
    build_house: Callable[..., House],
) -> None:
    engines = Engines(ScriptedTranscriber(text="", unsure=True))
    house = build_house(engines=engines)
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        ack = talker.expect("message_ack")
        transcript = talker.expect("transcript")
        assert (transcript["text"], transcript["message_id"]) == ("", ack["message_id"])
        assert talker.reply()
    assert house.ask("SELECT hearing FROM turns WHERE speaker = 'narrator'") == [("unsure",)]


def test_ping_and_text_while_a_recording_is_recognised(build_house: Callable[..., House]) -> None:
    gate = Gate()
    house = build_house(engines=Engines(ScriptedTranscriber(before=gate.wait)))
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.audio(ENGLISH.path.read_bytes())
        talker.expect("message_ack")
        assert gate.reached.wait(20)
        talker.quiet()
        talker.text("And she baked.")
        talker.expect("message_ack")
        assert talker.reply()
        gate.opened.set()
        assert talker.expect("transcript")["text"] == "We lived by the river."
        assert talker.reply()
        talker.quiet()


def test_recognition_outlives_its_connection(build_house: Callable[..., House]) -> None:
    gate = Gate()
    house = build_house(engines=Engines(ScriptedTranscriber(before=gate.wait)))
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        talker.expect("message_ack")
        assert gate.reached.wait(20)
    with house.talker("rose") as talker:
        talker.quiet()
        gate.opened.set()
        assert talker.expect("transcript")["text"] == "We lived by the river."
        assert talker.reply()


def test_recording_that_was_never_recognised_is_answered_after_a_restart(
    build_house: Callable[..., House],
) -> None:
    gate = Gate()
    transcriber = ScriptedTranscriber(before=gate.wait)
    house = build_house(engines=Engines(transcriber), shutdown_timeout=0.5)
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        talker.expect("message_ack")
        assert gate.reached.wait(20)
    gate.opened.set()
    house.stop()
    transcriber.before = lambda: None
    house.start()
    with house.talker("rose") as talker:
        assert talker.reply()
        talker.quiet()
    assert house.ask("SELECT hearing FROM turns WHERE speaker = 'narrator'") == [("heard",)]


def test_recording_left_by_a_kill_is_answered_on_its_words_once_the_model_has_loaded(
    build_house: Callable[..., House],
) -> None:
    engines = Engines()
    house = build_house(engines=engines)
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        talker.until("error")
        talker.reply()
    house.stop()
    house.change(
        lambda db: (
            db.execute("UPDATE turns SET answered_by = NULL"),
            db.execute("DELETE FROM turns WHERE speaker = 'interviewer' AND seq > 1"),
        )
    )
    gate = Gate()
    engines.transcriber, engines.loading = ScriptedTranscriber(ENGLISH.text), gate.wait
    house.start()
    assert gate.reached.wait(20)
    with house.talker("rose") as talker:
        talker.quiet()
        gate.opened.set()
        assert talker.expect("transcript")["text"] == ENGLISH.text
        assert talker.reply()
        talker.quiet()


def test_recording_left_waiting_is_answered_kindly_when_the_model_does_not_load(
    build_house: Callable[..., House],
) -> None:
    engines = Engines(ScriptedTranscriber())
    house = build_house(engines=engines)
    house.elder("rose")
    house.opened("rose").socket.close()
    house.stop()
    gate = Gate()
    engines.loading, engines.broken = gate.wait, True
    house.start()
    with house.talker("rose") as talker:
        talker.expect("topic_suggestions")
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        talker.expect("message_ack")
        talker.quiet()
        gate.opened.set()
        assert talker.until("error")["code"] == "ASR_UNAVAILABLE"
        assert talker.reply()
        talker.quiet()


def test_audio_minutes_are_a_quota(build_house: Callable[..., House]) -> None:
    plans = {"unlimited": Plan(audio_minutes_a_day=0.02)}
    house = build_house(models_dir=MODELS, llm_model="none", plans=plans)
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        talker.until("transcript")
        talker.reply()
        talker.audio(ENGLISH.path.read_bytes(), "a-2")
        assert talker.error()["code"] == "QUOTA_EXCEEDED"
        talker.say("transcribe_only", audio_base64=_base64(ENGLISH.path.read_bytes()))
        assert talker.error()["code"] == "QUOTA_EXCEEDED"
        talker.text("I can still type.")
        assert talker.expect("message_ack")["status"] == "stored"
    assert len(list(files(house.data_dir))) == 1


def files(data_dir: Path) -> list[Path]:
    return [path for path in (data_dir / "recordings").rglob("*") if path.is_file()]


def _base64(sound: bytes) -> str:
    return base64.b64encode(sound).decode()


def test_recording_that_breaks_the_engine_is_tried_once(build_house: Callable[..., House]) -> None:
    def break_down() -> None:
        raise TypeError("a bare fault of a library")

    transcriber = ScriptedTranscriber(before=break_down)
    house = build_house(engines=Engines(transcriber))
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        talker.expect("message_ack")
        assert talker.error()["code"] == "ASR_FAILED"
        assert talker.reply()
        talker.quiet()
    assert house.ask("SELECT hearing FROM turns WHERE speaker = 'narrator'") == [("failed",)]
    transcriber.before = lambda: None
    with house.talker("rose") as talker:
        talker.until("topic_suggestions")
        talker.audio(ENGLISH.path.read_bytes(), "a-2")
        talker.expect("message_ack")
        assert talker.expect("transcript")["text"] == transcriber.text


def test_each_left_recording_is_recognised_once(build_house: Callable[..., House]) -> None:
    transcriber = ScriptedTranscriber()
    engines = Engines()
    house = build_house(engines=engines)
    house.elder("rose")
    with house.opened("rose") as talker:
        for number in range(3):
            talker.audio(ENGLISH.path.read_bytes(), f"a-{number}")
            talker.until("message_ack")
            talker.until("error")
        talker.reply()
    house.stop()
    engines.transcriber = transcriber
    house.start()
    with house.talker("rose") as talker:
        talker.audio(ENGLISH.path.read_bytes(), "a-3")
        transcripts = [talker.until("transcript") for _ in range(1)]
        talker.reply()
    while house.ask("SELECT count(*) FROM turns WHERE hearing = 'waiting'") != [(0,)]:
        time.sleep(0.01)
    assert [transcript["revision"] for transcript in transcripts] == [1]
    assert transcriber.heard == 4


def test_recording_that_cannot_be_kept_is_told_and_can_be_sent_again(house: House) -> None:
    in_the_way = house.data_dir / "recordings"
    with house.opened("rose", lang="en") as talker:
        in_the_way.write_text("a file where the folder should be")
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        error = talker.error()
        assert (error["code"], error["retryable"], error["reply_to"]) == (
            "STORE_FAILED",
            True,
            "a-1",
        )
        in_the_way.unlink()
        talker.audio(ENGLISH.path.read_bytes(), "a-1")
        assert talker.expect("message_ack")["status"] == "stored"
