"""Guards over a model's words, sentence by sentence, before anything leaves.

What rules cannot know is let through: a thing that has no shape of its own ("the goat" of somebody
who told of a cow). Everything that a language has to do with is in its data.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from lifeecho_server.interview.asking import asks, found
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.evidence import Evidence
from lifeecho_server.interview.letters import (
    any_alike,
    circles,
    in_script,
    latin_words,
    pairs,
    plain,
    strange_words,
)
from lifeecho_server.interview.markup import (
    ANSWERING,
    OTHERS,
    PART_BREAK,
    before_turn,
    clean,
    is_marked_up,
    without_dress,
)
from lifeecho_server.interview.sentences import sentences_of
from lifeecho_server.interview.situation import Situation
from lifeecho_server.interview.truth import invented

_SENTENCES_A_PART = 2
_PARTS = 3
_LONGEST = 240  # characters of a sentence; beyond it a model is rambling or looping
_SAME = 0.8  # share of common character pairs from which two sentences are the same one
_REPEATED_MOST = 8  # letters of the person's words that may be said back as they are
_CIRCLING = 0.75  # and two of one reply
_PARROTED = 0.85  # and one of the person's, said back whole
_PARROTED_LEAST = 15  # letters of a sentence that says something


class Outcome(StrEnum):
    """What becomes of a sentence: ``BREAK`` ends a part, ``STOP`` the whole reply."""

    PASS = "pass"
    DROP = "drop"
    STOP = "stop"
    BREAK = "break"


class Reason(StrEnum):
    """Why a sentence was kept back; fit for counting."""

    EMPTY = "empty"
    MARKUP = "markup"
    LOOP = "loop"
    TOO_MANY_SENTENCES = "too_many_sentences"
    TOO_MANY_PARTS = "too_many_parts"
    TOO_MANY_QUESTIONS = "too_many_questions"
    QUESTION_NOT_ALLOWED = "question_not_allowed"
    ASKED_BEFORE = "asked_before"
    OTHER_QUESTION = "other_question"  # than was decided on; seen where the reply is put together
    SAID_BEFORE = "said_before"
    WRONG_LANGUAGE = "wrong_language"
    WRONG_SCRIPT = "wrong_script"
    INVENTED = "invented"
    NARRATORS_WORDS = "narrators_words"
    PARROTED = "parroted"
    OWN_LIFE = "own_life"
    OVERREACH = "overreach"
    INSTRUCTIONS = "instructions"
    REASONING = "reasoning"
    REFUSAL = "refusal"


_ENDING = (
    Reason.LOOP,
    Reason.TOO_MANY_PARTS,
    Reason.NARRATORS_WORDS,
    Reason.REASONING,
    Reason.REFUSAL,
)
"""After these nothing good comes of a model any more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``text`` is the sentence as it may be said; ``reason`` is there unless it passed."""

    outcome: Outcome
    text: str = ""
    reason: Reason | None = None


class Guard:
    """Checks the sentences of one reply in order; it counts what has passed."""

    def __init__(self, situation: Situation, decision: Decision, bank: Bank) -> None:
        """Prepare to look at what was said, told and asked so far."""
        self._bank = bank
        self._evidence = Evidence(situation, decision, bank)
        self._name = situation.profile.nickname or ""
        self._questions_left = int(
            decision.direction is None or decision.direction.question_allowed
        )
        self._over = False
        self._allowed = self._questions_left > 0
        # What the script says itself a model may say too, word for word or in its own words.
        parts = (one for part in decision.parts for one in sentences_of(part))
        self._scripted = frozenset(map(plain, parts))
        self._double = any(found(bank.guard.double, part) for part in decision.parts)
        self._invites = any(found(bank.guard.invites, part) for part in decision.parts)
        self._in_part = 0
        self._parts = 0
        self._passed: list[frozenset[str]] = []  # the pairs of their letters

    def check(self, sentence: str) -> Verdict:
        """Judge the next sentence, or the boundary between two parts (``PART_BREAK``)."""
        if sentence == PART_BREAK:
            return self._part_ends()
        if self._over:
            return Verdict(Outcome.STOP, "", Reason.MARKUP)
        text = without_dress(self._bank.guard.role.sub("", clean(self._own_turn(sentence))))
        reason = self._fault(text)
        if reason is not None:
            stop = reason in _ENDING
            return Verdict(Outcome.STOP if stop else Outcome.DROP, "", reason)
        self._in_part += 1
        self._passed.append(pairs(plain(text)))
        self._questions_left -= asks(text, self._bank)
        return Verdict(Outcome.PASS, text)

    def _own_turn(self, sentence: str) -> str:
        """Return what of a sentence still belongs to the model's turn; what comes after is over.

        A model that does not stop at its end goes on with the template, as somebody else. One that
        begins with the template is only beginning.
        """
        before = before_turn(sentence)
        if before is None or not (before or self._passed):
            self._over = plain(clean(sentence)) in OTHERS
            return sentence
        self._over = True
        return before

    def _part_ends(self) -> Verdict:
        if self._in_part == 0:
            return Verdict(Outcome.DROP, "", Reason.EMPTY)
        self._in_part, self._parts = 0, self._parts + 1
        if self._parts >= _PARTS:
            return Verdict(Outcome.STOP, "", Reason.TOO_MANY_PARTS)
        return Verdict(Outcome.BREAK)

    def _fault(self, text: str) -> Reason | None:
        letters = plain(text)
        if not letters:
            return Reason.EMPTY
        if len(text) > _LONGEST:
            return Reason.LOOP
        if letters in (*ANSWERING, *OTHERS):
            return Reason.MARKUP
        if letters in self._scripted:
            return self._loops(text, letters) or self._excess(text, letters)
        return (
            self._of_no_reply(text, letters)
            or self._of_somebody_else(text, letters)
            or self._loops(text, letters)
            or self._foreign(text)
            or self._excess(text, letters)
            or self._unfit(text)
        )

    def _of_no_reply(self, text: str, letters: str) -> Reason | None:
        """What a model says that is no part of a talk: thoughts, excuses, its instructions."""
        guard = self._bank.guard
        whole = len(letters) > _REPEATED_MOST
        if any(one in letters or (whole and letters in one) for one in self._bank.instructions):
            return Reason.INSTRUCTIONS
        if found(guard.reasoning, text):
            return Reason.REASONING
        if found(guard.refusal, text):
            return Reason.REFUSAL
        return Reason.MARKUP if is_marked_up(text) else None

    def _of_somebody_else(self, text: str, letters: str) -> Reason | None:
        """Whether a model goes on as the person instead of answering, or says what they said.

        A few of their words may come back as they are.
        """
        named = self._name and re.match(rf"{re.escape(self._name)}\s*[:：]", text)
        if named or self._bank.guard.narrator.match(text):
            return Reason.NARRATORS_WORDS
        if len(letters) > _REPEATED_MOST and self._evidence.is_narrators(text):
            return Reason.NARRATORS_WORDS
        whole = len(letters) >= _PARROTED_LEAST and not asks(text, self._bank)
        parroted = whole and any_alike(pairs(letters), self._evidence.answered, _PARROTED)
        return Reason.PARROTED if parroted else None

    def _loops(self, text: str, letters: str) -> Reason | None:
        own = pairs(letters)
        circling = any_alike(own, self._passed, _CIRCLING)
        again = len(letters) > _REPEATED_MOST and letters in self._evidence.said
        round_and_round = circling or again or circles(text, spaced=self._bank.spaced)
        return Reason.LOOP if round_and_round else None

    def _foreign(self, text: str) -> Reason | None:
        bank, told = self._bank, self._evidence
        if not in_script(text, bank.script):
            return Reason.WRONG_LANGUAGE
        strange = strange_words(text, bank.vocabulary) if bank.spaced else []
        if strange and sum(not told.has_word(word) for word in strange) > len(strange) // 2:
            return Reason.WRONG_LANGUAGE
        if "latin" not in bank.script and any(
            word not in told.letters for word in latin_words(text)
        ):
            return Reason.WRONG_LANGUAGE
        return Reason.WRONG_SCRIPT if self._in_wrong_script(text) else None

    def _in_wrong_script(self, text: str) -> bool:
        """Whether a character is none that the language is written with, and nobody gave it."""
        guard = self._bank.guard
        if any(character in guard.wrong_script for character in text):
            return True
        if not guard.charset or _encodable(text, guard.charset):
            return False
        strange = [one for one in text if one.isalpha() and not _encodable(one, guard.charset)]
        return any(one not in self._evidence.letters for one in strange)

    def _excess(self, text: str, letters: str) -> Reason | None:
        if self._in_part >= _SENTENCES_A_PART:
            return Reason.TOO_MANY_SENTENCES
        if not asks(text, self._bank):
            return self._not_asking(text, letters)
        if not self._allowed:
            return Reason.QUESTION_NOT_ALLOWED
        double = not self._double and found(self._bank.guard.double, text)
        if self._questions_left < 1 or double:
            return Reason.TOO_MANY_QUESTIONS
        before = any_alike(pairs(letters), self._evidence.asked, _SAME)
        return Reason.ASKED_BEFORE if before else None

    def _not_asking(self, text: str, letters: str) -> Reason | None:
        """An invitation to tell more is no question, but out of place where none is allowed."""
        inviting = not (self._allowed or self._invites)
        if inviting and found(self._bank.guard.invites, text):
            return Reason.QUESTION_NOT_ALLOWED
        if len(letters) <= _REPEATED_MOST:
            return None
        before = any_alike(pairs(letters), self._evidence.said_pairs, _SAME)
        return Reason.SAID_BEFORE if before and letters not in self._scripted else None

    def _unfit(self, text: str) -> Reason | None:
        guard = self._bank.guard
        if found(guard.own_life, text):
            return Reason.OWN_LIFE
        if found(guard.overreach, text):
            return Reason.OVERREACH
        return Reason.INVENTED if invented(text, self._evidence, self._bank) else None


def _encodable(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
