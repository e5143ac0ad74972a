"""The committed recordings whose every word has its time, to be cut anywhere.

They are phrases of ``phrases_words.py`` in voices that the micro Whisper never heard.
"""

import csv
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.models import wav
from tests.models.voice import SAMPLE_RATE, Samples, Word
from tests.models.whisper.cuts import Cut

FOLDER = Path(__file__).resolve().parent / "recordings-words"
INDEX = "index.tsv"
COLUMNS = ("file", "start", "end", "word")


@dataclass(frozen=True, slots=True)
class RecordedWords:
    """A WAV file (16 kHz, mono, 16 bit), and when each word is said in it, in seconds."""

    path: Path
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """All that is said, as the model writes it."""
        return " ".join(word.text for word in self.words)

    def samples(self, begin: float = 0.0, end: float | None = None) -> Samples:
        """Return the recording, or what is between two instants, as float32 in [-1, 1]."""
        last = None if end is None else round(end * SAMPLE_RATE)
        return wav.read(self.path)[round(begin * SAMPLE_RATE) : last]

    def heard(self, begin: float, end: float) -> str | None:
        """Return the words that are heard between two instants, as the model writes them.

        None if the cut goes through a word so that it could be written or not.
        """
        cut = Cut(begin, end)
        if not cut.is_clear([self.words]):
            return None
        return " ".join(word.text for phrase in cut.heard([self.words]) for word in phrase)


def recordings(folder: Path = FOLDER) -> tuple[RecordedWords, ...]:
    """Return the recordings of the index, in its order."""
    with (folder / INDEX).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    by_file = itertools.groupby(rows, key=lambda row: row["file"])
    return tuple(RecordedWords(folder / name, _words(group)) for name, group in by_file)


def _words(rows: Iterable[dict[str, str]]) -> tuple[Word, ...]:
    return tuple(Word(row["word"], float(row["start"]), float(row["end"])) for row in rows)


def save_index(found: Iterable[RecordedWords], folder: Path = FOLDER) -> None:
    """Write the index of recordings: a row for each word."""
    with (folder / INDEX).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        for each in found:
            for text, start, end in each.words:
                writer.writerow((each.path.name, f"{start:.3f}", f"{end:.3f}", text))
