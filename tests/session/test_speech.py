"""Deltas and speech: the rows of the contract, over a whole server."""

import base64
import io
import wave
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from lifeecho_server.engines.chat_model import Advance
from lifeecho_server.engines.faults import SpeechFailed
from lifeecho_server.interview.situation import Profile
from lifeecho_server.session.wording import joined
from tests.conftest import MODELS
from tests.house import House, Talker
from tests.inference.fake_speaker import FakeSpeaker
from tests.inference.fakes import FakeChatModel
from tests.session.engines import Engines, Gate

STORY = "My mother sang every evening."
FAREWELL = "That's all for today."
"""What is answered without a question."""
LOVELY, VOICE = "That sounds lovely.", "What was her voice like?"
INVENTED = "In 1887 Mr Fotheringay met your mother in Timbuktu."

Message = dict[str, Any]


def whole(talker: Talker, *, speech: bool = True) -> tuple[list[Message], list[Message]]:
    """Read one message to its end; return its parts, and its sounds where they are awaited."""
    parts: list[Message] = []
    sounds: list[Message] = []
    while not (parts and parts[-1]["final"] and (not speech or (sounds and sounds[-1]["last"]))):
        message = talker.next()
        if message["type"] == "agent_response":
            parts.append(message["data"])
        elif message["type"] == "tts_audio":
            sounds.append(message["data"])
    return parts, sounds


def sound(data: Message) -> np.ndarray:
    """Return the samples of a ``tts_audio``."""
    with wave.open(io.BytesIO(base64.b64decode(data["audio_base64"]))) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        assert file.getframerate() == data["sample_rate"]
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def kinds(talker: Talker) -> list[str]:
    return [message["type"] for message in talker.seen]


class Halting:
    """A model that answers with two sentences, and stops after the first until it is let."""

    def __init__(self, second: str = VOICE) -> None:
        self.gate = Gate()
        self.model = FakeChatModel(
            reply=b"How good that you are here.",
            context_size=100_000,
            max_sequences=8,
            hook=self._halt,
        )
        self.reply = f"{LOVELY} {second}".encode()
        self._mark = self.reply[: len(LOVELY) + 3]

    def _halt(self, work: Sequence[Advance]) -> None:
        for advance in work:
            said = [*self.model.tokens_of(advance.sequence), *advance.tokens]
            if advance.sample and bytes(said).endswith(self._mark):
                self.gate.wait()

    def house(self, build_house: Callable[..., House], speaker: FakeSpeaker | None = None) -> House:
        """Build a house in which this model talks with Rose."""
        house = build_house(
            engines=Engines(chat_model=self.model, speaker=speaker), re_greeting=False
        )
        house.elder("rose")
        return house

    def asked(self, house: House, told: str = STORY, **query: str) -> Talker:
        """Tell a story in a new conversation; the model has begun to answer on return."""
        talker = house.talker("rose", **query)
        talker.until_capability("llm", "ready")
        if query.get("speech") != "0" and house.engines.speaker is not None:
            talker.until_capability("tts", "ready")
        talker.until("topic_suggestions")
        self.model.reply = self.reply
        talker.text(told, "m-1")
        talker.until("message_ack")
        return talker


# What is spoken


@pytest.mark.parametrize(("user", "language"), [("rose", "en"), ("wang", "zh")])
def test_everything_that_is_said_is_spoken(
    build_house: Callable[..., House], user: str, language: str
) -> None:
    house = build_house(speech_engine="espeak")
    house.elder(user, language)
    house.elder("waiting")
    with house.talker("waiting", "other") as other:
        other.until_capability("tts", "ready")
    with house.talker(user) as talker:
        greeting = whole(talker)
        talker.text("我妈妈每天晚上唱歌。" if language == "zh" else STORY)
        reply = whole(talker)
    for parts, sounds in (greeting, reply):
        assert {one["assistant_message_id"] for one in (*parts, *sounds)} == {
            parts[0]["assistant_message_id"]
        }
        assert [one["sequence"] for one in sounds] == list(range(len(sounds)))
        assert [one["last"] for one in sounds] == [False] * (len(sounds) - 1) + [True]
        assert {(one["epoch"], one["format"]) for one in sounds} == {(0, "wav")}
        spoken = "".join(one["text"] for one in sounds).replace(" ", "")
        assert spoken == "".join(part["text"] for part in parts).replace(" ", "")
        for one in sounds:
            samples = sound(one).astype(np.float32) / 32768
            assert len(samples) / one["sample_rate"] > 0.15
            assert np.abs(samples).max() > 0.1, one["text"]


