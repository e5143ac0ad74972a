"""Questions that a model words before they are asked, kept for one connection."""

import trio

from lifeecho_server.inference import Inference, Priority
from lifeecho_server.interview.ahead import (
    Ahead,
    likely_questions,
    means_the_same,
    question_of,
    wording_ahead,
)
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.guards import Guard, Outcome
from lifeecho_server.interview.prompts import prompt
from lifeecho_server.interview.situation import Profile, Situation
from lifeecho_server.interview.topics import touches
from lifeecho_server.session.model_words import Attempt, listen_to_model

TOKENS_MOST = 80
"""What a question may take; one that is longer is not one that an old person follows."""


class QuestionsAhead:
    """The questions that are likely next, in a model's words; at most ``ahead.LIKELY_MOST``."""

    def __init__(self, inference: Inference, bank: Bank, conversation_id: str) -> None:
        self._inference = inference
        self._bank = bank
        self._conversation_id = conversation_id
        self._counts = inference.metrics.replies
        self._profile: Profile | None = None
        self._worded: dict[str, str | None] = {}  # None: tried in vain

    def worded(self, situation: Situation, decision: Decision) -> str | None:
        """Return the words that are ready for a decision's question, if they may be said now.

        What a person wants kept out of the book may be in all of them, and in none from then on.
        """
        if decision.changes.seal:
            self._worded = {}
        question = question_of(decision)
        if question is None or situation.profile != self._profile:
            return None
        words = self._worded.get(question.key)
        avoided = (*situation.state.avoided, *decision.changes.avoided)
        if words is None or touches(words, avoided, self._bank):
            return None
        verdict = Guard(situation, decision, self._bank).check(words)
        return verdict.text if verdict.outcome is Outcome.PASS else None

    async def word(self, situation: Situation) -> None:
        """Have the model word what is likely now; what is not likely any more is forgotten.

        Raises MODEL_FAULTS.
        """
        likely = await trio.to_thread.run_sync(likely_questions, situation, self._bank)
        kept = self._worded if situation.profile == self._profile else {}
        self._profile = situation.profile
        self._worded = {one.key: kept[one.key] for one in likely if one.key in kept}
        for question in likely:
            if question.key not in self._worded:
                self._worded[question.key] = await self._by_model(situation, question)

    async def _by_model(self, situation: Situation, question: Ahead) -> str | None:
        """Return the first thing the model says if it is that question and no more."""
        decision = wording_ahead(question, self._bank)
        guard, found = Guard(situation, decision, self._bank), ""

        async def take(sentence: str) -> bool:
            nonlocal found
            verdict = guard.check(sentence)
            if verdict.reason is not None:
                self._counts.refused[verdict.reason] += 1
            found = verdict.text
            return verdict.outcome in (Outcome.DROP, Outcome.BREAK)

        attempt = Attempt(
            prompt(situation, decision, self._bank),
            self._conversation_id,
            TOKENS_MOST,
            Priority.PREPARING,
        )
        await listen_to_model(self._inference, attempt, take)
        asks = self._bank.guard.question.search(found) is not None
        fit = asks and await trio.to_thread.run_sync(means_the_same, found, question, self._bank)
        self._counts.questions_worded += fit
        self._counts.questions_unfit += not fit
        return found if fit else None
