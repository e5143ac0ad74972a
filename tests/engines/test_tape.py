import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.engines.tape import Tape


@given(
    lengths=st.lists(st.integers(0, 9), max_size=12),
    forgotten=st.integers(0, 60),
    start=st.integers(0, 60),
    length=st.integers(0, 60),
)
def test_a_tape_gives_what_was_not_forgotten(
    lengths: list[int], forgotten: int, start: int, length: int
) -> None:
    tape, whole = Tape(), np.arange(sum(lengths), dtype=np.float32)
    at = 0
    for size in lengths:
        tape.append(whole[at : at + size])
        at += size
    tape.forget(forgotten)
    first = max(start, forgotten)
    assert tape.between(start, start + length).tolist() == whole[first : start + length].tolist()
    assert tape.end == len(whole)
    assert tape.start == min(forgotten, len(whole))