def test_speech_is_wanted_unless_it_is_declined(build_house: Callable[..., House]) -> None:
    speaker = FakeSpeaker()
    house = build_house(engines=Engines(speaker=speaker))
    house.elder("rose")
    with house.talker("rose", speech="0") as talker:
        talker.until_capability("tts", "ready")
        talker.reply()
        talker.text(STORY)
        talker.reply()
        talker.quiet()
    assert "tts_audio" not in kinds(talker)
    assert speaker.log == []


def test_without_an_engine_nothing_is_spoken(house: House) -> None:
    with house.talker("rose", speech="1") as talker:
        talker.until_capability("tts", "none")
        talker.text(STORY)
        talker.until("message_ack")
        talker.reply()
        talker.quiet()
    assert "tts_audio" not in kinds(talker)


def test_sentences_that_cannot_be_spoken_leave_the_text_as_it_is(
    build_house: Callable[..., House],
) -> None:
    def fail(_: str) -> None:
        raise SpeechFailed("no such voice")

    house = build_house(engines=Engines(speaker=FakeSpeaker(hook=fail)))
    house.elder("rose")
    with house.talker("rose") as talker:
        talker.until_capability("tts", "ready")
        talker.until("topic_suggestions")
        talker.text(STORY)
        talker.until("message_ack")
        assert talker.reply()
        talker.quiet()
    assert "tts_audio" not in kinds(talker)
    assert "error" not in kinds(talker)


def test_a_reply_that_is_delivered_again_is_spoken_again(
    build_house: Callable[..., House],
) -> None:
    house = build_house(engines=Engines(speaker=FakeSpeaker()), re_greeting=False)
    house.elder("rose")
    with house.talker("rose") as talker:
        talker.until("topic_suggestions")
        talker.text(STORY)
        talker.until("message_ack")
        first = talker.reply()
        talker.say("ping")
        talker.until("pong")
    house.stop()
    house.change(lambda db: db.execute("UPDATE turns SET delivered = 0"))
    house.engines = Engines(speaker=FakeSpeaker())
    house.start()
    house.elder("waiting")
    with house.talker("waiting", "other") as other:
        other.until_capability("tts", "ready")
    with house.talker("rose", deltas="1") as talker:
        parts, sounds = whole(talker)
    assert [part["text"] for part in parts] == [part["text"] for part in first]
    assert {one["assistant_message_id"] for one in sounds} == {first[0]["assistant_message_id"]}
    assert "agent_response_delta" in kinds(talker)


def test_narrators_own_rate_and_language_are_used(build_house: Callable[..., House]) -> None:
    speaker = FakeSpeaker()
    house = build_house(engines=Engines(speaker=speaker), speech_rate=120)
    house.elder("wong", "zh-HK")
    with house.talker("wong") as talker:
        talker.until_capability("tts", "ready")
        talker.text("我妈妈每天晚上唱歌。")
        whole(talker)
        house.change(lambda db: db.execute("UPDATE narrators SET speaking_rate = 95"))
        before = len(speaker.voices)
        talker.text("她还会做饭。")
        talker.until("message_ack")
        whole(talker)
    assert {(v.language, v.rate) for v in speaker.voices[:before]} == {("zh-HK", 120)}
    assert {(v.language, v.rate) for v in speaker.voices[before:]} == {("zh-HK", 95)}


def test_who_asks_for_it_is_spoken_to_more_slowly(build_house: Callable[..., House]) -> None:
    speaker = FakeSpeaker()
    house = build_house(engines=Engines(speaker=speaker), speech_rate=120)
    house.elder("rose")
    with house.talker("rose") as talker:
        talker.until_capability("tts", "ready")
        for words in ("Could you speak more slowly, please?", STORY):
            talker.text(words)
            talker.until("message_ack")
            whole(talker)
    assert house.ask("SELECT speaking_rate FROM narrators") == [(100,)]
    assert speaker.voices[-1].rate == 100


# Deltas


