"""Voice activity: where in a recording somebody speaks. Silero, inside faster-whisper.

A recording is judged as it comes in, and how it is cut into pieces makes no difference: words are
found by the pauses between them, not by a client's slices.
"""

from collections import deque
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
"""Frames kept on either side, for soft beginnings and endings; less than a pause."""

_CONTEXT = 64
"""Samples before a frame that Silero looks at too."""

_STATE = (1, 1, 128)
"""The shape of each of the two states that Silero carries from frame to frame."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Speech from sample ``start`` up to sample ``end`` of a recording."""

    start: int
    end: int


class VoiceDetector:
    """Judges one recording, piece by piece; about 1.5 ms a second of sound."""

    def __init__(self) -> None:
        self._hidden = np.zeros(_STATE, np.float32)
        self._cell = np.zeros(_STATE, np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)
        self._rest = np.empty(0, np.float32)

    def judge(self, samples: Samples) -> Probabilities:
        """Judge what comes next; samples that fill no frame wait for more."""
        heard = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(heard) // FRAME * FRAME
        self._rest = heard[whole:].copy()
        return self._judged(heard[:whole])

    def finish(self) -> Probabilities:
        """Judge the last frame, of which only a part may be there."""
        if not len(self._rest):
            return np.empty(0, np.float32)
        last, self._rest = self._rest, np.empty(0, np.float32)
        return self._judged(np.pad(last, (0, FRAME - len(last))))

    def _judged(self, samples: Samples) -> Probabilities:
        if not len(samples):
            return np.empty(0, np.float32)
        from faster_whisper.vad import get_vad_model

        frames = samples.reshape(-1, FRAME)
        before = np.concatenate([self._context[None], frames[:-1, -_CONTEXT:]])
        self._context = frames[-1, -_CONTEXT:].copy()
        judged, self._hidden, self._cell = get_vad_model().session.run(
            None,
            {
                "input": np.concatenate([before, frames], axis=1),
                "h": self._hidden,
                "c": self._cell,
            },
        )
        found: Probabilities = judged.reshape(-1)
        return found


class SpeechFinder:
    """Finds stretches of speech in frames as they are judged, padded, in order.

    Speech without a pause is cut after at most ``limit`` frames, where the voice is weakest in the
    later half of them.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._frames = 0
        self._floor = 0  # frames that belong to an earlier stretch
        self._start: int | None = None
        self._voiced_from = 0
        self._voiced_to = 0
        self._heard: deque[float] = deque(maxlen=PAD)  # from the open stretch on, or the last few

    def feed(self, probabilities: Probabilities) -> list[Stretch]:
        """Take frames in; return the stretches that are settled by them."""
        return [stretch for p in probabilities.tolist() for stretch in self._frame(p)]

    def finish(self, samples: int) -> list[Stretch]:
        """Return the stretch that is open at the end of a recording of ``samples`` samples."""
        settled = self._settle(min(self._voiced_to + PAD, self._frames))
        return [Stretch(s.start, min(s.end, samples)) for s in settled]

    @property
    def open(self) -> Stretch | None:
        """Speech that is not settled, as it would be if a pause followed what was heard."""
        if self._start is None or not self._long_enough:
            return None
        return Stretch(self._start * FRAME, min(self._voiced_to + PAD, self._frames) * FRAME)

    @property
    def pausing(self) -> bool:
        """Whether what is ``open`` will not change if nothing more is said."""
        return self._start is None or self._frames >= self._voiced_to + PAD

    @property
    def needed_from(self) -> int:
        """The first sample that a stretch to come may begin with."""
        first = self._frames - PAD if self._start is None else self._start
        return max(0, self._floor, first) * FRAME

    def _frame(self, probability: float) -> Iterator[Stretch]:
        index, self._frames = self._frames, self._frames + 1
        if self._start is None and probability >= VOICE:
            self._begin(index)
        self._heard.append(probability)
        if self._start is None:
            return
        if probability >= STILL_VOICE:
            self._voiced_to = index + 1
            if self._voiced_to - self._start > self._limit:
                yield self._cut(self._start)
        elif self._frames - self._voiced_to >= PAUSE:
            yield from self._settle(self._voiced_to + PAD)

    def _begin(self, index: int) -> None:
        self._start = max(self._floor, index - PAD)
        self._voiced_from = index
        kept = list(self._heard)[len(self._heard) - (index - self._start) :]
        self._heard = deque(kept)

    def _cut(self, start: int) -> Stretch:
        later = [self._heard[i] for i in range(self._limit // 2, self._limit)]
        length = self._limit // 2 + int(np.argmin(later))
        self._start = self._floor = start + length
        self._voiced_from = 0  # what is left of a stretch is speech, however short
        for _ in range(length):
            self._heard.popleft()
        return Stretch(start * FRAME, self._start * FRAME)

    def _settle(self, end: int) -> Iterator[Stretch]:
        if self._start is None:
            return
        if self._long_enough:
            self._floor = end
            yield Stretch(self._start * FRAME, end * FRAME)
        self._start = None
        self._heard = deque(self._heard, maxlen=PAD)

    @property
    def _long_enough(self) -> bool:
        return self._voiced_to - self._voiced_from >= SHORTEST
