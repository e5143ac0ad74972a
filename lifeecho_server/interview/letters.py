"""Texts compared by their letters: how alike two are, whether one goes round in circles."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Set
from operator import add

_NO_LETTER = re.compile(r"[\W_]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_REPEATS = re.compile(r"(.{2,40}?)(?:[\s,，、。.;；!！]*\1){3,}", re.DOTALL)
_SAME_WORD = re.compile(r"\b(\w+)(?:[\s,]+\1\b){3,}", re.IGNORECASE)
_ROUNDS = 3  # times that a run of words may come back in a sentence, less one
_RUN, _RUN_UNSPACED = 3, 5  # words, characters of a run
_FOREIGN_LEAST = 4  # words from which a sentence's language shows
_LATIN_MOST = 0.5  # share of Latin letters in a sentence of another script, at most
_LATIN_WORD = 3  # letters from which a Latin word in another script must have been said


def plain(text: str) -> str:
    """Return letters and digits only, in one case and width, for comparing."""
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _NO_LETTER.sub("", folded.casefold())


def words_of(text: str) -> list[str]:
    """Return the words of a text in one case, with apostrophes straightened."""
    return [word.casefold().replace("’", "'") for word in _WORD.findall(text)]


def pairs(letters: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters in a plain text."""
    return frozenset(map(add, letters, letters[1:]))


def alike(some: Set[str], others: Set[str]) -> float:
    """Return the share of pairs that two texts have in common (Dice), 0 to 1."""
    return 2 * len(some & others) / max(1, len(some) + len(others))


def any_alike(letters: str, others: Iterable[str], least: float) -> bool:
    """Whether one of ``others`` is alike: all plain letters. Lengths that differ tell at once."""
    own, size = pairs(letters), len(letters)
    near = (other for other in others if size <= 2 * len(other) <= 4 * size)
    return any(alike(own, pairs(other)) >= least for other in near)


def circles(text: str, *, spaced: bool) -> bool:
    """Whether a sentence says one thing over and over: a word, a phrase, with small changes too."""
    if _REPEATS.search(text) or _SAME_WORD.search(text):
        return True
    units = words_of(text) if spaced else list(plain(text))
    run = _RUN if spaced else _RUN_UNSPACED
    runs = Counter(tuple(units[i : i + run]) for i in range(len(units) - run + 1))
    return max(runs.values(), default=0) >= _ROUNDS


def in_script(text: str, script: str) -> bool:
    """Whether the letters of a text are of a script: ``latin``, ``han``, any that Unicode names.

    Several are given with blanks between (``han hiragana katakana``). Latin may stand among the
    letters of any other script, as long as those are the more.
    """
    kinds = Counter(_kind(character) for character in text if character.isalpha())
    own = sum(kinds.pop(name, 0) for name in script.split())
    latin = kinds.pop("latin", 0)
    return not kinds and latin <= (own + latin) * _LATIN_MOST


def latin_words(text: str) -> list[str]:
    """Return the words in Latin letters that are long enough to be words of a language."""
    found = re.findall(r"[A-Za-z]+", text)
    return [word.casefold() for word in found if len(word) >= _LATIN_WORD]


def speaks(text: str, known: Set[str]) -> bool:
    """Whether a sentence of a language with spaces is of the one whose words are known.

    A short one is taken to be: names and exclamations say nothing.
    """
    words = [piece for word in words_of(text) for piece in word.split("'")]
    return len(words) < _FOREIGN_LEAST or 2 * sum(word in known for word in words) >= len(words)


def _kind(character: str) -> str:
    name = unicodedata.name(character, "").casefold()
    return "han" if name.startswith("cjk") else name.partition(" ")[0]
