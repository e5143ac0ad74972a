"""How much two texts speak of the same thing, by the rarer words and characters they share."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping

_RUN = re.compile(r"[\u4e00-\u9fff]+|[a-z0-9]+(?:['’][a-z]+)?")
_ENDINGS = ("'s", "’s", "ing", "ies", "ed", "es", "s")
_STEM = 3  # letters that are left of a word, at least
_STRANGE = 0.4  # weight of a term that the sheet does not know, against its rarest one
_LENGTH = 0.6  # added to a text's length, in rarest terms: one word in common is not all

# fmt: off
_LIGHT = frozenset({
    "a", "an", "the", "of", "to", "in", "on", "at", "for", "with", "and", "or", "but", "you",
    "your", "yours", "yourself", "me", "my", "i", "we", "us", "he", "she", "they", "them", "their",
    "it", "its", "this", "that", "these", "those", "there", "here", "what", "what's", "which",
    "who", "who's", "whom", "whose", "when", "where", "why", "how", "is", "are", "was", "were",
    "be", "been", "being", "am", "do", "does", "did", "done", "have", "has", "had", "would",
    "could", "should", "can", "will", "shall", "may", "might", "ever", "never", "any", "some",
    "something", "anything", "anyone", "somebody", "someone", "one", "thing", "things", "tell",
    "told", "say", "said", "like", "way", "then", "than", "so", "if", "about", "from", "up", "out",
    "over", "back", "by", "as", "not", "no", "don't", "didn't", "doesn't", "into", "off", "just",
    "get", "got", "much", "many", "most", "more", "very", "really", "all", "still", "think",
    "remember", "recall", "mind", "come", "comes", "came", "look", "you'd", "you've",
    "you're", "i'd", "i'm", "it's", "that's", "else", "used", "use", "go", "went", "give",
    "bit", "sort", "kind", "young", "old", "time", "times", "day", "days", "year", "years", "life",
    "first", "last", "little", "small", "love", "big", "best", "great", "good", "feel", "felt",
    "people", "person", "place", "world", "childhood", "child", "nice", "long", "close", "put",
    "having", "going", "two", "well", "ought", "let", "again"
})
# fmt: on
# fmt: off
_LIGHTEST = frozenset({
    "a", "an", "the", "of", "in", "to", "for", "you", "your", "me", "my", "i", "i'm", "it", "that",
    "was", "were", "is", "be", "been", "did", "do", "have", "would", "and", "if", "so", "don't",
    "let", "ask", "sorry", "mind", "may", "just", "right", "sure", "again", "not", "now"
})
# fmt: on
"""Words that say nothing even where who somebody is, is asked."""
_LIGHT_HAN = re.compile(
    "什么样|是什么|什么|怎么样|怎么|哪一个|哪一|哪个|哪些|哪儿|哪里|哪|那个|这个|一个|那时候|那会儿|这辈子"
    "|小时候|年轻|一辈子|头一|第一|时候|有没有|记得|想起来?|愿意|给我|跟我|说说|讲讲|觉得|一下|[您我你的了吗呢吧呀啊是就都还也最那这个]"
)
"""Words that stand in every other question, whatever it is about."""


def terms(text: str, *, light: bool = False) -> Counter[str]:
    """Return a text's terms: words without their endings, and pairs of Chinese characters.

    Light words are left out unless they are wanted, the lightest always.
    """
    folded = text.casefold()
    found: Counter[str] = Counter()
    for run in _RUN.findall(folded if light else _LIGHT_HAN.sub(" ", folded)):
        if not _latin(run):
            found.update(_pairs(run))
        elif run not in (_LIGHTEST if light else _LIGHT):
            found[_stem(run)] += 1
    return found


class Likeness:
    """Compares texts by terms, which weigh more the fewer of the sheet's texts they are in."""

    def __init__(self, texts: Iterable[str], *, light: bool = False) -> None:
        """Weigh the terms of all of a sheet's texts, light words with them where they matter."""
        self._light = light
        counted = [set(terms(text, light=light)) for text in texts]
        frequency = Counter(term for each in counted for term in each)
        whole = len(counted) + 1
        self._weights = {term: math.log(whole / (n + 0.5)) for term, n in frequency.items()}
        self._rarest = max(self._weights.values(), default=1.0)

    def vector(self, text: str) -> dict[str, float]:
        """Return a text's weighted terms, of length 1 or, when they are few, less."""
        strange = _STRANGE * self._rarest
        weighted = {
            term: (1 + math.log(count)) * self._weights.get(term, strange)
            for term, count in terms(text, light=self._light).items()
        }
        squares = sum(weight * weight for weight in weighted.values())
        norm = math.sqrt(squares + _LENGTH * self._rarest**2)
        return {term: weight / norm for term, weight in weighted.items()}


def cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return how alike two vectors are, 0 to 1."""
    return sum(weight * other.get(term, 0.0) for term, weight in one.items())


def _latin(run: str) -> bool:
    return run[0].isascii()


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word[: -len(ending)]
    return word
