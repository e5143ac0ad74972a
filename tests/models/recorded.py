"""The committed recordings: phrases of the set in voices that the micro Whisper never heard."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tests.models import wav
from tests.models.phrases import Language
from tests.models.voice import Samples

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
        return wav.read(self.path)


def recordings(folder: Path = FOLDER) -> tuple[Recording, ...]:
    """Return the recordings of the index, in its order."""
    with (folder / INDEX).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return tuple(
        Recording(folder / row["file"], cast(Language, row["language"]), row["text"])
        for row in rows
    )


def save_index(found: tuple[Recording, ...], folder: Path = FOLDER) -> None:
    """Write the index of recordings."""
    with (folder / INDEX).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((each.path.name, each.language, each.text) for each in found)