def test_sentences_come_as_deltas_before_their_part(build_house: Callable[..., House]) -> None:
    house = build_house()
    house.elder("mary", profile=Profile())
    with house.talker("mary", deltas="1") as talker:
        parts = talker.reply()
    gathered: list[str] = []
    for message in talker.seen:
        data = message["data"]
        if message["type"] == "agent_response_delta":
            gathered.append(data["text"])
            assert data["index"] == len([p for p in parts if p in parts[: data["index"]]])
            assert data["assistant_message_id"] == parts[0]["assistant_message_id"]
        elif message["type"] == "agent_response":
            assert joined(gathered) == data["text"]
            gathered = []
    assert len(parts) > 1


def test_no_deltas_unless_they_are_asked_for(house: House) -> None:
    for query in ({}, {"deltas": "0"}):
        with house.talker("rose", f"c-{len(query)}", **query) as talker:
            talker.text(STORY)
            talker.until("message_ack")
            talker.reply()
            talker.quiet()
        assert "agent_response_delta" not in kinds(talker)


def test_only_sentences_that_passed_the_guards_leave(build_house: Callable[..., House]) -> None:
    halting = Halting(INVENTED)
    halting.gate.opened.set()
    house = halting.house(build_house, FakeSpeaker())
    with halting.asked(house, FAREWELL, deltas="1") as talker:
        parts, _ = whole(talker)
    assert [part["text"] for part in parts] == [LOVELY]
    assert not any("Timbuktu" in str(message) for message in talker.seen)


# While the model is still generating


def test_speech_and_deltas_come_before_the_reply_is_generated(
    build_house: Callable[..., House],
) -> None:
    halting = Halting()
    house = halting.house(build_house, FakeSpeaker())
    with halting.asked(house, deltas="1") as talker:
        delta = talker.expect("agent_response_delta")
        begun = talker.expect("tts_audio")
        assert halting.gate.reached.wait(20)
        assert (delta["text"], delta["index"]) == (LOVELY, 0)
        assert (begun["text"], begun["sequence"], begun["last"]) == (LOVELY, 0, False)
        talker.quiet()
        halting.gate.opened.set()
        assert talker.until("agent_response_delta")["text"] == VOICE
        parts, sounds = whole(talker)
    assert [part["text"] for part in parts] == [f"{LOVELY} {VOICE}"]
    assert sounds[0]["text"] == VOICE
    assert sounds[-1]["last"]


def test_end_that_was_not_known_in_time_is_a_file_without_sound(
    build_house: Callable[..., House],
) -> None:
    halting = Halting(INVENTED)
    house = halting.house(build_house, FakeSpeaker())
    with halting.asked(house, FAREWELL) as talker:
        assert talker.expect("tts_audio")["last"] is False
        halting.gate.opened.set()
        _, sounds = whole(talker)
    [end] = sounds
    assert (end["sequence"], end["text"], end["last"]) == (1, "", True)
    assert len(sound(end)) == 0


def test_real_model_is_spoken_sentence_by_sentence(build_house: Callable[..., House]) -> None:
    house = build_house(models_dir=MODELS, asr_model="none", speech_engine="espeak")
    house.elder("rose")
    with house.talker("rose", deltas="1") as talker:
        talker.until_capability("llm", "ready")
        talker.until_capability("tts", "ready")
        for words in (STORY, "She baked bread."):
            talker.text(words)
            talker.until("message_ack")
            parts, sounds = whole(talker)
            assert parts
            assert len(sound(sounds[0]))


# Cancelling speech


def test_tts_cancel_is_always_answered_with_the_epoch_that_ended(
    build_house: Callable[..., House],
) -> None:
    house = build_house()
    house.elder("rose")
    for speech in ("0", "1"):
        with house.talker("rose", f"c-{speech}", speech=speech) as talker:
            for epoch in range(3):
                talker.say("tts_cancel")
                assert talker.until("tts_cancelled") == {"epoch": epoch}


