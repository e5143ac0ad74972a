"""A little store for tests: it applies decisions as the server does, and keeps the transcript."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lifeecho_server.interview.applied import profile_after, state_after
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decide import greet, reply
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.situation import (
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
        self.profile = profile_after(self.profile, changes)
        self.state = state_after(self.state, changes, self.now)
        self.sealed += changes.seal
        words = "\n".join(decision.parts)
        self.history.append(Turn(f"t{len(self.history)}", Speaker.INTERVIEWER, words, self.now))
        self.decisions.append(decision)
        return decision
