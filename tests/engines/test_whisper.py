import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run

import numpy as np
import pytest

from lifeecho_server.engines.audio import decode
from lifeecho_server.engines.transcriber import SAMPLE_RATE, Hearing, Samples, Transcript
from lifeecho_server.engines.whisper import WhisperTranscriber, load_whisper
from lifeecho_server.engines.wording import joined
from tests.engines.clips import Clip, clips, encoded, noise, silence, sine, spaced

MICRO_WHISPER = Path(__file__).parents[1] / "models" / "micro-whisper"

ANY_HEARING = Hearing()


@pytest.fixture(scope="module")
def whisper() -> Iterator[WhisperTranscriber]:
    transcriber = load_whisper(MICRO_WHISPER)
    yield transcriber
    transcriber.close()


def steps(
    whisper: WhisperTranscriber, samples: Samples, hearing: Hearing = ANY_HEARING
) -> list[Transcript | None]:
    recognition = whisper.begin(hearing)
    recognition.hear(samples)
    recognition.finish()
    taken: list[Transcript | None] = [recognition.step()]
    while taken[-1] is None:
        taken.append(recognition.step())
    return taken


def hear(
    whisper: WhisperTranscriber, samples: Samples, hearing: Hearing = ANY_HEARING
) -> Transcript:
    transcript = steps(whisper, samples, hearing)[-1]
    assert transcript is not None
    return transcript


def test_importing_the_adapter_loads_no_engine() -> None:
    program = (
        "import sys, lifeecho_server.engines.whisper;"
        "sys.exit(any(name in sys.modules for name in ('faster_whisper', 'ctranslate2')))"
    )
    assert run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_is_said_is_what_is_written(whisper: WhisperTranscriber) -> None:
    for clip in clips():
        transcript = hear(whisper, clip.samples())
        assert (transcript.text, transcript.language) == (clip.text, clip.language)
        assert transcript.speech
        assert not transcript.unsure
        assert transcript.duration == pytest.approx(len(clip.samples()) / SAMPLE_RATE)


@pytest.mark.parametrize("form", ["m4a", "mp4", "webm", "ogg", "mp3", "wav", "flac"])
def test_every_format_gives_the_same_words(whisper: WhisperTranscriber, form: str) -> None:
    for clip in (clips("en")[0], clips("zh")[0]):
        decoded = decode(encoded(clip.samples(), form))
        assert hear(whisper, decoded).text == clip.text


@pytest.mark.parametrize(
    "samples",
    [silence(0), silence(4), noise(4, 0.003), noise(4, 0.1), sine(4)],
    ids=["nothing", "silence", "hiss", "noise", "tone"],
)
def test_without_speech_there_are_no_words(whisper: WhisperTranscriber, samples: Samples) -> None:
    assert hear(whisper, samples) == Transcript(
        text="", language="zh", segments=(), duration=len(samples) / SAMPLE_RATE, speech=False
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_long_recording_is_recognised_in_many_steps(
    whisper: WhisperTranscriber, language: str
) -> None:
    said = _many(language, 24)
    parts = [clip.samples() for clip in said]
    taken = steps(whisper, spaced(parts, 1.5))
    transcript = taken[-1]
    assert transcript is not None
    assert transcript.text == joined(clip.text for clip in said)
    assert transcript.language == language
    assert len(taken) > len(said) / 3
    starts = np.cumsum([0, *(len(part) / SAMPLE_RATE + 1.5 for part in parts)])
    for segment, clip, start in zip(transcript.segments, said, starts, strict=False):
        assert segment.text == clip.text
        assert segment.start == pytest.approx(start + 0.15, abs=0.5)
        assert segment.start < segment.end < start + len(clip.samples()) / SAMPLE_RATE + 0.5


def _many(language: str, count: int) -> list[Clip]:
    some = clips(language)
    return [some[(3 * index + index // len(some)) % len(some)] for index in range(count)]


def test_a_minute_of_silence_is_listened_to_in_steps(whisper: WhisperTranscriber) -> None:
    assert len(steps(whisper, silence(200))) == 5  # four minutes begun, and the end


def test_the_language_may_change_on_the_way(whisper: WhisperTranscriber) -> None:
    # The first English one names Suzhou, and is not surely English to the micro model.
    said = [*_many("en", 3), *_many("zh", 9), *_many("en", 4)[1:]]
    transcript = hear(whisper, spaced([clip.samples() for clip in said], 2.0))
    assert transcript.text == joined(clip.text for clip in said)
    assert transcript.language == "zh"


def test_only_the_languages_of_the_settings_are_heard(whisper: WhisperTranscriber) -> None:
    samples = clips("zh")[0].samples()
    assert hear(whisper, samples, Hearing(languages=("en",))).language == "en"
    assert hear(whisper, samples, Hearing(languages=("en", "zh"))).language == "zh"


def test_cantonese_and_unknown_languages_do_no_harm(whisper: WhisperTranscriber) -> None:
    samples = clips("en")[0].samples()
    assert hear(whisper, samples, Hearing(languages=("tlh", "en"))).text == clips("en")[0].text
    assert hear(whisper, samples, Hearing(languages=("tlh",))).speech


def test_chinese_comes_in_the_script_asked_for(whisper: WhisperTranscriber) -> None:
    clip = next(clip for clip in clips("zh") if "妈" in clip.text)
    assert "媽" in hear(whisper, clip.samples(), Hearing(script="hant")).text
    assert hear(whisper, clip.samples(), Hearing(script="hans")).text == clip.text


def test_names_to_expect_do_no_harm(whisper: WhisperTranscriber) -> None:
    clip = clips("en")[0]
    hearing = Hearing(hotwords=("Suzhou", "苏州", "Chen", *(f"Name{n}" for n in range(900))))
    assert hear(whisper, clip.samples(), hearing).text == clip.text
