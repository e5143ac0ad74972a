from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.engines.tape import Tape
from lifeecho_server.engines.transcriber import SAMPLE_RATE
from lifeecho_server.engines.voice_activity import Stretch
from lifeecho_server.engines.windows import Packer, Window


def seconds(start: float, end: float) -> Stretch:
    return Stretch(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))


def windows(stretches: Iterable[Stretch], limit: int) -> list[Window]:
    packer = Packer(limit)
    packed = [full for stretch in stretches if (full := packer.add(stretch))]
    last = packer.close()
    return [*packed, last] if last else packed


def test_stretches_are_packed_until_the_window_is_full() -> None:
    stretches = [seconds(0, 2), seconds(3, 5), seconds(9, 10), seconds(11, 14)]
    packed = windows(stretches, 5 * SAMPLE_RATE)
    assert [window.stretches for window in packed] == [tuple(stretches[:3]), (stretches[3],)]


@given(
    lengths=st.lists(st.tuples(st.integers(1, 900), st.integers(1, 400)), max_size=12),
    limit=st.integers(900, 2000),
)
def test_windows_hold_all_speech_in_order_and_none_is_too_long(
    lengths: list[tuple[int, int]], limit: int
) -> None:
    stretches: list[Stretch] = []
    at = 0
    for length, pause in lengths:
        stretches.append(Stretch(at, at + length))
        at += length + pause
    packed = windows(stretches, limit)
    assert [s for window in packed for s in window.stretches] == stretches
    for window in packed:
        assert 0 < sum(s.end - s.start for s in window.stretches) <= limit


def test_a_window_is_the_sound_of_its_stretches() -> None:
    recording = Tape()
    recording.append(np.arange(100, dtype=np.float32))
    window = Window((Stretch(10, 12), Stretch(50, 53)))
    assert window.samples(recording).tolist() == [10, 11, 50, 51, 52]


@pytest.mark.parametrize(
    ("inside", "in_recording"),
    [
        ((0.0, 1.0), (10.0, 11.0)),
        ((1.0, 2.0), (11.0, 12.0)),  # ends on the seam
        ((2.0, 3.0), (20.0, 21.0)),  # begins on the seam
        ((0.5, 2.2), (10.5, 12.0)),  # reaches over the seam by a little
        ((1.8, 4.0), (20.0, 22.0)),  # begins before the seam by a little
        ((0.5, 3.5), (10.5, 21.5)),  # said across the pause
        ((3.5, 9.0), (21.5, 24.0)),  # a time after the end
        ((9.0, 9.5), (24.0, 24.0)),
    ],
)
def test_times_in_a_window_are_times_in_the_recording(
    inside: tuple[float, float], in_recording: tuple[float, float]
) -> None:
    window = Window((seconds(10, 12), seconds(20, 24)))
    assert window.span(*inside) == pytest.approx(in_recording)
