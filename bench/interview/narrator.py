"""Somebody who is interviewed: tells what their sheet holds, when what was said leads to it."""

import random
from dataclasses import dataclass
from enum import StrEnum

from bench.interview.ear import (
    CLEARLY,
    ECHO,
    FURTHER,
    INTRODUCES,
    INTRODUCES_AGAIN,
    LEADS,
    Ear,
    Scores,
    points_back,
    questions_in,
    sentences,
)
from bench.interview.manners import MANNERS
from bench.interview.sheet import Fact, Sheet, Taboo, Texts, Wish, Wished


class Kind(StrEnum):
    """What an utterance is."""

    PROFILE = "profile"
    TOLD = "told"
    MORE = "more"
    TOLD_ALREADY = "told already"
    REFUSED = "refused"
    WISH = "wish"
    SHRUG = "shrug"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Utterance:
    """What a narrator says: ``facts`` are those begun by it, ``about`` what it is about.

    ``unasked`` are those of the facts that no question led to.
    """

    kind: Kind
    text: str
    facts: Texts = ()
    about: str | None = None
    wish: Wished | None = None
    unasked: Texts = ()


class Narrator:
    """One sheet in one interview; the same questions and seed give the same answers."""

    def __init__(self, sheet: Sheet, seed: int = 0) -> None:
        self.sheet = sheet
        self.ear = Ear(sheet)
        self.told: set[str] = set()
        self._manner = MANNERS[sheet.manner]
        self._chance = random.Random(f"{sheet.seed}/{seed}")
        self._turn = 0
        self._warmth = 0
        self._last: Fact | None = None
        self._just_told = False
        self._rest: list[str] = []
        self._answered: dict[str, int] = {}
        self._introduced: str | None = None
        self._wished: set[Wish] = set()
        self._worded: dict[Texts, list[str]] = {}

    def answer(self, heard: str) -> Utterance:
        """Answer the interviewer's whole last reply."""
        self._turn += 1
        wish = self._due_wish()
        if wish is not None:
            self._wished.add(wish)
            return Utterance(Kind.WISH, wish.says, wish=wish.kind)
        said = self._answer(heard, self.ear.scores(heard))
        self._just_told = said.kind in (Kind.TOLD, Kind.MORE)
        known = len(self._answered) == len(self.sheet.profile)
        self._introduced = said.about if said.kind is Kind.PROFILE and not known else None
        return said

    def _answer(self, heard: str, scores: Scores) -> Utterance:
        if self._confirms(heard):
            return Utterance(Kind.YES, self._word(self.sheet.yeses))
        field = self._asked_about_me(heard, scores)
        if field is not None:
            return self._introduce(field)
        if scores.taboo is not None and self._bears_on(scores, heard):
            return self._refuse(next(t for t in self.sheet.taboos if t.id == scores.taboo))
        if self._chance.random() < self._manner.beside and self._untold():
            return self._tell(self._chance.choice(self._untold()), asked=False)
        if self._goes_further(heard, scores):
            return self._tell_more()
        return self._lead_to(heard, scores)

    def _lead_to(self, heard: str, scores: Scores) -> Utterance:
        """Tell what the question leads to; say so where it leads to what was told."""
        leading = [fact for fact in self.sheet.facts if scores.facts[fact.id] >= LEADS]
        leading.sort(key=lambda fact: -scores.facts[fact.id])
        fresh = [fact for fact in leading if fact.id not in self.told]
        if fresh:
            return self._tell(fresh[0])
        if leading and scores.facts[leading[0].id] >= CLEARLY:
            words = self._word(self.sheet.told_already)
            return Utterance(Kind.TOLD_ALREADY, words, about=leading[0].id)
        return self._lost(asked=bool(questions_in(heard)))

    def _lost(self, *, asked: bool) -> Utterance:
        """Nothing comes to mind: a shrug, a yes, or a story of one's own choice."""
        willing = self._manner.volunteers * (0.5 if asked else 1.0)
        if self._untold() and self._chance.random() < willing:
            return self._tell(self._chance.choice(self._untold()), asked=False)
        if asked:
            return Utterance(Kind.SHRUG, self._word(self.sheet.shrugs))
        return Utterance(Kind.YES, self._word(self.sheet.yeses))

    def _asked_about_me(self, heard: str, scores: Scores) -> str | None:
        """Return what of the profile is asked for.

        Somebody who has not said who they are takes a question for that sooner than for another.
        """
        best = max(scores.profile, key=lambda name: scores.profile[name])
        rivals = (*scores.facts.values(), *scores.taboos.values())
        least = max(INTRODUCES_AGAIN, *rivals) if best in self._answered else INTRODUCES
        if scores.profile[best] >= least:
            return best if self._may_introduce(best) else None
        return self._introduced if self._asked_once_more(heard, best, max(rivals)) else None

    def _asked_once_more(self, heard: str, best: str, elsewhere: float) -> bool:
        """Whether what was asked for just before is asked again ("which year would that be?")."""
        again = self._introduced
        same = best == again or points_back(heard)
        return again is not None and same and elsewhere < LEADS and self._may_introduce(again)

    def _may_introduce(self, field: str) -> bool:
        return self._answered.get(field, 0) < len(self.sheet.profile[field].says)

    def _confirms(self, heard: str) -> bool:
        """Whether the interviewer asks if it has the birth year right, and it has."""
        years = self.sheet.profile["birth_year"].means
        return any(str(year) in question for question in questions_in(heard) for year in years)

    def _bears_on(self, scores: Scores, heard: str) -> bool:
        """Whether a forbidden topic is asked about; where nothing is asked it must be plain."""
        plain = scores.taboo is not None and scores.taboos[scores.taboo] >= CLEARLY
        return plain or bool(questions_in(heard))

    def _introduce(self, field: str) -> Utterance:
        turn = self._answered.get(field, 0)
        self._answered[field] = turn + 1
        return Utterance(Kind.PROFILE, self.sheet.profile[field].says[turn], about=field)

    def _refuse(self, taboo: Taboo) -> Utterance:
        self._last, self._rest = None, []
        return Utterance(Kind.REFUSED, self._word(taboo.says), about=taboo.id)

    def _goes_further(self, heard: str, scores: Scores) -> bool:
        """Whether the question is about what was told last rather than about anything else."""
        asked = " ".join(questions_in(heard))
        if self._last is None or not self._rest or not asked:
            return False
        elsewhere = max([scores.facts[fact.id] for fact in self._untold()], default=0.0)
        about = max(scores.further - FURTHER, self.ear.echoes(heard, self._last.id) - ECHO)
        if about >= 0 and about >= elsewhere - LEADS:
            return True
        return self._just_told and points_back(asked) and elsewhere < CLEARLY

    def _tell(self, fact: Fact, *, asked: bool = True) -> Utterance:
        """Begin a story: as much of it as the manner gives at once, maybe another with it."""
        told = [*sentences(fact.tell)]
        much = self._manner.at_once if self._warmth >= self._manner.warms else 1
        self._warmth += 1
        self._last = fact
        self.told.add(fact.id)
        self._rest = [*_joined(told[much:]), *_joined(sentences(fact.more))]
        text, facts = "".join(_joined(told[:much])), [fact.id]
        other = self._associated(fact)
        if other is not None:
            self.told.add(other.id)
            facts.append(other.id)
            text = f"{text} {self._word(self.sheet.asides)}{other.tell}"
            self._last, self._rest = other, [*_joined(sentences(other.more))]
        unasked = facts[1:] if asked else facts
        return Utterance(Kind.TOLD, text, tuple(facts), unasked=tuple(unasked))

    def _associated(self, fact: Fact) -> Fact | None:
        rest = self._untold()
        if not rest or self._chance.random() >= self._manner.second:
            return None
        return max(rest, key=lambda other: self.ear.association(fact.id, other.id))

    def _tell_more(self) -> Utterance:
        text, self._rest = self._rest[0], self._rest[1:]
        self._warmth += 1
        return Utterance(Kind.MORE, text, about=self._last.id if self._last else None)

    def _due_wish(self) -> Wish | None:
        last = self._last.id if self._last else None
        for wish in self.sheet.wishes:
            due = wish.turn == self._turn if wish.after is None else wish.after == last
            if due and wish not in self._wished:
                return wish
        return None

    def _untold(self) -> list[Fact]:
        return [fact for fact in self.sheet.facts if fact.id not in self.told]

    def _word(self, wordings: Texts) -> str:
        """Return a wording at random, each once before any comes again."""
        left = self._worded.setdefault(wordings, [])
        if not left:
            left += wordings
            self._chance.shuffle(left)
        return left.pop()


def _joined(pieces: list[str]) -> list[str]:
    """Return the pieces as one text, or nothing where there is none."""
    spaced = any(piece.isascii() for piece in pieces)
    return [(" " if spaced else "").join(pieces)] if pieces else []
