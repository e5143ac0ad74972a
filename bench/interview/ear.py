"""What a narrator makes of the interviewer's words, by their own sheet alone."""

import re
from dataclasses import dataclass

from bench.interview.likeness import Likeness, cosine
from bench.interview.sheet import Sheet, Texts, introductions

LEADS = 0.24
"""From this likeness on a question leads to what a sheet's own question leads to."""
CLEARLY = 0.36
"""From this likeness on it clearly does, whatever was just talked about."""
FURTHER = 0.24
"""The same for a question that goes further into what was just told."""
INTRODUCES = 0.3
"""From this likeness on a question asks who the narrator is."""
INTRODUCES_AGAIN = 0.45
"""The same where they have said so before."""
ECHO = 0.16
"""From this likeness to the words just told on, a question is about them."""

_SENTENCE = re.compile(r"[^。！？!?\n.…]*[。！？!?\n.…]+[”」』\"]*|[^。！？!?\n.…]+$")
_ASKING = re.compile(r"[?？][”」』\"']*\s*$|吗[。！\s]*$")
_INVERTED = re.compile(
    r"^\W*(?:and |so |but )?(?:what|who|where|when|why|how|which) (?:did|do|does|was|were|is|are"
    r"|would|could|had|has)\b",
    re.IGNORECASE,
)

_BACK = re.compile(
    r"\b(?:it|that|then|there|they|them|their|those|this|he|him|she|her|his)\b"
    r"|那|这|当时|后来|他|她|你们",
    re.IGNORECASE,
)

Vector = dict[str, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """How much a question leads to each thing of the sheet."""

    profile: dict[str, float]
    facts: dict[str, float]
    taboos: dict[str, float]
    further: float

    @property
    def taboo(self) -> str | None:
        """The forbidden topic that a question is about, the one it leads to before all else."""
        if not self.taboos:
            return None
        best = max(self.taboos, key=lambda each: self.taboos[each])
        rival = max(self.facts.values(), default=0.0)
        return best if self.taboos[best] >= max(LEADS, rival) else None


class Ear:
    """Understands questions by their likeness to those of one sheet."""

    def __init__(self, sheet: Sheet) -> None:
        """Weigh the sheet's words."""
        told = [f"{fact.tell} {fact.more}" for fact in sheet.facts]
        self._likeness = Likeness([*sheet.asked, *told])
        who = introductions(sheet.language)
        every = [*sheet.asked, *(ask for asks in who.values() for ask in asks)]
        # Who somebody is, is asked in light words: "where are you from".
        self._every_word = Likeness(every, light=True)
        self._profile = {
            name: [self._every_word.vector(ask) for ask in asks] for name, asks in who.items()
        }
        self._facts = {fact.id: self._vectors(fact.asks) for fact in sheet.facts}
        self._taboos = {taboo.id: self._vectors(taboo.asks) for taboo in sheet.taboos}
        self._further = self._vectors(sheet.further)
        self._told = {
            fact.id: self._likeness.vector(text)
            for fact, text in zip(sheet.facts, told, strict=True)
        }

    def scores(self, heard: str) -> Scores:
        """Score what was heard: its questions, or all of it where it asks nothing."""
        asked = " ".join(questions_in(heard)) or heard
        vector, plain = self._likeness.vector(asked), self._every_word.vector(asked)
        return Scores(
            {name: _best(plain, asks) for name, asks in self._profile.items()},
            {name: _best(vector, asks) for name, asks in self._facts.items()},
            {name: _best(vector, asks) for name, asks in self._taboos.items()},
            _best(vector, self._further),
        )

    def echoes(self, heard: str, fact: str) -> float:
        """Return how much what was heard is about a fact's own words."""
        vector = self._likeness.vector(" ".join(questions_in(heard)) or heard)
        return cosine(vector, self._told[fact])

    def association(self, fact: str, other: str) -> float:
        """Return how much one story calls up another."""
        return cosine(self._told[fact], self._told[other])

    def _vectors(self, texts: Texts) -> list[Vector]:
        return [self._likeness.vector(text) for text in texts]


def sentences(text: str) -> list[str]:
    """Cut a text at its sentences' ends."""
    return [found.strip() for found in _SENTENCE.findall(text) if found.strip()]


def questions_in(text: str) -> list[str]:
    """Return the sentences that ask, by their marks and by how they end or begin."""
    return [one for one in sentences(text) if _ASKING.search(one) or _INVERTED.search(one)]


def points_back(question: str) -> bool:
    """Whether a question is about what it does not name: it points at what was said before."""
    return _BACK.search(question) is not None


def _best(vector: Vector, asks: list[Vector]) -> float:
    return max((cosine(vector, ask) for ask in asks), default=0.0)
