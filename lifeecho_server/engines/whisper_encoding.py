"""faster-whisper's model, which encodes a window once for its language and for its words.

Imported only when a model is loaded: it brings faster-whisper and CTranslate2 with it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from faster_whisper.feature_extractor import FeatureExtractor

from lifeecho_server.engines.transcriber import Samples

Features = npt.NDArray[np.float32]
"""Log-mel spectrogram, shape (mel bands, frames of 10 ms)."""


class OnceExtracting(FeatureExtractor):  # type: ignore[misc]  # the library has no types
    """Keeps the features of the last window."""

    _last: tuple[Samples, Features] | None = None

    def __call__(
        self, waveform: Samples, padding: int = 160, chunk_length: int | None = None
    ) -> Features:
        """Return the features of a window; those of the same array again cost nothing."""
        if self._last is None or self._last[0] is not waveform:
            self._last = waveform, super().__call__(waveform, padding, chunk_length)
        return self._last[1]


class OnceEncoding(WhisperModel):  # type: ignore[misc]  # the library has no types
    """Keeps the encoder's output for the last features.

    Plain faster-whisper encodes a window again after it has looked at its language, which takes
    as long as half of the recognition.
    """

    _last: tuple[Features, Any] | None = None

    def __init__(self, folder: str, threads: int) -> None:
        super().__init__(
            folder, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        self.feature_extractor = OnceExtracting(**self.feat_kwargs)

    def encode(self, features: Features) -> Any:
        """Return the encoder's output, the last one again for equal features."""
        if self._last is None or not np.array_equal(self._last[0], features):
            self._last = features, super().encode(features)
        return self._last[1]

    def language_odds(self, window: Samples) -> list[tuple[str, float]]:
        """Return every language with its probability, from what ``transcribe`` will encode."""
        features = self.feature_extractor(window)[..., :-1]
        ranked: list[tuple[str, float]] = self.detect_language(features=features)[2]
        return ranked
