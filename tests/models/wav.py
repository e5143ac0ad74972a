"""WAV files as the recordings are kept: 16 kHz, mono, 16 bit."""

import wave
from pathlib import Path

import numpy as np

from tests.models.voice import SAMPLE_RATE, Samples


def read(path: Path) -> Samples:
    """Return a recording as float32 in [-1, 1]."""
    with wave.open(str(path)) as file:
        pcm = file.readframes(file.getnframes())
    return np.frombuffer(pcm, np.int16).astype(np.float32) / np.float32(32768)


def write(path: Path, samples: Samples) -> None:
    """Write a recording; what is louder than full scale is clipped."""
    pcm = np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm.tobytes())
