"""The committed recordings: phrases of the set in voices that the micro Whisper never heard."""

import csv
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from tests.models.phrases import Language
from tests.models.voice import SAMPLE_RATE, Samples

FOLDER = Path(__file__).resolve().parent / "recordings"
INDEX = "index.tsv"
COLUMNS = ("file", "language", "text")


@dataclass(frozen=True, slots=True)
class Recording:
    """A WAV file (16 kHz, mono, 16 bit) and what is said in it."""

    path: Path
    language: Language
    text: str

    def samples(self) -> Samples:
        """Return the recording as float32 in [-1, 1]."""
        with wave.open(str(self.path)) as file:
            pcm = file.readframes(file.getnframes())
        return np.frombuffer(pcm, np.int16).astype(np.float32) / np.float32(32768)


def recordings(folder: Path = FOLDER) -> tuple[Recording, ...]:
    """Return the recordings of the index, in its order."""
    with (folder / INDEX).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return tuple(
        Recording(folder / row["file"], cast(Language, row["language"]), row["text"])
        for row in rows
    )


def save(recording: Recording, samples: Samples) -> None:
    """Write a recording's samples to its path."""
    pcm = np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
    with wave.open(str(recording.path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm.tobytes())


def save_index(found: tuple[Recording, ...], folder: Path = FOLDER) -> None:
    """Write the index of recordings."""
    with (folder / INDEX).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((each.path.name, each.language, each.text) for each in found)
