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
    Stretch,
    frames_in,
    speech_stretches,
    voice_probabilities,
)
from tests.engines.clips import clips, noise, silence, sine, spaced


def stretches_of(samples: Samples) -> tuple[Stretch, ...]:
    judged = voice_probabilities(samples, 0, frames_in(samples))
    return speech_stretches(judged, len(samples))


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


def test_judging_in_pieces_finds_the_same_speech() -> None:
    samples = spaced([clip.samples() for clip in clips()], 0.7)
    frames = frames_in(samples)
    pieces = [voice_probabilities(samples, at, at + 150) for at in range(0, frames, 150)]
    whole = speech_stretches(voice_probabilities(samples, 0, frames), len(samples))
    parts = speech_stretches(np.concatenate(pieces), len(samples))
    assert len(parts) == len(whole)
    for one, other in zip(parts, whole, strict=True):
        assert abs(one.start - other.start) <= 4 * FRAME
        assert abs(one.end - other.end) <= 4 * FRAME


def test_judging_leaves_the_recording_as_it_was() -> None:
    samples = noise(2, 0.1)
    before = samples.copy()
    voice_probabilities(samples, 0, frames_in(samples))
    np.testing.assert_array_equal(samples, before)


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
)
def test_stretches_lie_in_the_recording_in_order(voices: list[float], short: int) -> None:
    samples = max(0, len(voices) * FRAME - short)
    found = speech_stretches(np.array(voices, np.float32), samples)
    edges = [edge for stretch in found for edge in (stretch.start, stretch.end)]
    assert edges == sorted(edges)
    assert all(0 <= stretch.start < stretch.end <= samples for stretch in found)
