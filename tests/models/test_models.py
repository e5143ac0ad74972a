"""The committed models do what the tests of everything else count on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper import WhisperModel
from llama_cpp import Llama

from tests.models.dialogue import HELLO, MORE, PART_BREAK, REST, TOPICS, expected_reply
from tests.models.phrases import PHRASES, Language, Phrase, spoken
from tests.models.recorded import Recording, recordings
from tests.models.voice import SAMPLE_RATE, Samples

HERE = Path(__file__).resolve().parent
COMMITTED = 8_000_000  # bytes

SYSTEM = {
    "en": (
        "You are a patient interviewer who helps an old person tell their life. Answer in the "
        "person's language, in at most two sentences.\n\nAbout the person: born in 1943 in Suzhou, "
        "worked as a teacher."
    ),
    "zh": (
        "你是一位耐心的访谈者，帮助老人讲述一生。用对方的语言回答，最多两句话。"
        "\n\n关于这位老人：1943年出生在苏州，做过老师。"
    ),
}
MAY_ASK = {
    "en": "Take up one detail warmly in one sentence, then ask: How was your wedding?",
    "zh": "先用一句话接住刚才说的一个细节,再问这一个问题:您的婚礼是怎么办的?",
}
MUST_NOT_ASK = {
    "en": "Comfort the person in one or two sentences. Do not ask a question.",
    "zh": "用一两句话安慰一下,不要提问。",
}


@pytest.fixture(scope="module")
def whisper() -> WhisperModel:
    return WhisperModel(
        str(HERE / "micro-whisper"),
        device="cpu",
        compute_type="int8",
        cpu_threads=1,
        local_files_only=True,
    )


@pytest.fixture(scope="module")
def llama() -> Llama:
    path = str(HERE / "micro-llama.gguf")
    return Llama(path, n_ctx=2048, n_threads=1, n_threads_batch=1, verbose=False)


def hear(whisper: WhisperModel, samples: Samples, vad_filter: bool) -> tuple[str, str]:
    segments, info = whisper.transcribe(samples, vad_filter=vad_filter)
    return "".join(segment.text for segment in segments).strip(), info.language


def reply(llama: Llama, language: Language, said: str) -> tuple[str, str]:
    """Return the reply at temperature 0 and why it ended."""
    messages: list[Any] = [
        {"role": "system", "content": SYSTEM[language]},
        {"role": "user", "content": said},
    ]
    result: Any = llama.create_chat_completion(messages, temperature=0, max_tokens=100)
    choice = result["choices"][0]
    return choice["message"]["content"], choice["finish_reason"]


@pytest.mark.parametrize("vad_filter", [True, False])
@pytest.mark.parametrize("recording", recordings(), ids=lambda each: each.path.stem)
def test_recording_is_recognised(
    whisper: WhisperModel, recording: Recording, vad_filter: bool
) -> None:
    heard = hear(whisper, recording.samples(), vad_filter)
    assert heard == (recording.text, recording.language)


@pytest.mark.parametrize("level", [0.0, 0.001, 0.03])
def test_nothing_is_heard_where_nobody_speaks(whisper: WhisperModel, level: float) -> None:
    noise = np.random.default_rng(1).standard_normal(4 * SAMPLE_RATE)
    text, _ = hear(whisper, (level * noise).astype(np.float32), vad_filter=True)
    assert text == ""


def test_recordings_cover_both_languages_and_belong_to_the_set() -> None:
    found = [(recording.language, recording.text) for recording in recordings()]
    assert {language for language, _ in found} == {"en", "zh"}
    assert set(found) <= {(phrase.language, phrase.text) for phrase in PHRASES}


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda each: each.text)
def test_reply_to_a_phrase_with_a_note(llama: Llama, phrase: Phrase) -> None:
    said = f"{phrase.text}\n\n[{MAY_ASK[phrase.language]}]"
    expected = expected_reply(phrase.text, phrase.language)
    assert reply(llama, phrase.language, said) == (expected, "stop")


@pytest.mark.parametrize("phrase", PHRASES[::3], ids=lambda each: each.text)
def test_reply_to_a_phrase_without_a_note(llama: Llama, phrase: Phrase) -> None:
    expected = expected_reply(phrase.text, phrase.language)
    assert reply(llama, phrase.language, phrase.text) == (expected, "stop")


@pytest.mark.parametrize("phrase", PHRASES[1::3], ids=lambda each: each.text)
def test_note_forbids_a_question(llama: Llama, phrase: Phrase) -> None:
    said = f"{phrase.text}\n\n[{MUST_NOT_ASK[phrase.language]}]"
    text, ended = reply(llama, phrase.language, said)
    assert text == expected_reply(phrase.text, phrase.language, question=False)
    assert ended == "stop"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_greeting_when_only_a_note_is_given(llama: Llama, language: Language) -> None:
    text, ended = reply(llama, language, f"[{MAY_ASK[language]}]")
    assert text == expected_reply("", language)
    assert ended == "stop"


def test_expected_reply_follows_the_rule() -> None:
    thanks, question = "Thank you for telling me about your mother.", "What songs did she sing?"
    assert expected_reply("My mother sang.", "en") == thanks + PART_BREAK + question
    assert expected_reply("My mother sang.", "en", question=False) == thanks
    assert expected_reply("奶奶讲故事。", "zh") == "谢谢您告诉我您的奶奶的事。她讲过什么故事？"
    assert expected_reply("Let us stop here for today.", "en") == REST["en"]
    assert expected_reply("", "zh") == "".join(HELLO["zh"])
    assert expected_reply("Please ask me another question.", "en") == MORE["en"]


def test_topic_named_first_counts() -> None:
    mother, river = (expected_reply(word, "en") for word in ("mother", "river"))
    assert expected_reply("By the river my mother sang.", "en") == river
    assert expected_reply("My mother sang by the river.", "en") == mother


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_word_of_a_topic_leads_to_it(language: Language) -> None:
    for topic in TOPICS:
        for word in topic.wording(language).words:
            assert expected_reply(word, language) == topic.reply(language, question=True)


def test_spoken_form_is_found_by_index_and_by_text() -> None:
    assert spoken(0) == "I was born in Suzhou."
    assert spoken("我出生在苏州。") == "wo3 chu1sheng1 zai4 su1zhou1"


def test_what_is_committed_stays_small() -> None:
    committed = [*HERE.glob("*"), *HERE.glob("micro-whisper/*"), *HERE.glob("recordings/*")]
    assert sum(path.stat().st_size for path in committed if path.is_file()) < COMMITTED
