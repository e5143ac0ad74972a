"""What recognition makes of a model that doubts, repeats itself or makes things up."""

from collections.abc import Collection, Mapping

import numpy as np
import pytest

from lifeecho_server.engines.script import ChineseScript
from lifeecho_server.engines.transcriber import SAMPLE_RATE, Hearing, Samples, Transcript
from lifeecho_server.engines.voice_activity import FRAME
from lifeecho_server.engines.whisper import PROMPT_CHARACTERS, WhisperRecognition
from lifeecho_server.engines.whisper_model import Heard
from tests.engines.clips import clips, silence, spaced

SURE = -0.1
DOUBTFUL = -1.5


class Scripted:
    """A model that says what it was told to, window after window, in place of Whisper."""

    window_seconds = 2.5
    window_cost = 0.0

    def __init__(self, *windows: list[Heard], odds: list[Mapping[str, float]] | None = None):
        self.windows = list(windows)
        self.odds = odds or [{"en": 1.0, "zh": 0.0}] * len(windows)
        self.calls: list[tuple[str, str, str]] = []

    def spoken(self, languages: Collection[str]) -> tuple[str, ...]:
        return tuple(languages)

    def language_odds(self, window: Samples, languages: Collection[str]) -> Mapping[str, float]:
        assert len(window) > 0
        assert set(languages) == {"zh", "en"}
        return self.odds[len(self.calls)]

    def hear(self, window: Samples, language: str, prompt: str, hotwords: str) -> list[Heard]:
        assert window.dtype == np.float32
        self.calls.append((language, prompt, hotwords))
        return self.windows[len(self.calls) - 1]


def said(text: str, confidence: float = SURE, no_speech: float = 0.0) -> list[Heard]:
    return [Heard(0.1, 1.2, text, confidence, no_speech)]


def hear(model: Scripted, samples: Samples, hearing: Hearing) -> Transcript:
    recognition = WhisperRecognition(model, ChineseScript(), hearing)  # type: ignore[arg-type]
    recognition.hear(samples)
    recognition.finish()
    while (transcript := recognition.step()) is None:
        pass
    return transcript


def windows_of_speech(count: int) -> Samples:
    return spaced([clips("en")[0].samples()] * count, 1.0)


def recognise(model: Scripted, hearing: Hearing | None = None) -> Transcript:
    samples = windows_of_speech(len(model.windows))
    transcript = hear(model, samples, hearing or Hearing())
    assert len(model.calls) == len(model.windows)
    return transcript


def test_what_is_doubtful_is_marked_and_the_rest_is_not() -> None:
    transcript = recognise(Scripted(said("We lived there."), said("Mumble.", DOUBTFUL)))
    assert [segment.unsure for segment in transcript.segments] == [False, True]
    assert transcript.text == "We lived there. Mumble."
    assert not transcript.unsure


@pytest.mark.parametrize("heard", [[], said("Mumble.", DOUBTFUL)], ids=["nothing", "mumbling"])
def test_speech_of_which_nothing_is_sure_is_still_speech(heard: list[Heard]) -> None:
    transcript = recognise(Scripted(heard, heard))
    assert transcript.speech
    assert transcript.unsure


def test_a_made_up_phrase_goes_only_if_the_model_hears_no_speech() -> None:
    phrase = "Thank you for watching!"
    kept = recognise(Scripted(said(phrase)))
    dropped = recognise(Scripted(said(phrase, no_speech=0.9)))
    assert (kept.text, kept.speech) == (phrase, True)
    assert (dropped.text, dropped.speech, dropped.unsure) == ("", False, False)
    assert recognise(Scripted(said("The war came.", no_speech=0.9))).text == "The war came."


def test_a_made_up_phrase_goes_where_voice_activity_hears_nobody() -> None:
    speech = clips("en")[0].samples()
    quiet = Heard(len(speech) / SAMPLE_RATE - 0.1, 2.4, "請不吝點贊 訂閱", SURE, 0.0)
    model = Scripted([*said("I was born."), quiet])
    model.window_seconds = 8.0
    model.odds = [{"zh": 1.0, "en": 0.0}]
    samples = np.concatenate([speech, silence(2)])
    assert hear(model, samples, Hearing()).text == "I was born."


def test_a_loop_of_the_decoder_is_collapsed() -> None:
    assert recognise(Scripted(said("and so " * 30 + "we left."))).text == "and so we left."


def test_the_last_sure_words_are_the_next_prompt() -> None:
    long = "word " * 40 + "end."
    model = Scripted(said(long), said("Mumble.", DOUBTFUL), said("We left."))
    recognise(model, Hearing(hotwords=("Suzhou", "苏州")))
    prompts = [prompt for _, prompt, _ in model.calls]
    assert prompts[0] == ""
    assert prompts[1].endswith("word end.")
    assert len(prompts[1]) <= PROMPT_CHARACTERS
    assert prompts[2] == ""
    assert {hotwords for _, _, hotwords in model.calls} == {"Suzhou, 苏州"}


def test_the_language_is_locked_until_another_is_sure() -> None:
    odds = [
        {"en": 0.6, "zh": 0.4},
        {"en": 0.1, "zh": 0.9},
        {"en": 0.7, "zh": 0.3},
        {"en": 0.95, "zh": 0.05},
    ]
    model = Scripted(*[said("One."), said("二。"), said("三。"), said("Four.")], odds=odds)
    recognise(model)
    assert [language for language, _, _ in model.calls] == ["en", "zh", "zh", "en"]
    assert [prompt for _, prompt, _ in model.calls] == ["", "", "二。", ""]


def test_times_are_those_of_the_recording() -> None:
    transcript = recognise(Scripted(said("One."), said("Two.")))
    length = (len(clips("en")[0].samples()) + SAMPLE_RATE) / SAMPLE_RATE
    first, second = transcript.segments
    assert 0 <= first.start < first.end <= length
    assert second.start - first.start == pytest.approx(length, abs=4 * FRAME / SAMPLE_RATE)
