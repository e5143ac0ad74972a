"""Texts compared by their letters: how alike two are, whether one goes round in circles."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Set
from functools import lru_cache
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
    return _WORD.findall(text.casefold().replace("’", "'"))


def pairs(letters: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters in a plain text."""
    return frozenset(map(add, letters, letters[1:]))


def any_alike(some: Set[str], texts: Iterable[Set[str]], least: float) -> bool:
    """Whether one of ``texts`` has at least a share of its pairs in common (Dice, 0 to 1).

    Most are told apart by how many they have.
    """
    size = len(some)
    fewest, most = size * least / (2 - least), size * (2 - least) / least
    return any(
        fewest <= len(one) <= most and 2 * len(some & one) >= least * (size + len(one))
        for one in texts
    )


def longest_run(text: str) -> str:
    """Return the longest stretch of letters in a text, in one case."""
    return max(re.findall(r"\w+", text.casefold()), key=len, default="")


def circles(text: str, *, spaced: bool) -> bool:
    """Whether a sentence says one thing over and over: a word, a phrase, with small changes too."""
    if _REPEATS.search(text) or _SAME_WORD.search(text):
        return True
    units = words_of(text) if spaced else list(plain(text))
    if max(Counter(units).values(), default=0) < _ROUNDS:
        return False
    run = _RUN if spaced else _RUN_UNSPACED
    runs = Counter(tuple(units[i : i + run]) for i in range(len(units) - run + 1))
    return max(runs.values(), default=0) >= _ROUNDS


def in_script(text: str, script: str) -> bool:
    """Whether the letters of a text are of a script: ``latin``, ``han``, any that Unicode names.

    Several are given with blanks between (``han hiragana katakana``). Latin may stand among the
    letters of any other script, as long as those are the more.
    """
    kinds = Counter(map(_kind, filter(str.isalpha, text)))
    own = sum(kinds.pop(name, 0) for name in script.split())
    latin = kinds.pop("latin", 0)
    return not kinds and latin <= (own + latin) * _LATIN_MOST


def latin_words(text: str) -> list[str]:
    """Return the words in Latin letters that are long enough to be words of a language."""
    found = re.findall(r"[A-Za-z]+", text)
    return [word.casefold() for word in found if len(word) >= _LATIN_WORD]


def strange_words(text: str, known: Set[str]) -> list[str]:
    """Return the words that are not among ``known``, if they are most of a sentence.

    None of a short one: names and exclamations say nothing of a language.
    """
    words = [piece for word in words_of(text) for piece in word.split("'")]
    strange = [word for word in words if word not in known]
    return strange if len(words) >= _FOREIGN_LEAST and 2 * len(strange) > len(words) else []


@lru_cache(maxsize=8192)
def _kind(character: str) -> str:
    name = unicodedata.name(character, "").casefold()
    return "han" if name.startswith("cjk") else name.partition(" ")[0]