def test_tts_cancel_stops_speech_and_not_the_text(build_house: Callable[..., House]) -> None:
    gate = Gate()
    speaker = FakeSpeaker(hook=lambda sentence: gate.wait() if sentence == VOICE else None)
    halting = Halting()
    house = halting.house(build_house, speaker)
    with halting.asked(house) as talker:
        assert talker.expect("tts_audio")["epoch"] == 0
        halting.gate.opened.set()
        assert gate.reached.wait(20)
        talker.say("tts_cancel")
        assert talker.until("tts_cancelled") == {"epoch": 0}
        gate.opened.set()
        since = len(talker.seen)
        talker.text("And she baked bread.", "m-2")
        talker.until("message_ack")
        spoken = talker.until("tts_audio")
        assert spoken["epoch"] == 1
        assert spoken["sequence"] == 0
    told = [message["data"] for message in talker.seen if message["type"] == "agent_response"]
    assert f"{LOVELY} {VOICE}" in [part["text"] for part in told]
    old = told[-1]["assistant_message_id"]
    assert not any(
        message["type"] == "tts_audio" and message["data"]["epoch"] == 0
        for message in talker.seen[since:]
    )
    assert old
    assert speaker.log.count(VOICE) == 1


def test_rest_of_a_cancelled_message_is_not_spoken(build_house: Callable[..., House]) -> None:
    halting = Halting()
    speaker = FakeSpeaker()
    house = halting.house(build_house, speaker)
    with halting.asked(house) as talker:
        talker.expect("tts_audio")
        assert halting.gate.reached.wait(20)
        talker.say("tts_cancel")
        assert talker.expect("tts_cancelled") == {"epoch": 0}
        halting.gate.opened.set()
        assert talker.expect("agent_response")["text"] == f"{LOVELY} {VOICE}"
        talker.quiet()
    assert VOICE not in speaker.log


def test_ping_is_answered_while_a_sentence_is_spoken(build_house: Callable[..., House]) -> None:
    gate = Gate()
    house = build_house(engines=Engines(speaker=FakeSpeaker(hook=lambda _: gate.wait())))
    house.elder("rose")
    with house.talker("rose") as talker:
        talker.until_capability("tts", "ready")
        talker.until("topic_suggestions")
        talker.text(STORY)
        assert gate.reached.wait(20)
        talker.until("message_ack")
        talker.reply()
        talker.quiet()
        gate.opened.set()
        talker.until("tts_audio")


def test_new_turn_stops_the_speech_of_the_reply_before_it(
    build_house: Callable[..., House],
) -> None:
    gate = Gate()
    speaker = FakeSpeaker(pieces=2, hook=lambda s: gate.wait() if s == LOVELY else None)
    halting = Halting()
    halting.gate.opened.set()
    house = halting.house(build_house, speaker)
    with halting.asked(house) as talker:
        assert gate.reached.wait(20)
        first = talker.reply()[0]["assistant_message_id"]
        halting.model.reply = b"Bread is good."
        talker.text("And she baked bread.", "m-2")
        talker.until("message_ack")
        gate.opened.set()
        parts, sounds = whole(talker)
    assert parts[0]["assistant_message_id"] != first
    assert not any(
        message["type"] == "tts_audio" and message["data"]["assistant_message_id"] == first
        for message in talker.seen
    )
    assert sounds[0]["epoch"] == 0
    assert speaker.log.count(LOVELY) == 1
    assert VOICE not in speaker.log


def test_recording_that_begins_stops_speech_and_not_the_text(
    build_house: Callable[..., House],
) -> None:
    gate = Gate()
    speaker = FakeSpeaker(pieces=2, hook=lambda s: gate.wait() if s == LOVELY else None)
    halting = Halting()
    house = halting.house(build_house, speaker)
    with halting.asked(house) as talker:
        assert gate.reached.wait(20)
        talker.say("recording_started", voice_session_id="v-1")
        talker.quiet()
        gate.opened.set()
        halting.gate.opened.set()
        assert talker.reply()[-1]["text"] == f"{LOVELY} {VOICE}"
        talker.quiet()
    assert speaker.log.count(LOVELY) == 1
    assert VOICE not in speaker.log


def test_ended_conversation_answers_tts_cancel_with_ended(house: House) -> None:
    with house.opened("rose") as talker:
        talker.say("end_conversation")
        talker.closed()
    with house.talker("rose") as talker:
        talker.say("tts_cancel", "m-1")
        assert talker.error()["code"] == "ENDED"


