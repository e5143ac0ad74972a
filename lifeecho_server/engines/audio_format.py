"""Recording formats: told from their first bytes, and whether an mp4 still has its index."""

from typing import BinaryIO

FORMATS = ("m4a", "mp4", "webm", "ogg", "mp3", "wav", "flac", "pcm_s16le")
"""Every format that can be decoded; ``pcm_s16le`` is raw and cannot be told from its bytes."""

SNIFF_BYTES = 64
"""How many first bytes ``sniff`` needs."""

_AUDIO_BRANDS = (b"M4A ", b"M4B ", b"M4P ")


def sniff(head: bytes) -> str | None:
    """Tell the format of a recording from its first bytes, as its usual file extension.

    Returns ``None`` for anything that is not one of the whole-file formats of ``FORMATS``.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "m4a" if head[8:12] in _AUDIO_BRANDS else "mp4"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:3] == b"ID3" or _is_mp3_frame(head):
        return "mp3"
    return None


def has_index(file: BinaryIO) -> bool:
    """Whether an mp4 or m4a has its ``moov`` box, without which nothing in it can be found.

    The layout of boxes is that of ISO/IEC 14496-12: a size and a type, each of 32 bits, and a
    size of 1 means that one of 64 bits follows.
    """
    end = file.seek(0, 2)
    position = 0
    while position + 8 <= end:
        file.seek(position)
        size, kind = _box(file.read(16), end - position)
        if kind == b"moov":
            return position + size <= end
        if size < 8:
            return False
        position += size
    return False


def has_sane_chunks(file: BinaryIO) -> bool:
    """Whether every chunk of a WAV file before its sound lies within the file.

    FFmpeg asks for the memory that a forged size names, gigabytes of it, before it looks. The
    layout of chunks is that of RIFF: a type and a size of 32 bits, padded to an even one.
    """
    end = file.seek(0, 2)
    position = 12
    while position + 8 <= end:
        file.seek(position)
        head = file.read(8)
        if head[:4] == b"data":
            return True
        position += 8 + (int.from_bytes(head[4:], "little") + 1) // 2 * 2
    return False


def _box(head: bytes, rest: int) -> tuple[int, bytes]:
    size = int.from_bytes(head[:4], "big")
    if size == 1:
        size = int.from_bytes(head[8:16], "big")
    elif size == 0:
        size = rest
    return size, head[4:8]


def _is_mp3_frame(head: bytes) -> bool:
    """Sync word, a version and a layer that exist, a bit rate and a sample rate that exist."""
    return (
        len(head) >= 3
        and head[0] == 0xFF
        and head[1] & 0xE0 == 0xE0
        and head[1] & 0x18 != 0x08
        and head[1] & 0x06 != 0x00
        and head[2] & 0xF0 != 0xF0
        and head[2] & 0x0C != 0x0C
    )
