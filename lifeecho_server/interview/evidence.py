"""What a sentence may rest on: all that people said, and what was decided to be said."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, pairwise

from lifeecho_server.interview.bank import Bank, Words
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.letters import longest_run, pairs, plain
from lifeecho_server.interview.numerals import figures
from lifeecho_server.interview.questions import asked_keys
from lifeecho_server.interview.recognise import clauses
from lifeecho_server.interview.sentences import sentences_of
from lifeecho_server.interview.situation import PROFILE_FIELDS, Situation, Speaker, Turn

_YEARS = range(1800, 2100)
_CENTURY = 1900  # the one that a year told by two figures belongs to
_CHILDHOOD = 8  # years after birth in which the script's own questions place a childhood
_YES_MOST = 60  # characters in which a yes must have ended
_APART = "\n|\n"  # between texts, so that nothing is read across two of them


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A sentence of the interviewer's, its letters and their pairs."""

    text: str
    letters: str
    pairs: frozenset[str]


class Evidence:
    """What was said, told and asked so far, each part gathered only when something asks for it.

    A history is long, most sentences need little of it, and they are judged on the event loop.
    """

    def __init__(self, situation: Situation, decision: Decision, bank: Bank) -> None:
        """Gather nothing yet."""
        self._situation = situation
        self._decision = decision
        self._bank = bank

    @cached_property
    def given(self) -> str:
        """What people said and what is to be said, in one case."""
        return _APART.join((*self._people, *self._decision.parts)).casefold()

    @cached_property
    def text(self) -> str:
        """All that may be taken up: what was given, and what was asked and not denied."""
        return _APART.join((self.given, *self._taken_up)).casefold()

    @cached_property
    def confirmed(self) -> str:
        """What was given, and what the interviewer asked and was answered with a yes."""
        turns = (*self._situation.history, *self._situation.unanswered)
        asked = (one.text for one, answer in pairwise(turns) if self._yes(one, answer))
        return _APART.join((self.given, *asked)).casefold()

    @cached_property
    def letters(self) -> str:
        """The plain letters of each text that may be taken up, a line each."""
        return "\n".join(map(plain, self._texts))

    def has_word(self, word: str) -> bool:
        """Whether a word (in one case) is among what may be taken up, whole."""
        text, at = self.text, self.text.find(word)
        while at >= 0:
            end = at + len(word)
            if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
                return True
            at = text.find(word, end)
        return False

    def mentions(self, words: Words) -> Iterator[str]:
        """Yield the texts that may be taken up with one of these words in them, the last first."""
        return (text for text in reversed(self._texts) if words.count(text))

    def has_number(self, number: int) -> bool:
        """Whether a number may be taken up; a year also in its other form, of two figures."""
        return number in self._figures or number in self.numbers or self._is_year(number)

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The numbers that may be taken up, those in words too."""
        return frozenset(numbers_in(self._written))

    @cached_property
    def reckoned(self) -> frozenset[int]:
        """Ages in, and years since, the years that were told of."""
        years, now = [one for one in self.numbers if one in _YEARS], self._situation.now.year
        born = self._born
        ages = [year - born for year in years if born and year >= born]
        return frozenset([*ages, *(now - year for year in years if year <= now)])

    @cached_property
    def decades(self) -> frozenset[int]:
        """The last two figures of every decade that was told of, or was the childhood's."""
        guard, known = self._bank.guard, [*self.numbers, *self.reckoned]
        if self._born is not None:
            known.append(self._born + _CHILDHOOD)
        known += [ten for word, ten in guard.vague_words.items() if word in self.text]
        return frozenset(number % 100 // 10 * 10 for number in known if number >= 10)

    def _is_year(self, number: int) -> bool:
        if number in _YEARS:
            return number - number % 100 == _CENTURY and number % 100 in self._short_years
        return any(one in _YEARS and one % 100 == number for one in self.numbers)

    @cached_property
    def _short_years(self) -> frozenset[int]:
        short = self._bank.guard.short_year
        found = () if short is None else short.finditer(self._written)
        return frozenset(int(one["year"]) for one in found)

    @cached_property
    def _figures(self) -> frozenset[int]:
        return frozenset(numbers_in(self.text))

    @cached_property
    def _written(self) -> str:
        return figures(self.text, self._bank.numerals)

    @cached_property
    def _texts(self) -> list[str]:
        return self.text.split(_APART)

    def is_narrators(self, text: str) -> bool:
        """Whether a sentence is one of the narrator's in this conversation."""
        run = longest_run(text)
        if run not in self.given:
            return False
        turns = (*self._situation.history, *self._situation.unanswered)
        own = (turn.text for turn in turns if turn.speaker is Speaker.NARRATOR)
        return plain(text) in _sentences(one for one in own if run in one.casefold())

    @cached_property
    def answered(self) -> tuple[frozenset[str], ...]:
        """The narrator's sentences that are being answered, by their pairs of letters."""
        turns = self._situation.unanswered
        own = _sentences(turn.text for turn in turns if turn.speaker is Speaker.NARRATOR)
        return tuple(map(pairs, own))

    @cached_property
    def said(self) -> frozenset[str]:
        """The interviewer's sentences in this conversation, by their letters."""
        return frozenset(one.letters for one in self._spoken)

    @cached_property
    def said_pairs(self) -> tuple[frozenset[str], ...]:
        """The interviewer's sentences in this conversation, by their pairs of letters."""
        return tuple(one.pairs for one in self._spoken)

    @cached_property
    def asked(self) -> tuple[frozenset[str], ...]:
        """Every wording of what was asked, and all questions spoken here, by their pairs."""
        wordings = self._bank.question_pairs
        of_bank = (wordings.get(key, ()) for key in asked_keys(self._situation.state))
        asks = self._bank.guard.question.search
        earlier = chain.from_iterable(map(_spoken_in, self._situation.said_before))
        spoken = (one.pairs for one in chain(self._spoken, earlier) if asks(one.text))
        return tuple(frozenset(chain(spoken, *of_bank)))

    @cached_property
    def _spoken(self) -> tuple["_Spoken", ...]:
        turns = [one for one in self._situation.history if one.speaker is Speaker.INTERVIEWER]
        return tuple(one for turn in turns for one in _spoken_in(turn.text))

    @cached_property
    def _people(self) -> tuple[str, ...]:
        """What the narrator, the family and the profile say, and what is remembered of it."""
        situation = self._situation
        turns = (*situation.told_before, *situation.history, *situation.unanswered)
        said = [turn.text for turn in turns if turn.speaker is not Speaker.INTERVIEWER]
        profile = [getattr(situation.profile, name) for name in PROFILE_FIELDS]
        values = [*profile, *self._decision.changes.profile.values()]
        remembered = [text for fact in situation.remembered for text in (fact.name, fact.words)]
        return (*said, *(str(value) for value in values if value), *remembered)

    @cached_property
    def _taken_up(self) -> tuple[str, ...]:
        """What the interviewer asked and was not told to be otherwise.

        "Had you any sisters?" "Oh yes, two." After that there are sisters to speak of.
        """
        turns = (*self._situation.history, *self._situation.unanswered)
        return tuple(asked.text for asked, answer in pairwise(turns) if self._agreed(asked, answer))

    def _agreed(self, asked: Turn, answer: Turn) -> bool:
        answered = asked.speaker is Speaker.INTERVIEWER and answer.speaker is not asked.speaker
        denial = self._bank.guard.denial
        return answered and denial is not None and not denial.search(answer.text)

    def _yes(self, asked: Turn, answer: Turn) -> bool:
        if not self._agreed(asked, answer):
            return False
        first = next(iter(clauses(answer.text[:_YES_MOST], self._bank)), "")
        return self._bank.recognise.assent.fullmatch(first) is not None

    @property
    def _born(self) -> int | None:
        just_told = self._decision.changes.profile.get("birth_year")
        return just_told if isinstance(just_told, int) else self._situation.profile.birth_year


def numbers_in(text: str) -> list[int]:
    """Return the numbers of a text that has them in figures; absurdly long ones are left out."""
    return [int(found) for found in re.findall(r"\d+", text) if len(found) < 10]


@lru_cache(maxsize=512)
def _spoken_in(text: str) -> tuple[_Spoken, ...]:
    """The sentences of a turn of the interviewer's; each is looked at in many replies."""
    return tuple(_Spoken(one, plain(one), pairs(plain(one))) for one in sentences_of(text))


def _sentences(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(plain(one) for text in texts for one in sentences_of(text))
