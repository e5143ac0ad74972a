"""Recordings cut into slices, and sent in whatever order a bad network makes of them."""

import json
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples
from tests.engines.clips import spaced
from tests.house import Talker
from tests.models.recorded import Recording, recordings

ENGLISH = [recording for recording in recordings() if recording.language == "en"]


def talk(count: int, said: Sequence[Recording] = ENGLISH, pause: float = 0.7) -> Samples:
    """Return that many phrases with pauses between them."""
    return spaced([said[i % len(said)].samples() for i in range(count)], pause)


def words(count: int, said: Sequence[Recording] = ENGLISH) -> str:
    """Return what is said in ``talk``."""
    return " ".join(said[i % len(said)].text for i in range(count))


def pcm(samples: Samples) -> bytes:
    """Return samples as raw ``pcm_s16le``."""
    return (samples * 32767).astype("<i2").tobytes()


def cut(samples: Samples, seconds: float) -> list[bytes]:
    """Return a recording as slices of raw PCM, cut without regard to words."""
    size = round(seconds * SAMPLE_RATE)
    return [pcm(samples[at : at + size]) for at in range(0, len(samples), size)]


def send(
    talker: Talker,
    slices: Sequence[bytes],
    session: str = "v-1",
    order: Iterable[int] | None = None,
    last: int | None = None,
    **more: Any,
) -> None:
    """Send slices in binary frames; ``last`` is by default the last of them."""
    end = len(slices) - 1 if last is None else last
    for index in range(len(slices)) if order is None else order:
        send_one(talker, slices[index], index, session, is_last=index == end, **more)


def send_one(talker: Talker, audio: bytes, index: int, session: str = "v-1", **more: Any) -> None:
    """Send one slice of raw PCM in a binary frame."""
    data = {"voice_session_id": session, "segment_index": index}
    data |= {"format": "pcm_s16le", "sample_rate": SAMPLE_RATE} | more
    head = json.dumps({"type": "audio_segment", "data": data}).encode()
    talker.socket.send(struct.pack(">H", len(head)) + head + audio)


def quiet(seconds: float) -> Samples:
    """Return silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)
