"""Guards over a model's words, sentence by sentence, before anything leaves.

What cannot be known from here is let through: a given name that begins an English sentence without
being addressed, a Chinese name without a surname that is listed together with a title, a place
without one of the listed endings. Everything the checks look for is in the language's data.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.markup import ANSWERING, OTHERS, PART_BREAK, before_turn, clean
from lifeecho_server.interview.numerals import figures
from lifeecho_server.interview.questions import asked_keys
from lifeecho_server.interview.sentences import sentences_of
from lifeecho_server.interview.situation import PROFILE_FIELDS, Situation, Speaker

_SENTENCES_A_PART = 2
_PARTS = 3
_LONGEST = 240  # characters of a sentence; beyond it a model is rambling or looping
_SAME = 0.8  # share of common character pairs from which two questions are the same one
_QUOTED = 4  # characters from which words in quotation marks must have been said
_REPEATS = re.compile(r"(.{2,20}?)\1{3,}", re.DOTALL)
_HAN_OFTEN = 0.5  # share of Han characters among the letters of a Chinese sentence, at least


_REPEATED_MOST = 8  # letters of the person's words that may be said back as they are


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
    WRONG_LANGUAGE = "wrong_language"
    WRONG_SCRIPT = "wrong_script"
    INVENTED = "invented"
    NARRATORS_WORDS = "narrators_words"


_ENDING = (Reason.LOOP, Reason.TOO_MANY_PARTS, Reason.NARRATORS_WORDS)
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
        """Gather what was said, told and asked so far."""
        self._bank = bank
        self._known = _known_words(situation, decision, bank)
        self._asked = _asked_questions(situation, bank)
        self._said_before = _sentences(
            turn.text for turn in situation.history if turn.speaker is Speaker.INTERVIEWER
        )
        self._narrators = _narrators_sentences(situation)
        self._name = situation.profile.nickname or ""
        self._questions_left = int(
            decision.direction is None or decision.direction.question_allowed
        )
        self._over = False
        self._allowed = self._questions_left > 0
        self._in_part = 0
        self._parts = 0
        self._passed: set[str] = set()

    def check(self, sentence: str) -> Verdict:
        """Judge the next sentence, or the boundary between two parts (``PART_BREAK``)."""
        if sentence == PART_BREAK:
            return self._part_ends()
        if self._over:
            return Verdict(Outcome.STOP, "", Reason.MARKUP)
        text = self._bank.guard.role.sub("", clean(self._own_turn(sentence))).strip()
        reason = self._fault(text)
        if reason is not None:
            stop = reason in _ENDING
            return Verdict(Outcome.STOP if stop else Outcome.DROP, "", reason)
        self._in_part += 1
        self._passed.add(_plain(text))
        self._questions_left -= _asks(text, self._bank)
        return Verdict(Outcome.PASS, text)

    def _own_turn(self, sentence: str) -> str:
        """Return what of a sentence still belongs to the model's turn; what comes after is over.

        A model that does not stop at its end goes on with the template, as somebody else. One that
        begins with the template is only beginning.
        """
        before = before_turn(sentence)
        if before is None or not (before or self._passed):
            self._over = _plain(clean(sentence)) in OTHERS
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
        if not _plain(text):
            return Reason.EMPTY
        if text[0] in "[<{#*-" or _plain(text) in (*ANSWERING, *OTHERS):
            return Reason.MARKUP
        if self._is_the_narrators(text):
            return Reason.NARRATORS_WORDS
        if self._loops(text):
            return Reason.LOOP
        return self._foreign(text) or self._excess(text) or self._untrue(text)

    def _loops(self, text: str) -> bool:
        plain = _plain(text)
        repeated = plain in self._passed or (len(plain) > 8 and plain in self._said_before)
        return repeated or len(text) > _LONGEST or _REPEATS.search(text) is not None

    def _is_the_narrators(self, text: str) -> bool:
        """Whether a model goes on as the person instead of answering, or says what they said.

        A few of their words may come back as they are.
        """
        named = self._name and re.match(rf"{re.escape(self._name)}\s*[:：]", text)
        labelled = self._bank.guard.narrator.match(text) or named
        plain = _plain(text)
        return bool(labelled) or (len(plain) > _REPEATED_MOST and plain in self._narrators)

    def _foreign(self, text: str) -> Reason | None:
        if not _in_script(text, self._bank.script):
            return Reason.WRONG_LANGUAGE
        if any(character in self._bank.guard.wrong_script for character in text):
            return Reason.WRONG_SCRIPT
        return None

    def _excess(self, text: str) -> Reason | None:
        if self._in_part >= _SENTENCES_A_PART:
            return Reason.TOO_MANY_SENTENCES
        if not _asks(text, self._bank):
            return None
        if not self._allowed:
            return Reason.QUESTION_NOT_ALLOWED
        if self._questions_left < 1:
            return Reason.TOO_MANY_QUESTIONS
        return Reason.ASKED_BEFORE if self._was_asked(text) else None

    def _was_asked(self, text: str) -> bool:
        plain = _plain(text)
        return any(_alike(plain, asked) >= _SAME for asked in self._asked)

    def _untrue(self, text: str) -> Reason | None:
        invented = [*_numbers(text, self._bank), *_names(text, self._bank), *_quotes(text)]
        strange = any(_plain(piece) not in self._known for piece in invented)
        return Reason.INVENTED if strange else None


def _known_words(situation: Situation, decision: Decision, bank: Bank) -> str:
    """All that a sentence may repeat: what people said, the profile, what was decided to say."""
    turns = (*situation.told_before, *situation.history, *situation.unanswered)
    told = [turn.text for turn in turns if turn.speaker is not Speaker.INTERVIEWER]
    values = [getattr(situation.profile, name) for name in PROFILE_FIELDS]
    told += [str(value) for value in (*values, *decision.changes.profile.values()) if value]
    told += decision.parts
    return _plain("\n".join([*told, *(figures(text, bank.numerals) for text in told)]))


def _asked_questions(situation: Situation, bank: Bank) -> tuple[str, ...]:
    """Every wording of what was asked by the bank, and the questions found in the history."""
    keys = asked_keys(situation.state)
    wordings = [text for key in keys if key in bank.slots for text in bank.slots[key].questions]
    said = [turn.text for turn in situation.history if turn.speaker is Speaker.INTERVIEWER]
    spoken = [one for text in said for one in sentences_of(text) if _asks(one, bank)]
    return tuple(_plain(text) for text in (*wordings, *spoken))


def _narrators_sentences(situation: Situation) -> frozenset[str]:
    turns = (*situation.history, *situation.unanswered)
    return _sentences(turn.text for turn in turns if turn.speaker is Speaker.NARRATOR)


def _sentences(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(_plain(one) for text in texts for one in sentences_of(text))


def _plain(text: str) -> str:
    """Return letters and digits only, in one case and width, for comparing."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def _alike(one: str, other: str) -> float:
    """Return the share of character pairs that two texts have in common (Dice), 0 to 1."""
    pairs, others = ({text[i : i + 2] for i in range(len(text) - 1)} for text in (one, other))
    return 2 * len(pairs & others) / max(1, len(pairs) + len(others))


def _asks(text: str, bank: Bank) -> bool:
    return bank.guard.question.search(text) is not None


def _in_script(text: str, script: str) -> bool:
    """Whether the letters are of the narrator's script: Han with a few others, or Latin alone."""
    kinds = [_kind(character) for character in text if character.isalpha()]
    if "other" in kinds:
        return False
    if script == "han":
        return not kinds or kinds.count("han") >= len(kinds) * _HAN_OFTEN
    return "han" not in kinds


def _kind(character: str) -> str:
    name = unicodedata.name(character, "")
    if name.startswith("CJK"):
        return "han"
    return "latin" if "LATIN" in name else "other"


def _numbers(text: str, bank: Bank) -> list[str]:
    return bank.guard.number.findall(figures(text, bank.numerals))


def _names(text: str, bank: Bank) -> list[str]:
    found = [match.group() for one in bank.guard.name for match in one.finditer(text)]
    return [name for name in found if not bank.guard.name_free.fullmatch(name)]


def _quotes(text: str) -> list[str]:
    return [said for said in re.findall(r"[“\"「]([^”\"」]+)[”\"」]", text) if len(said) >= _QUOTED]
