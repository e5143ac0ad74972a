"""Boxes of an mp4 stream: what they cost, whatever they are."""

import io

import pytest

from lifeecho_server.engines.slice_mp4 import Mp4Boxes, is_finished_mp4

FTYP = b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42"
MANY = 100_000


def box(size: int) -> bytes:
    return size.to_bytes(4, "big") + b"free" + bytes(size - 8)


class Counting(io.BytesIO):
    """A file that counts how often it is read."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read(size)


def given(stream: bytes) -> list[bytes]:
    boxes = Mp4Boxes(io.BytesIO(stream))
    return list(iter(lambda: boxes.read(32 * 1024), b""))


@pytest.mark.parametrize("size", [8, 12, 31])
def test_boxes_that_only_keep_their_reader_busy_end_the_stream(size: int) -> None:
    stream = FTYP + box(size) * MANY
    assert len(given(stream)) < 2_000
    file = Counting(stream)
    assert not is_finished_mp4(file)
    assert file.reads < 2_000


@pytest.mark.parametrize("size", [60, 500])
def test_many_boxes_of_a_size_that_sound_has_are_read_on(size: int) -> None:
    stream = FTYP + box(size) * 20_000
    assert b"".join(given(stream)) == stream


@pytest.mark.parametrize("read", [1, 7, 1_000])
def test_boxes_are_the_same_however_they_are_read(read: int) -> None:
    stream = FTYP + b"".join(box(size) for size in range(8, 3_000, 7))
    boxes = Mp4Boxes(io.BytesIO(stream))
    assert b"".join(iter(lambda: boxes.read(read), b"")) == stream
