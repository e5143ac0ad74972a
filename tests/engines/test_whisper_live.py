"""Recognition while somebody talks: the same transcript however the sound comes."""

import itertools
import random
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from lifeecho_server.engines.transcriber import SAMPLE_RATE, Hearing, Samples, SoFar, Transcript
from lifeecho_server.engines.whisper import WhisperTranscriber, load_whisper
from lifeecho_server.engines.wording import joined
from tests.engines.clips import clips, silence, spaced
from tests.engines.test_whisper import MICRO_WHISPER

LIVE = Hearing(live=True)


@pytest.fixture(scope="module")
def whisper() -> Iterator[WhisperTranscriber]:
    transcriber = load_whisper(MICRO_WHISPER)
    yield transcriber
    transcriber.close()


def talk(count: int = 12) -> tuple[Samples, str]:
    """Return phrases with pauses between them, and what is said."""
    chosen = random.Random(count).choices(clips("en"), k=count)
    return spaced([clip.samples() for clip in chosen], 0.7), joined(clip.text for clip in chosen)


def heard(
    whisper: WhisperTranscriber,
    samples: Samples,
    piece: int,
    *,
    guessing: bool = False,
    hearing: Hearing = LIVE,
) -> tuple[Transcript, list[SoFar]]:
    """Return the transcript of sound that comes in pieces, and what was shown on the way."""
    recognition, shown = whisper.begin(hearing), list[SoFar]()
    for at in range(0, len(samples), piece):
        recognition.hear(samples[at : at + piece])
        while not recognition.idle:
            assert recognition.step() is None
            shown.append(recognition.so_far())
        if guessing and recognition.guess_due:
            recognition.guess()
            assert not recognition.guess_due
            shown.append(recognition.so_far())
    recognition.finish()
    while (transcript := recognition.step()) is None:
        shown.append(recognition.so_far())
    return transcript, shown


def test_the_words_are_those_of_the_whole_recording(whisper: WhisperTranscriber) -> None:
    samples, said = talk()
    whole, _ = heard(whisper, samples, len(samples), hearing=Hearing())
    assert whole.text == said
    for seconds in (1, 5, 30):
        for guessing in (False, True):
            live, _ = heard(whisper, samples, seconds * SAMPLE_RATE, guessing=guessing)
            assert live == whole


@pytest.mark.parametrize("piece", [700, 4_321, 33_333])
def test_odd_cuts_make_no_difference(whisper: WhisperTranscriber, piece: int) -> None:
    samples, said = talk(6)
    assert heard(whisper, samples, piece, guessing=piece > 4_000)[0].text == said


def test_words_are_shown_while_they_are_spoken_and_stable_ones_stay(
    whisper: WhisperTranscriber,
) -> None:
    samples, said = talk()
    transcript, shown = heard(whisper, samples, SAMPLE_RATE, guessing=True)
    assert transcript.text == shown[-1].text == said
    stable = [so_far.text[: so_far.stable] for so_far in shown]
    for earlier, later in itertools.pairwise(stable):
        assert later.startswith(earlier)
    assert all(transcript.text.startswith(text) for text in stable)
    first = next(i for i, so_far in enumerate(shown) if so_far.text)
    assert first < len(shown) / 4
    assert shown[first].stable < len(shown[first].text)


def test_what_was_guessed_last_need_not_be_recognised_again(whisper: WhisperTranscriber) -> None:
    samples, said = talk(2)
    recognition = whisper.begin(LIVE)
    recognition.hear(np.concatenate([samples, silence(1)]))
    while not recognition.idle:
        recognition.step()
    recognition.guess()
    hear, calls = whisper._model.hear, list[Samples]()

    def counted(window: Samples, *more: str) -> object:
        calls.append(window)
        return hear(window, *more)

    whisper._model.hear = counted  # type: ignore[method-assign, assignment]
    try:
        recognition.finish()
        while (transcript := recognition.step()) is None:
            pass
    finally:
        whisper._model.hear = hear  # type: ignore[method-assign]
    assert transcript.text == said
    assert calls == []


def test_memory_does_not_grow_with_the_length(whisper: WhisperTranscriber) -> None:
    samples, _ = talk(4)
    recognition, held = whisper.begin(LIVE), list[int]()
    tracemalloc.start()
    try:
        for _ in range(12):
            recognition.hear(np.concatenate([samples, silence(20)]))
            while not recognition.idle:
                recognition.step()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held[-1] - held[2] < 4 * len(samples)
