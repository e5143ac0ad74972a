"""Words at edges and words half said, with the model that hears word by word."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from lifeecho_server.engines.transcriber import SAMPLE_RATE, Hearing, Samples
from lifeecho_server.engines.whisper import WhisperTranscriber, load_whisper
from tests.conftest import MODELS
from tests.models.recorded_words import RecordedWords, recordings

RECORDINGS = recordings()
LIVE = Hearing(languages=("en",), live=True)

PARTIAL_WORDS = 0.9
"""The share of words, shown while somebody talks, that must be those said so far. The model is
small: of the clear cuts of these recordings it hears 88 of 93 exactly."""


@pytest.fixture(scope="module")
def whisper() -> Iterator[WhisperTranscriber]:
    transcriber = load_whisper(MODELS / "micro-whisper-words")
    yield transcriber
    transcriber.close()


def heard(whisper: WhisperTranscriber, samples: Samples, cuts: list[int]) -> str:
    """Return the words of a recording that comes in pieces, cut at these samples."""
    recognition = whisper.begin(LIVE)
    for start, end in itertools.pairwise([0, *cuts, len(samples)]):
        recognition.hear(samples[start:end])
        while not recognition.idle:
            recognition.step()
        if recognition.guess_due:
            recognition.guess()
    recognition.finish()
    while (transcript := recognition.step()) is None:
        pass
    return transcript.text


def middles(recording: RecordedWords) -> list[int]:
    """Return the middle of every word, in samples."""
    return [round((word.start + word.end) / 2 * SAMPLE_RATE) for word in recording.words]


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda each: each.path.stem)
def test_words_cut_by_an_edge_come_out_whole(
    whisper: WhisperTranscriber, recording: RecordedWords
) -> None:
    assert heard(whisper, recording.samples(), middles(recording)) == recording.text


@pytest.mark.parametrize("piece", [0.1, 0.33, 1.0])
def test_no_word_is_lost_or_doubled_wherever_the_edges_are(
    whisper: WhisperTranscriber, piece: float
) -> None:
    for recording in RECORDINGS[:4]:
        samples = recording.samples()
        cuts = np.arange(piece, len(samples) / SAMPLE_RATE, piece) * SAMPLE_RATE
        assert heard(whisper, samples, cuts.astype(int).tolist()) == recording.text


def test_words_shown_while_somebody_talks_are_those_said_so_far(
    whisper: WhisperTranscriber,
) -> None:
    right = shown = 0
    for recording in RECORDINGS:
        said = recording.text.split()
        for word in recording.words[2:-1]:
            recognition = whisper.begin(LIVE)
            recognition.hear(recording.samples(0.0, word.end))
            while not recognition.idle:
                recognition.step()
            recognition.guess()
            so_far = recognition.so_far()
            assert so_far.stable == 0
            assert so_far.text != recording.text
            words = so_far.text.split()
            shown += len(words)
            right += sum(one == other for one, other in zip(words, said, strict=False))
    assert right >= PARTIAL_WORDS * shown > 0
