"""Questions that are likely to be asked next, so that a model can word them ahead."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice, pairwise

from lifeecho_server.interview.bank import Bank, Slot
from lifeecho_server.interview.coverage import current_slot
from lifeecho_server.interview.decide import chips, reply
from lifeecho_server.interview.decision import Decision, Direction, Intent
from lifeecho_server.interview.questions import follows_up
from lifeecho_server.interview.recognise import length
from lifeecho_server.interview.situation import Situation, Speaker, Turn

LIKELY_MOST = 3
_STEM = 5  # letters of a word by which it is known, so that "played" is "playing"
_TELLING = 0.3  # what the words that two questions share weigh at least: one that few slots have
_NEAR = 0.5  # and how much of what they share with any other slot's


@dataclass(frozen=True, slots=True)
class Ahead:
    """A question before it is asked: its key, and the script's words for it.

    The key names every question that is asked with it, so the same key means the same question.
    """

    key: str
    text: str
    slot: str | None


def question_of(decision: Decision) -> Ahead | None:
    """Return the question that a decision asks, if a model may word it."""
    direction, asked = decision.direction, decision.changes.asked
    if direction is None or not direction.question_allowed or not asked:
        return None
    key = " ".join(question for question, _ in asked)
    return Ahead(key, decision.parts[-1], asked[0][1])


def likely_questions(situation: Situation, bank: Bank) -> tuple[Ahead, ...]:
    """Return what the next reply will probably ask, the likeliest first.

    They are what would be decided if the person told much or little of what was asked, or took up
    one of the topics that are open. Before the profile is complete nothing can be told of that.
    """
    if not situation.profile.complete or situation.unanswered:
        return ()
    found: dict[str, Ahead] = {}
    for words in islice(_stories(situation, bank), 2 * LIKELY_MOST):
        turn = Turn("", Speaker.NARRATOR, words, situation.now)
        question = question_of(reply(replace(situation, unanswered=(turn,)), bank))
        if question is not None:
            found.setdefault(question.key, question)
    return tuple(islice(found.values(), LIKELY_MOST))


def wording_ahead(question: Ahead, bank: Bank) -> Decision:
    """Return the decision to ask nothing but this question."""
    note = bank.prompt.notes.ahead.replace("{question}", question.text)
    return Decision(Intent.NEXT_SLOT, (question.text,), Direction(note, question_allowed=True))


def taking_up(decision: Decision, bank: Bank) -> Decision:
    """Return a decision without its question: only what was just told is taken up."""
    return replace(decision, direction=Direction(bank.prompt.notes.take_up, question_allowed=False))


def means_the_same(worded: str, question: Ahead, bank: Bank) -> bool:
    """Whether a model's wording may stand for a question, as far as that can be seen from here.

    It must share words with the script's wordings that few slots have, and not be much closer to
    those of another slot. (Left out of its slot, over half of the script's own wordings would be
    known by this, and one in fifteen of another slot's taken for it.)
    """
    marks, spread = _marks_of_slots(bank)
    said = _marks(worded, bank)

    def weight(known: frozenset[str]) -> float:
        return sum(1 / max(1, spread.get(mark, 0)) for mark in said & known)

    own = weight(_marks(question.text, bank) | marks.get(question.slot or "", frozenset()))
    others = (weight(known) for slot, known in marks.items() if slot != question.slot)
    return own >= max(_TELLING, _NEAR * max(others))


def stands_for(worded: str, question: Ahead, bank: Bank) -> bool:
    """Whether a model's question may be asked in place of the one that was decided on.

    What is asked about the person is understood by the question, so that stays as it is written; a
    slot's question must mean the same; a follow-up may be any question about what was told.
    """
    if question.key.startswith("profile."):
        return False
    return follows_up(question.key) or means_the_same(worded, question, bank)


@lru_cache(maxsize=8)
def _marks_of_slots(bank: Bank) -> tuple[Mapping[str, frozenset[str]], Mapping[str, int]]:
    """Return by what each slot is known, and how many slots share each of these marks."""
    marks = {slot.id: _marks_of(slot, bank) for slot in bank.slots.values()}
    return marks, Counter(mark for each in marks.values() for mark in each)


def _stories(situation: Situation, bank: Bank) -> Iterator[str]:
    """Yield words that the person might say: a slot's own, as the decisions look for those."""
    current = current_slot(situation.state)
    if current is not None:
        terms = bank.slots[current].words.terms
        yield _ample(terms, bank)
        yield terms[0]
    for chip in chips(situation.state, bank, LIKELY_MOST):
        yield chip.text


def _ample(terms: tuple[str, ...], bank: Bank) -> str:
    once = " ".join(terms)
    return " ".join([once] * (bank.measure.ample // max(1, length(once, bank)) + 1))


def _marks_of(slot: Slot, bank: Bank) -> frozenset[str]:
    wordings = (*slot.questions, *slot.follow_ups, *slot.words.terms)
    varied = (text for variant in slot.variants for text in variant.questions)
    return frozenset().union(*(_marks(text, bank) for text in (*wordings, *varied)))


def _marks(text: str, bank: Bank) -> frozenset[str]:
    """Return what a text is known by: the beginnings of its words, or its pairs of characters."""
    tokens = bank.measure.token.findall(text.casefold())
    if bank.spaced:
        return frozenset(token[:_STEM] for token in tokens)
    return frozenset(map("".join, pairwise(tokens)))
