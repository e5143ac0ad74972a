"""espeak-ng itself: voices that sound, differ and stop."""

import threading
from itertools import pairwise

import numpy as np
import pytest

from lifeecho_server.engines import espeak
from lifeecho_server.engines.espeak import EspeakSpeaker, load_espeak, voice_name
from lifeecho_server.engines.faults import SpeechFailed
from lifeecho_server.engines.speaker import Voice

ZH, EN, YUE = Voice("zh", 130), Voice("en", 130), Voice("zh-HK", 130)


@pytest.fixture(scope="module")
def speaker() -> EspeakSpeaker:
    loaded = load_espeak()
    assert loaded is not None
    return loaded


def heard(speaker: EspeakSpeaker, sentence: str, voice: Voice) -> np.ndarray:
    """Return the samples of a sentence, in [-1, 1]."""
    pieces: list[bytes] = []

    def take(piece: bytes) -> bool:
        pieces.append(piece)
        return True

    speaker.speak(sentence, voice, take)
    return np.frombuffer(b"".join(pieces), "<i2").astype(np.float32) / 32768


def spectrum(samples: np.ndarray) -> np.ndarray:
    """Return what a stretch of sound is made of, for comparing: shape (bands,), of length 1."""
    power = np.abs(np.fft.rfft(samples, 65536))[:16384].reshape(64, -1).mean(axis=1)
    return power / np.linalg.norm(power)


def seconds(speaker: EspeakSpeaker, sentence: str, voice: Voice) -> float:
    return len(heard(speaker, sentence, voice)) / speaker.sample_rate


@pytest.mark.parametrize(
    ("sentence", "voice"),
    [
        ("您好，今天我们聊聊您的童年。", ZH),
        ("您好，今天我們聊聊您的童年。", YUE),
        ("Good morning, tell me about your childhood.", EN),
        ("您说Rose住在Leeds，对吗？", ZH),
        ("You called her 奶奶, is that right?", EN),
    ],
)
def test_sentences_are_voiced(speaker: EspeakSpeaker, sentence: str, voice: Voice) -> None:
    samples = heard(speaker, sentence, voice)
    assert 1.5 < len(samples) / speaker.sample_rate < 8
    loud = np.abs(samples) > 0.02
    assert loud.mean() > 0.2
    assert np.abs(samples).max() > 0.2


def test_words_differ(speaker: EspeakSpeaker) -> None:
    words = ["妈妈", "苏州", "工作", "学校"]
    shapes = [spectrum(heard(speaker, word, ZH)) for word in words]
    for one, other in pairwise(shapes):
        assert one @ other < 0.99
    assert spectrum(heard(speaker, "妈妈", ZH)) @ shapes[0] > 0.99


def test_hanzi_are_words_and_not_letters(speaker: EspeakSpeaker) -> None:
    """A character that the voice does not know is read as "Chinese letter": that takes longer."""
    for characters in ("纺织厂", "紡織廠", "囍鹅嫂"):
        assert seconds(speaker, characters, ZH) < 0.7 * len(characters)


def test_mixed_text_switches_voice(speaker: EspeakSpeaker) -> None:
    apart = seconds(speaker, "您说", ZH) + seconds(speaker, "Rose", EN)
    assert seconds(speaker, "您说Rose", ZH) == pytest.approx(apart, abs=0.05)


def test_cantonese_is_another_voice(speaker: EspeakSpeaker) -> None:
    sentence = "今天我们聊聊您的童年。"
    mandarin, cantonese = heard(speaker, sentence, ZH), heard(speaker, sentence, YUE)
    assert abs(len(mandarin) - len(cantonese)) > speaker.sample_rate * 0.1


