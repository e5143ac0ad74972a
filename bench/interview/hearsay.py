"""What the interviewer said that nobody had told.

Judged by what the narrator said and by the interviewer's texts alone, with none of its code. In a
sentence of the interviewer's data only what fills a gap is a claim; in any other sentence names,
numbers, quotations, relations and possessions are.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from bench.interview.claims import cities, names, possessions, relations
from bench.interview.ear import questions_in, sentences
from bench.interview.likeness import terms
from bench.interview.numbers import claimed, numbers
from bench.interview.spoken import event_years, spoken

_CONTRACTED = re.compile(r"['’](?:ll|s|d|ve|re|m)\b")
_QUOTED = re.compile(r"[“\"「]([^”\"」]{4,})[”\"」]")
_GAP = re.compile(r"\{(\w+)\}")
_FIXED = 3
"""Letters that a text with a gap has besides, at least; one with fewer would fit anything."""
_SELVES = {
    "zh": (
        ("我们", "你们"), ("咱们", "你们"), ("俺们", "你们"),
        ("我", "您"), ("俺", "您"), ("咱", "您"),
    ),
    "en": (
        ("my", "your"), ("mine", "yours"), ("our", "your"),
        ("i", "you"), ("me", "you"), ("we", "you"),
    ),
}  # fmt: skip
_COMPOUNDS = "姑大新婆老先儿"
"""Before a single character for a relative these make it something else: 姑娘, 大娘."""


class Hearsay:
    """Everything that may be said back so far."""

    def __init__(self, language: str, born: int | None) -> None:
        """Begin with the interviewer's own texts, and what follows from a birth year."""
        self._language = language
        self._said = ""
        self._told = _Vocabulary()
        self._own = _own(language)
        self._numbers = set(event_years(language))
        if born is not None:
            self._numbers |= {born, *(year - born for year in (*event_years(language), 2026))}

    def hear(self, text: str) -> None:
        """Add something that the narrator said, as it is and turned to the second person."""
        turned = _turned(text, self._language)
        self._said += f"\n{_plain(text)}\n{_plain(turned)}"
        self._told.learn([text, turned])
        self._numbers |= numbers(text)

    def strange(self, text: str) -> list[str]:
        """Return what in a reply was never told."""
        return [one for sentence in sentences(text) for one in self._strange_in(sentence)]

    def _strange_in(self, sentence: str) -> list[str]:
        plain, gapped = _wordings(self._language)
        if sentence in plain:
            return []
        fitting = [found.groups() for each in gapped if (found := each.fullmatch(sentence))]
        if any(all(map(self._may_fill, fills)) for fills in fitting):
            return []
        return list(dict.fromkeys(self._claims(sentence, fitting)))

    def _may_fill(self, fill: str) -> bool:
        if fill in _wordings(self._language)[0] or fill.isdecimal():
            return int(fill) in self._numbers if fill.isdecimal() else True
        told = _plain(fill) in self._said or self._told.has(fill)
        return told or not (terms(fill) or claimed(fill))

    def _claims(self, sentence: str, fitting: list[tuple[str, ...]]) -> Iterator[str]:
        """Give what is claimed and was not told, with what fills the gaps of a text that fits."""
        if fitting:
            # Of several texts the one with most words of its own is meant.
            meant = min(fitting, key=lambda fills: len("".join(fills)))
            yield from (fill for fill in meant if not self._may_fill(fill))
        yield from (str(one) for one in claimed(sentence) if one not in self._numbers)
        for quoted in _QUOTED.findall(sentence):
            if _plain(quoted) not in self._said and not self._told.has(quoted):
                yield quoted
        owned = (*names(sentence, self._language), *possessions(sentence, self._language))
        yield from (one for one in owned if not self._told.has(one, self._own))
        if not questions_in(sentence):
            yield from (one for one in cities(sentence) if not self._told.has(one))
            related = relations(sentence, self._language)
            yield from (one for one, words in related if not self._has_told_of(words))

    def _has_told_of(self, words: tuple[str, ...]) -> bool:
        if self._language == "en":
            return any(self._told.has(word) for word in words)
        alone = (rf"(?<![{_COMPOUNDS}]){word}" if len(word) == 1 else word for word in words)
        return re.search("|".join(alone), self._said) is not None


class _Vocabulary:
    """Words, and pairs of Chinese characters."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.terms: set[str] = set()
        self.text = ""
        self.learn(texts)

    def learn(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.text += f"\n{_plain(text)}"
            self.terms.update(terms(text, light=True))
            self.terms.update(terms(_CONTRACTED.sub("", text), light=True))

    def has(self, words: str, besides: "_Vocabulary | None" = None) -> bool:
        """Whether all of the words are here or ``besides``, each somewhere."""
        every = (self, besides) if besides else (self,)
        found = [set(terms(words)), set(terms(_CONTRACTED.sub("", words)))]
        if not found[0]:
            return any(_plain(words) in each.text for each in every)
        return any(
            all(any(term in each.terms for each in every) for term in wanted) for wanted in found
        )


@cache
def _own(language: str) -> _Vocabulary:
    return _Vocabulary([_GAP.sub(" ", text) for text in spoken(language)])


@cache
def _wordings(language: str) -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Return the sentences of the interviewer's texts: the whole ones, and those with gaps."""
    every = {sentence for text in spoken(language) for sentence in sentences(text)}
    gapped = {one for one in every if _GAP.search(one)}
    fixed = (one for one in gapped if len(re.sub(r"\W", "", _GAP.sub("", one))) >= _FIXED)
    return frozenset(every - gapped), tuple(
        re.compile("(.+?)".join(re.escape(piece) for piece in _GAP.split(one)[::2]))
        for one in fixed
    )


def _plain(text: str) -> str:
    return " ".join(
        re.findall(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+(?:['’]\w+)?", text.casefold())
    )


def _turned(text: str, language: str) -> str:
    """Return what somebody said of themselves as it is said to them."""
    for own, other in _SELVES[language]:
        text = re.sub(own if language == "zh" else rf"(?i)\b{own}\b", other, text)
    return text
