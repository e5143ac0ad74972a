"""The committed word-by-word model hears the words that are in a cut, and no others."""

import re
from pathlib import Path

import numpy as np
import pytest
from faster_whisper import WhisperModel

from tests.models.phrases_words import FIRST, LAST, PHRASES, PRONOUNS, VOCABULARY
from tests.models.recorded_words import RecordedWords, recordings
from tests.models.voice import SAMPLE_RATE, Samples, Word

HERE = Path(__file__).resolve().parent
COMMITTED = 8_000_000  # bytes, with everything else here
MARGIN = np.zeros(int(0.3 * SAMPLE_RATE), np.float32)
"""Silence that the server puts on both sides of what it has recognised."""

EXACT = 0.9
"""The share of clear cuts of the recordings that must be heard exactly."""

TIME_TOLERANCE = 0.3  # seconds

RECORDINGS = recordings()


@pytest.fixture(scope="module")
def whisper() -> WhisperModel:
    return WhisperModel(
        str(HERE / "micro-whisper-words"),
        device="cpu",
        compute_type="int8",
        cpu_threads=1,
        local_files_only=True,
    )


def hear(whisper: WhisperModel, samples: Samples, vad_filter: bool = False) -> str:
    segments, _ = whisper.transcribe(samples, vad_filter=vad_filter)
    return "".join(segment.text for segment in segments).strip()


def hear_cut(whisper: WhisperModel, recording: RecordedWords, begin: float, end: float) -> str:
    return hear(whisper, np.concatenate([MARGIN, recording.samples(begin, end), MARGIN]))


def span(words: tuple[Word, ...]) -> tuple[float, float]:
    return words[0].start, words[-1].end


def clear_cuts(recording: RecordedWords) -> list[tuple[float, float]]:
    """Cuts of the begin and of the end, every fifth of a second, that are not amidst a word."""
    seconds = len(recording.samples()) / SAMPLE_RATE
    instants = np.arange(0.6, seconds - 0.6, 0.2).tolist()
    cuts = [cut for instant in instants for cut in ((0.0, instant), (instant, seconds))]
    return [cut for cut in cuts if recording.heard(*cut) is not None]


@pytest.mark.parametrize("vad_filter", [True, False])
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda each: each.path.stem)
def test_recording_is_recognised(
    whisper: WhisperModel, recording: RecordedWords, vad_filter: bool
) -> None:
    assert hear(whisper, recording.samples(), vad_filter) == recording.text


def test_cut_recordings_give_the_words_in_them(whisper: WhisperModel) -> None:
    cuts = [(recording, *cut) for recording in RECORDINGS for cut in clear_cuts(recording)]
    exact = [
        hear_cut(whisper, recording, begin, end) == recording.heard(begin, end)
        for recording, begin, end in cuts
    ]
    assert sum(exact) >= EXACT * len(cuts)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda each: each.path.stem)
def test_half_a_phrase_is_not_completed(whisper: WhisperModel, recording: RecordedWords) -> None:
    half = recording.words[len(recording.words) // 2].start
    assert hear_cut(whisper, recording, 0, half) != recording.text


def test_two_phrases_are_two_segments_with_their_times(whisper: WhisperModel) -> None:
    first, second = RECORDINGS[:2]
    both = np.concatenate([first.samples(), second.samples()])
    segments = list(whisper.transcribe(both, language="en")[0])
    assert [segment.text.strip() for segment in segments] == [first.text, second.text]
    after = len(first.samples()) / SAMPLE_RATE
    wanted = (span(first.words), tuple(at + after for at in span(second.words)))
    for segment, times in zip(segments, wanted, strict=True):
        assert (segment.start, segment.end) == pytest.approx(times, abs=TIME_TOLERANCE)


@pytest.mark.parametrize("level", [0.0, 0.001, 0.03])
def test_nothing_is_heard_where_nobody_speaks(whisper: WhisperModel, level: float) -> None:
    noise = np.random.default_rng(1).standard_normal(4 * SAMPLE_RATE)
    assert hear(whisper, (level * noise).astype(np.float32), vad_filter=True) == ""


def test_heard_follows_the_words_times() -> None:
    recording = RECORDINGS[0]
    first, second, *_ = recording.words
    seconds = len(recording.samples()) / SAMPLE_RATE
    assert recording.heard(0, seconds) == recording.text
    assert recording.heard(0, first.end) == first.text
    assert recording.heard(first.end, second.end) == second.text
    assert recording.heard(0, second.start + 0.65 * (second.end - second.start)) is None


def test_words_of_a_recording_follow_each_other() -> None:
    for recording in RECORDINGS:
        times = [at for word in recording.words for at in (word.start, word.end)]
        assert times == sorted(times)
        assert times[-1] <= len(recording.samples()) / SAMPLE_RATE


def test_recordings_belong_to_the_set() -> None:
    assert {recording.text for recording in RECORDINGS} <= set(PHRASES)


def test_phrases_share_a_vocabulary_and_differ() -> None:
    assert len(set(PHRASES)) == len(PHRASES) >= 60
    for phrase in PHRASES:
        words = re.findall(r"\w+", phrase)
        assert set(words) <= set(VOCABULARY)
        assert words[0] in (*FIRST, *PRONOUNS)
        assert words[-1] in LAST
        assert not {*words[:-1]} & {*LAST}


def test_what_is_committed_stays_small() -> None:
    folders = ("micro-whisper", "recordings", "micro-whisper-words", "recordings-words")
    committed = [*HERE.glob("*"), *(path for name in folders for path in HERE.glob(f"{name}/*"))]
    assert sum(path.stat().st_size for path in committed if path.is_file()) < COMMITTED
