"""What a sentence may rest on: all that people said, and what was decided to be said."""

import re
from collections.abc import Iterable
from functools import cached_property
from itertools import pairwise

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.letters import plain, words_of
from lifeecho_server.interview.numerals import figures
from lifeecho_server.interview.questions import asked_keys
from lifeecho_server.interview.sentences import sentences_of
from lifeecho_server.interview.situation import PROFILE_FIELDS, Situation, Speaker, Turn

_YEARS = range(1800, 2100)
_CHILDHOOD = 8  # years after birth in which the script's own questions place a childhood
_APART = "\n|\n"  # between texts, so that nothing is read across two of them


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
    def letters(self) -> str:
        """The plain letters of each text that may be taken up, a line each."""
        return "\n".join(map(plain, self.text.split(_APART)))

    @cached_property
    def words(self) -> frozenset[str]:
        """Words that may be taken up, each also without what an apostrophe adds to it."""
        every = set(words_of(self.text))
        return frozenset(every | {word.partition("'")[0] for word in every})

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The numbers that may be taken up."""
        return frozenset(numbers_in(figures(self.text, self._bank.numerals)))

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

    def is_year(self, two_figures: int) -> bool:
        """Whether a year was told of that ends with these figures."""
        return any(one in _YEARS and one % 100 == two_figures for one in self.numbers)

    def is_narrators(self, letters: str) -> bool:
        """Whether these are the letters of a sentence of the narrator's in this conversation."""
        turns = (*self._situation.history, *self._situation.unanswered)
        own = (turn.text for turn in turns if turn.speaker is Speaker.NARRATOR)
        return letters in self.letters and letters in _sentences(own)

    @cached_property
    def answered(self) -> frozenset[str]:
        """The narrator's sentences that are being answered, by their letters."""
        turns = self._situation.unanswered
        return _sentences(turn.text for turn in turns if turn.speaker is Speaker.NARRATOR)

    @cached_property
    def said(self) -> frozenset[str]:
        """The interviewer's sentences in this conversation, by their letters."""
        return frozenset(map(plain, self._spoken))

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """Every wording of what was asked, and the questions of the history, by their letters."""
        slots, question = self._bank.slots, self._bank.guard.question
        keys = asked_keys(self._situation.state)
        wordings = [text for key in keys if key in slots for text in slots[key].questions]
        wordings += [one for one in self._spoken if question.search(one)]
        return tuple(map(plain, wordings))

    @cached_property
    def _spoken(self) -> tuple[str, ...]:
        turns = [one for one in self._situation.history if one.speaker is Speaker.INTERVIEWER]
        return tuple(one for turn in turns for one in sentences_of(turn.text))

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

    @property
    def _born(self) -> int | None:
        just_told = self._decision.changes.profile.get("birth_year")
        return just_told if isinstance(just_told, int) else self._situation.profile.birth_year


def numbers_in(text: str) -> list[int]:
    """Return the numbers of a text that has them in figures; absurdly long ones are left out."""
    return [int(found) for found in re.findall(r"\d+", text) if len(found) < 10]


def _sentences(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(plain(one) for text in texts for one in sentences_of(text))
