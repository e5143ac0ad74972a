"""Voice activity: where in a recording somebody speaks. Silero, inside faster-whisper."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples

Probabilities = npt.NDArray[np.float32]
"""How likely each frame of ``FRAME`` samples holds a voice, shape (frames,)."""

FRAME = 512
"""Samples that Silero judges at once: 32 ms."""

VOICE = 0.5
"""From this probability a stretch of speech begins (Silero's own default)."""

STILL_VOICE = 0.35
"""Below this one it ends: Silero's default, 0.15 under the other."""

PAUSE = round(0.3 * SAMPLE_RATE / FRAME)
"""Frames of silence that part two stretches; a closed consonant keeps silent for up to 0.15 s."""

SHORTEST = round(0.2 * SAMPLE_RATE / FRAME)
"""Frames below which a stretch is a click or a knock: the shortest word takes about 0.2 s."""

PAD = round(0.2 * SAMPLE_RATE / FRAME)
"""Frames kept on either side, for soft beginnings and endings."""

_WARM_UP = round(1.0 * SAMPLE_RATE / FRAME)
"""Frames listened to before those asked for: Silero remembers, and starts out deaf."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Speech from sample ``start`` up to sample ``end`` of a recording."""

    start: int
    end: int


def frames_in(samples: Samples) -> int:
    """How many frames a recording has; the last may be a part of one."""
    return -(-len(samples) // FRAME)


def voice_probabilities(samples: Samples, start: int, end: int) -> Probabilities:
    """Judge the frames ``start`` to ``end`` of a recording; about 1.5 ms a second of sound.

    Frames before ``start`` are listened to first, so that the pieces of a long recording fit.
    """
    from faster_whisper.vad import get_vad_model

    end = min(end, frames_in(samples))
    if end <= start:
        return np.empty(0, np.float32)
    first = max(0, start - _WARM_UP)
    heard = samples[first * FRAME : end * FRAME]
    # np.pad copies, which it must: the model overwrites a few samples of what it is given.
    padded = np.pad(heard, (0, (end - first) * FRAME - len(heard)))
    judged: Probabilities = get_vad_model()(padded).reshape(-1)
    return judged[start - first :]


def speech_stretches(probabilities: Probabilities, samples: int) -> tuple[Stretch, ...]:
    """Find speech in the judged frames of a recording of ``samples`` samples, padded, in order."""
    found = list(_unpadded(probabilities))
    stretches: list[Stretch] = []
    for index, (start, end) in enumerate(found):
        before = found[index - 1][1] if index else -PAD
        after = found[index + 1][0] if index + 1 < len(found) else len(probabilities) + PAD
        start -= min(PAD, (start - before) // 2)
        end += min(PAD, (after - end) // 2)
        stretches.append(Stretch(max(0, start) * FRAME, min(samples, end * FRAME)))
    return tuple(stretches)


def _unpadded(probabilities: Probabilities) -> Iterator[tuple[int, int]]:
    """Yield the first frame and the one after the last of each stretch."""
    start: int | None = None
    silent_since = 0
    for index, probability in enumerate(probabilities.tolist()):
        if probability >= VOICE:
            start = index if start is None else start
        if start is None:
            continue
        if probability >= STILL_VOICE:
            silent_since = index + 1
        elif index + 1 - silent_since >= PAUSE:
            if silent_since - start >= SHORTEST:
                yield start, silent_since
            start = None
    if start is not None and silent_since - start >= SHORTEST:
        yield start, silent_since
