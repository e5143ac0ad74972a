"""A little store for tests: it applies decisions as the server does, and keeps the transcript."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decide import greet, reply
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.questions import after
from lifeecho_server.interview.situation import (
    Asked,
    Hearing,
    InterviewState,
    Profile,
    Situation,
    Speaker,
    Turn,
)

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@dataclass
class Sitting:
    """One conversation with the scripted interviewer."""

    bank: Bank
    profile: Profile = field(default_factory=Profile)
    state: InterviewState = field(default_factory=InterviewState)
    told_before: tuple[Turn, ...] = ()
    history: list[Turn] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    sealed: list[str] = field(default_factory=list)
    now: datetime = NOW

    def situation(self, *unanswered: Turn) -> Situation:
        """What the interviewer sees, with these turns waiting for an answer."""
        return Situation(
            language=self.bank.language,
            profile=self.profile,
            state=self.state,
            stage=self.state.stage or self.bank.stage_ids[0],
            now=self.now,
            history=tuple(self.history[-30:]),
            unanswered=unanswered,
            told_before=self.told_before,
        )

    def greet(self) -> Decision:
        """Let the interviewer begin."""
        return self._apply(greet(self.situation(), self.bank))

    def say(
        self,
        text: str,
        speaker: Speaker = Speaker.NARRATOR,
        hearing: Hearing = Hearing.TYPED,
    ) -> Decision:
        """Say something and return the reply."""
        self.now += timedelta(seconds=40)
        turn = Turn(f"t{len(self.history)}", speaker, text, self.now, hearing)
        decision = reply(self.situation(turn), self.bank)
        self.history.append(turn)
        return self._apply(decision)

    def _apply(self, decision: Decision) -> Decision:
        changes = decision.changes
        values: dict[str, Any] = dict(changes.profile)
        self.profile = replace(
            self.profile, refused=self.profile.refused | changes.refused, **values
        )
        asked = tuple(Asked(key, slot, self.now) for key, slot in changes.asked)
        self.state = InterviewState(
            changes.stage or self.state.stage,
            after(self.state, changes.coverage, changes.declined),
            self.state.asked + asked,
        )
        self.sealed += changes.seal
        words = "\n".join(decision.parts)
        self.history.append(Turn(f"t{len(self.history)}", Speaker.INTERVIEWER, words, self.now))
        self.decisions.append(decision)
        return decision
