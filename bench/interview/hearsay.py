"""What the interviewer said that nobody had told: names, numbers, quotations, words.

Judged by what the narrator said and by the interviewer's texts alone, with none of its code.
"""

import re
from collections.abc import Iterable

from bench.interview.ear import sentences
from bench.interview.likeness import terms
from bench.interview.spoken import event_years, spoken

_HAN = re.compile(r"[\u4e00-\u9fff]+")
_WORD = re.compile(r"(?<![A-Za-z0-9'’])[A-Za-z][A-Za-z'’]*")
_CONTRACTED = re.compile(r"['’](?:ll|s|d|ve|re|m)\b")
_NUMBER = re.compile(r"\d+")
_QUOTED = re.compile(r"[“\"「]([^”\"」]{4,})[”\"」]")
_PLACEHOLDER = re.compile(r"\{\w+\}")
_NAMES_OF_THE_DAY = frozenset(("i", "i'm", "i've", "i'd", "i'll"))
_SCRIPT_GAP = 3
_MODEL_GAP = 4
"""Chinese characters in a row that belong to no known word; a model has more words than the
script, so that shorter gaps of its say nothing."""


class Hearsay:
    """Everything that may be said back so far."""

    def __init__(self, language: str, born: int | None) -> None:
        """Begin with the interviewer's own texts, and what follows from a birth year."""
        self._spaced = language == "en"
        own = [_PLACEHOLDER.sub(" ", text) for text in spoken(language)]
        self._words: set[str] = set()
        self._pairs: set[str] = set()
        self._text = ""
        self._numbers: set[str] = set()
        self._learn(own)
        if born is not None:
            ages = (year - born for year in (*event_years(language), 2026))
            self._numbers |= {str(number) for number in (born, *ages)}

    def hear(self, text: str) -> None:
        """Add something that the narrator said, as it is and turned to the second person."""
        turned = text
        for own in ("我们", "咱们", "俺们", "我", "俺", "咱"):
            turned = turned.replace(own, "您")
        self._learn([text, turned])

    def strange(self, text: str, *, scripted: bool) -> list[str]:
        """Return what in a reply was never told.

        Of what a model words only names, numbers, quotations and long unknown runs count.
        """
        found = [one for one in _NUMBER.findall(text) if one not in self._numbers]
        found += [one for one in _QUOTED.findall(text) if one.casefold() not in self._text]
        if self._spaced:
            return found + self._strange_words(text, every=scripted)
        return found + self._strange_runs(text, _SCRIPT_GAP if scripted else _MODEL_GAP)

    def _learn(self, texts: Iterable[str]) -> None:
        for text in texts:
            self._text += f"\n{text.casefold()}"
            self._words.update(terms(text))
            self._words.update(terms(_CONTRACTED.sub("", text)))
            self._numbers.update(_NUMBER.findall(text))
            for run in _HAN.findall(text):
                self._pairs.update(run[i : i + 2] for i in range(len(run) - 1))
                self._pairs.add(run)

    def _strange_words(self, text: str, *, every: bool) -> list[str]:
        found = []
        for sentence in sentences(text):
            for place, word in enumerate(_WORD.findall(sentence)):
                named = place > 0 and word[0].isupper() and word.casefold() not in _NAMES_OF_THE_DAY
                if (named or every) and not set(terms(word)) <= self._words:
                    found.append(word)
        return found

    def _strange_runs(self, text: str, gap: int) -> list[str]:
        """Return stretches of characters that stand in no pair anybody used."""
        found = []
        for run in _HAN.findall(text):
            known = [False] * len(run)
            for i in range(len(run) - 1):
                if run[i : i + 2] in self._pairs:
                    known[i] = known[i + 1] = True
            unknown = "".join(
                " " if is_known else each for each, is_known in zip(run, known, strict=True)
            )
            found += [piece for piece in unknown.split() if len(piece) >= gap]
        return found
