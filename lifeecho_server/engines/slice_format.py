"""Whether a slice begins a file of its own, and how the sound of a WAV is laid out."""

import re

from lifeecho_server.engines.audio_format import sniff
from lifeecho_server.engines.audio_frames import BadAudio, PcmLayout
from lifeecho_server.engines.disk import Readable

ENOUGH_TO_TELL = 12
"""With fewer first bytes than these a format cannot be told."""

_OGG_FIRST_PAGE = 0x02
_DOCUMENT_TYPE = re.compile(rb"webm|matroska")
_MOST_HEADER = 1024 * 1024
_MOST_LAYOUT = 1024
_NO_LENGTH = 0x7FFF_0000
"""Recorders that do not know the length yet write 0, or the greatest number there is."""

_PCM = {
    (1, 8): "pcm_u8",
    (1, 16): "pcm_s16le",
    (1, 24): "pcm_s24le",
    (1, 32): "pcm_s32le",
    (3, 32): "pcm_f32le",
    (3, 64): "pcm_f64le",
    (6, 8): "pcm_alaw",
    (7, 8): "pcm_mulaw",
}
_EXTENSIBLE = 0xFFFE


def begins_file(head: bytes) -> str | None:
    """Tell the format of the file that these first bytes begin, or ``None``.

    Stricter than ``sniff``, for a piece of a stream may look like a header by chance, and an
    Ogg page or an mp3 frame begins a file only at times: an mp3 is never told from a piece.
    """
    form = sniff(head)
    sure = {
        "wav": len(head) >= ENOUGH_TO_TELL,
        "webm": _DOCUMENT_TYPE.search(head) is not None,
        "ogg": len(head) > 5 and head[4] == 0 and bool(head[5] & _OGG_FIRST_PAGE),
        "flac": len(head) >= 8 and head[4] & 0x7F == 0 and head[5:8] == b"\x00\x00\x22",
        "mp4": _is_first_box(head),
        "m4a": _is_first_box(head),
    }
    return form if form and sure.get(form) else None


def _is_first_box(head: bytes) -> bool:
    size = int.from_bytes(head[:4], "big")
    return 16 <= size <= 1024 and size % 4 == 0 and head[8:12].isascii()


def read_wav_header(file: Readable) -> tuple[PcmLayout, int | None]:
    """Read a WAV up to its sound; return how that is laid out, and the bytes it says to have.

    Chunks are those of RIFF: a type and a size of 32 bits, padded to an even one. Raises
    BadAudio for what is damaged, cut short or of no kind that can be read.
    """
    _exactly(file, 12)
    layout: PcmLayout | None = None
    passed = 0
    while passed < _MOST_HEADER:
        head = _exactly(file, 8)
        size = int.from_bytes(head[4:], "little")
        if head[:4] == b"data" and layout:
            return layout, size if 0 < size < _NO_LENGTH else None
        padded = size + size % 2
        passed += 8 + padded
        if passed > _MOST_HEADER:
            break
        content = _exactly(file, padded)
        if head[:4] == b"fmt ":
            layout = _layout(content[:_MOST_LAYOUT])
    raise BadAudio("the recording is damaged and cannot be read")


def _layout(content: bytes) -> PcmLayout:
    if len(content) < 16:
        raise BadAudio("the recording is damaged and cannot be read")
    kind = int.from_bytes(content[:2], "little")
    channels = int.from_bytes(content[2:4], "little")
    rate = int.from_bytes(content[4:8], "little")
    bits = int.from_bytes(content[14:16], "little")
    if kind == _EXTENSIBLE:
        kind = int.from_bytes(content[24:26], "little")
    codec = _PCM.get((kind, bits))
    if codec is None:
        raise BadAudio("there is no sound in this file that can be read")
    return PcmLayout(codec, rate, channels, channels * bits // 8)


def _exactly(file: Readable, size: int) -> bytes:
    parts = []
    while size:
        part = file.read(size)
        if not part:
            raise BadAudio("the recording is damaged and cannot be read")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