def test_ending_stops_speech(build_house: Callable[..., House]) -> None:
    gate = Gate()
    house = build_house(engines=Engines(speaker=FakeSpeaker(hook=lambda _: gate.wait())))
    house.elder("rose")
    with house.talker("rose") as talker:
        talker.until_capability("tts", "ready")
        talker.until("topic_suggestions")
        talker.text(STORY)
        talker.until("message_ack")
        assert gate.reached.wait(20)
        talker.say("end_conversation")
        talker.until("end_conversation")
        gate.opened.set()
        assert talker.closed().code == 1000
    assert "tts_audio" not in kinds(talker)


# What the history keeps


def kept(house: House, reply_id: str) -> list[str]:
    rows = house.ask("SELECT text FROM reply_parts WHERE turn_id = ? ORDER BY position", reply_id)
    return [text for (text,) in rows]


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"deltas": "1", "speech": "0"}, "agent_response_delta"),
        ({"deltas": "0", "speech": "1"}, "tts_audio"),
    ],
)
def test_sentence_that_left_is_in_the_history_before_anybody_has_it(
    build_house: Callable[..., House], query: dict[str, str], kind: str
) -> None:
    halting = Halting()
    house = halting.house(build_house, FakeSpeaker())
    with halting.asked(house, **query) as talker:
        reply_id = talker.expect(kind)["assistant_message_id"]
        assert kept(house, reply_id) == [LOVELY]
        assert house.ask("SELECT finished FROM turns WHERE id = ?", reply_id) == [(0,)]
        halting.gate.opened.set()
        talker.reply()
    assert kept(house, reply_id) == [f"{LOVELY} {VOICE}"]
    assert house.ask("SELECT text, finished FROM turns WHERE id = ?", reply_id) == [
        (f"{LOVELY} {VOICE}", 1)
    ]


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"deltas": "1", "speech": "0"}, "agent_response_delta"),
        ({"deltas": "0", "speech": "1"}, "tts_audio"),
    ],
)
def test_cut_off_reply_keeps_the_sentences_that_left(
    build_house: Callable[..., House], query: dict[str, str], kind: str
) -> None:
    halting = Halting()
    house = halting.house(build_house, FakeSpeaker())
    with halting.asked(house, **query) as talker:
        reply_id = talker.expect(kind)["assistant_message_id"]
        talker.text("And she baked bread.", "m-2")
        assert talker.until("reply_cancelled") == {"assistant_message_id": reply_id}
        halting.model.reply = b"Bread is good."
        halting.gate.opened.set()
        parts = talker.reply()
    assert kept(house, reply_id) == [LOVELY]
    answered = house.ask(
        "SELECT client_id FROM turns WHERE answered_by = ?", parts[0]["assistant_message_id"]
    )
    assert answered == [("m-2",)]


@pytest.mark.parametrize("silent", [False, True])
def test_cut_off_reply_of_which_nothing_left_leaves_no_trace(
    build_house: Callable[..., House], silent: bool
) -> None:
    gate = Gate()
    speaker = FakeSpeaker(hook=lambda s: gate.wait() if s == LOVELY else None)
    halting = Halting()
    house = halting.house(build_house, speaker)
    with halting.asked(house, speech="0" if silent else "1") as talker:
        assert halting.gate.reached.wait(20)
        assert silent or gate.reached.wait(20)
        talker.text("And she baked bread.", "m-2")
        talker.until("message_ack")
        talker.quiet()
        halting.model.reply = b"Bread is good."
        halting.gate.opened.set()
        gate.opened.set()
        parts = talker.reply()
    assert "reply_cancelled" not in kinds(talker)
    answered = house.ask(
        "SELECT client_id FROM turns WHERE answered_by = ? ORDER BY seq",
        parts[0]["assistant_message_id"],
    )
    assert answered == [("m-1",), ("m-2",)]


def test_reply_that_a_lost_connection_cut_off_is_made_anew(
    build_house: Callable[..., House],
) -> None:
    halting = Halting()
    house = halting.house(build_house, FakeSpeaker())
    with halting.asked(house, deltas="1") as talker:
        cut = talker.expect("agent_response_delta")["assistant_message_id"]
    halting.gate.opened.set()
    with house.talker("rose", deltas="1") as talker:
        anew = talker.reply()[0]["assistant_message_id"]
    assert anew != cut
    assert kept(house, cut) == [LOVELY]
    assert house.ask("SELECT client_id FROM turns WHERE answered_by = ?", anew) == [("m-1",)]
