import io

import pytest

from lifeecho_server.engines.audio_format import (
    FORMATS,
    SNIFF_BYTES,
    has_index,
    has_sane_chunks,
    sniff,
)
from tests.engines.clips import ENCODINGS, encoded, sine


@pytest.mark.parametrize("form", sorted(ENCODINGS))
def test_every_format_is_told_from_its_first_bytes(form: str) -> None:
    assert sniff(encoded(sine(0.5), form)[:SNIFF_BYTES]) == form
    assert form in FORMATS


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff",
        b"RIFF\0\0\0\0AVI ",
        b"#EXTM3U\n",
        b"ffconcat version 1.0\n",
        b"\xff\xf1\x50\x80",
    ],
)
def test_what_is_no_recording_has_no_format(head: bytes) -> None:
    assert sniff(head) is None


def test_an_mp4_has_an_index_only_when_it_is_all_there() -> None:
    whole = encoded(sine(1.0), "m4a")
    assert has_index(io.BytesIO(whole))
    assert not has_index(io.BytesIO(whole[:-10]))
    assert not has_index(io.BytesIO(whole[: len(whole) // 2]))


def test_boxes_of_64_bits_and_to_the_end_of_the_file_are_followed() -> None:
    wide = b"\0\0\0\1mdat" + (24).to_bytes(8, "big") + bytes(8)
    assert has_index(io.BytesIO(wide + b"\0\0\0\x10moov" + bytes(8)))
    assert has_index(io.BytesIO(wide + b"\0\0\0\0moov" + bytes(8)))
    assert not has_index(io.BytesIO(b"\0\0\0\0mdat" + bytes(8)))
    assert not has_index(io.BytesIO(b"\0\0\0\2mdat" + bytes(8)))


def test_a_wav_with_a_forged_chunk_is_told_before_it_is_opened() -> None:
    whole = encoded(sine(0.5), "wav")
    forged = bytearray(whole)
    at = forged.index(b"LIST")
    forged[at + 4 : at + 8] = (0x95000000).to_bytes(4, "little")
    assert has_sane_chunks(io.BytesIO(whole))
    assert has_sane_chunks(io.BytesIO(whole[: len(whole) // 2]))
    assert not has_sane_chunks(io.BytesIO(bytes(forged)))
    assert not has_sane_chunks(io.BytesIO(whole[:30]))