@pytest.mark.parametrize(
    ("spoken", "language", "name"),
    [
        ("zh", "zh", "cmn"),
        ("zh", "zh-CN", "cmn"),
        ("zh", "zh-Hant-TW", "cmn"),
        ("zh", "zh-HK", "yue"),
        ("zh", "zh-Hant-HK", "yue"),
        ("zh", "zh-MO", "yue"),
        ("zh", "zh-yue", "yue"),
        ("zh", "yue", "yue"),
        ("zh", "en", "cmn"),
        ("en", "zh-HK", "en"),
        ("en", "en-US", "en-us"),
        ("en", "en-GB", "en"),
    ],
)
def test_voice_follows_language_and_script(spoken: str, language: str, name: str) -> None:
    assert voice_name(spoken, language) == name


def test_slower_is_longer(speaker: EspeakSpeaker) -> None:
    sentence = "Tell me about your mother and the river."
    durations = [seconds(speaker, sentence, Voice("en", rate)) for rate in (90, 130, 200)]
    assert durations == sorted(durations, reverse=True)
    assert durations[0] > 1.3 * durations[1]


@pytest.mark.parametrize("rate", [-5, 0, 1, 100_000])
def test_any_rate_is_spoken(speaker: EspeakSpeaker, rate: int) -> None:
    assert seconds(speaker, "Good morning.", Voice("en", rate)) > 0.1


@pytest.mark.parametrize("nothing", ["", "…", "\U0001f475", "https://a.b/c"])
def test_what_cannot_be_read_is_no_sound(speaker: EspeakSpeaker, nothing: str) -> None:
    assert len(heard(speaker, nothing, ZH)) == 0


def test_markup_is_not_read(speaker: EspeakSpeaker) -> None:
    plain = seconds(speaker, "Good morning Rose", EN)
    assert seconds(speaker, "**Good** `morning` # Rose \U0001f339", EN) == pytest.approx(
        plain, abs=0.02
    )


def test_it_stops_with_the_piece_after_which_no_more_is_wanted(speaker: EspeakSpeaker) -> None:
    pieces: list[bytes] = []

    def take(piece: bytes) -> bool:
        pieces.append(piece)
        return len(pieces) < 3

    speaker.speak("It was wonderful 您好. " * 200, EN, take)
    assert len(pieces) == 3
    assert len(b"".join(pieces)) / 2 / speaker.sample_rate < 0.25
    assert seconds(speaker, "Good morning.", EN) > 0.5


def test_it_is_entered_by_one_thread_at_a_time() -> None:
    """Two servers in one process, each with its engine, do not disturb one another."""
    speakers = [load_espeak(), load_espeak()]
    lengths: list[list[int]] = [[], []]

    def talk(which: int) -> None:
        one = speakers[which]
        assert one is not None
        for _ in range(10):
            lengths[which].append(
                len(heard(one, ("您好。", "Good morning.")[which], (ZH, EN)[which]))
            )

    threads = [threading.Thread(target=talk, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in lengths:
        assert len(each) == 10
        assert max(each) - min(each) < 200


def test_a_thread_that_hangs_in_it_is_told(
    speaker: EspeakSpeaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(espeak, "PATIENCE", 0.0)
    with espeak._INSIDE, pytest.raises(SpeechFailed, match="hangs"):
        heard(speaker, "Good morning.", EN)


def test_without_the_wheel_there_is_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak.importlib.util, "find_spec", lambda _: None)
    assert load_espeak() is None


def test_loaded_again_in_other_threads_it_still_speaks() -> None:
    # Initialised twice the library speaks silence, or takes the process with it.
    loudest: list[float] = []

    def load_and_speak() -> None:
        loaded = load_espeak()
        assert loaded is not None
        for sentence, voice in (("Hello Rose, tell me more.", EN), ("我在听。", ZH)):
            loudest.append(float(np.abs(heard(loaded, sentence, voice)).max()))

    for _ in range(20):
        thread = threading.Thread(target=load_and_speak)
        thread.start()
        thread.join()
    assert len(loudest) == 40
    assert min(loudest) > 0.1
