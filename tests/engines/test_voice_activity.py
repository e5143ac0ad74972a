import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples
from lifeecho_server.engines.voice_activity import (
    FRAME,
    PAD,
    PAUSE,
    SHORTEST,
    SpeechFinder,
    Stretch,
    VoiceDetector,
)
from tests.engines.clips import clips, noise, silence, sine, spaced

ENDLESS = 10**6
"""A limit that no recording of these tests reaches, in frames."""


def probabilities_of(samples: Samples, piece: int = ENDLESS) -> np.ndarray:
    detector = VoiceDetector()
    heard = [detector.judge(samples[at : at + piece]) for at in range(0, len(samples), piece)]
    return np.concatenate([np.empty(0, np.float32), *heard, detector.finish()])


def speech_stretches(
    probabilities: np.ndarray, samples: int, limit: int = ENDLESS, piece: int = ENDLESS
) -> tuple[Stretch, ...]:
    finder = SpeechFinder(limit)
    found: list[Stretch] = []
    for at in range(0, len(probabilities), piece):
        found += finder.feed(probabilities[at : at + piece])
    return (*found, *finder.finish(samples))


def stretches_of(samples: Samples) -> tuple[Stretch, ...]:
    return speech_stretches(probabilities_of(samples), len(samples))


def judged(*runs: tuple[int, float]) -> np.ndarray:
    return np.concatenate([np.full(frames, voice, np.float32) for frames, voice in runs])


@pytest.mark.parametrize(
    "samples",
    [silence(0), silence(3), noise(3, 0.003), noise(3, 0.1), sine(3), sine(3, 90)],
    ids=["nothing", "silence", "hiss", "noise", "tone", "hum"],
)
def test_nobody_speaks(samples: Samples) -> None:
    assert stretches_of(samples) == ()


def test_each_recording_is_found_where_it_is() -> None:
    parts = [clip.samples() for clip in clips()]
    found = stretches_of(spaced(parts, 1.0))
    starts = np.cumsum([0, *(len(part) + SAMPLE_RATE for part in parts)])
    for start, part in zip(starts, parts, strict=False):
        inside = [s for s in found if start - SAMPLE_RATE / 2 < s.start < start + len(part)]
        assert inside
        assert sum(s.end - s.start for s in inside) > 0.6 * len(part)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))


@pytest.mark.parametrize("piece", [77, 512, 16_000, 41_234])
def test_how_a_recording_is_cut_into_pieces_makes_no_difference(piece: int) -> None:
    samples = spaced([clip.samples() for clip in clips()], 0.7)
    whole, pieces = probabilities_of(samples), probabilities_of(samples, piece)
    np.testing.assert_allclose(pieces, whole, atol=1e-4)
    assert speech_stretches(pieces, len(samples)) == speech_stretches(whole, len(samples))


def test_judging_leaves_the_recording_as_it_was() -> None:
    samples = noise(2, 0.1)
    before = samples.copy()
    probabilities_of(samples)
    np.testing.assert_array_equal(samples, before)


def test_speech_without_a_pause_is_cut_where_the_voice_is_weakest() -> None:
    voice = judged((300, 0.9))
    voice[200] = 0.6
    (first, second) = speech_stretches(voice, 300 * FRAME, limit=250)
    assert first == Stretch(0, 200 * FRAME)
    assert second == Stretch(200 * FRAME, 300 * FRAME)


def test_what_is_left_of_speech_that_was_cut_is_speech_however_short() -> None:
    voice = judged((253, 0.9), (20, 0.0))
    voice[249] = 0.6
    assert speech_stretches(voice, len(voice) * FRAME, limit=250)[1].start == 249 * FRAME


def test_open_speech_is_as_it_would_be_if_a_pause_followed() -> None:
    finder = SpeechFinder(ENDLESS)
    finder.feed(judged((20, 0.0), (20, 0.9), (PAD, 0.0)))
    open_ = finder.open
    assert finder.pausing
    assert finder.feed(judged((PAUSE - PAD, 0.0))) == [open_]


def test_a_pause_parts_stretches_and_a_shorter_one_does_not() -> None:
    apart = judged((20, 0.0), (30, 0.9), (PAUSE, 0.1), (30, 0.9), (20, 0.0))
    together = judged((20, 0.0), (30, 0.9), (PAUSE - 1, 0.1), (30, 0.9), (20, 0.0))
    assert len(speech_stretches(apart, len(apart) * FRAME)) == 2
    assert len(speech_stretches(together, len(together) * FRAME)) == 1


def test_a_click_is_no_speech() -> None:
    click = judged((20, 0.0), (SHORTEST - 1, 0.9), (20, 0.0))
    assert speech_stretches(click, len(click) * FRAME) == ()


def test_a_voice_that_grows_weak_is_still_a_voice() -> None:
    weak = judged((20, 0.0), (20, 0.9), (20, 0.4), (20, 0.0))
    assert speech_stretches(weak, len(weak) * FRAME) == (
        Stretch((20 - PAD) * FRAME, (60 + PAD) * FRAME),
    )


@given(
    voices=st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0]), max_size=300),
    short=st.integers(0, FRAME - 1),
    limit=st.integers(20, 400),
    piece=st.integers(1, 50),
)
def test_stretches_lie_in_the_recording_in_order_however_it_comes(
    voices: list[float], short: int, limit: int, piece: int
) -> None:
    samples = max(0, len(voices) * FRAME - short)
    judged_voices = np.array(voices, np.float32)
    found = speech_stretches(judged_voices, samples, limit)
    assert found == speech_stretches(judged_voices, samples, limit, piece)
    edges = [edge for stretch in found for edge in (stretch.start, stretch.end)]
    assert edges == sorted(edges)
    assert all(0 <= stretch.start < stretch.end <= samples for stretch in found)
    assert all(s.end - s.start <= (limit + PAD) * FRAME for s in found)
