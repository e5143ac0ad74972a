"""What the interviewer is told before it decides, read from the store in one go."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lifeecho_server.interview.connecting import Connecting, ConnectingFacts
from lifeecho_server.interview.situation import Situation, Turn
from lifeecho_server.settings import Settings
from lifeecho_server.store.conversations import Conversation, conversation
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import NotFound
from lifeecho_server.store.memory import interview_state
from lifeecho_server.store.narrators import narrator
from lifeecho_server.store.people import family_of
from lifeecho_server.store.replies import Reply, undelivered_reply
from lifeecho_server.store.summary import remembered
from lifeecho_server.store.turns import history, last_turn, said_before, told_before, unanswered

TOLD_BEFORE_TURNS = 8
SAID_BEFORE_TURNS = 200
HISTORY_BLOCK = 10
"""Turns that leave the history together: a prompt that loses its oldest turn at every reply shares
no beginning with the last one, and all of it would have to be evaluated again."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """The situation, and what decides how a connection begins."""

    situation: Situation
    last: Turn | None
    undelivered: Reply | None

    @property
    def idle(self) -> timedelta:
        """How long ago the last turn was."""
        return timedelta() if self.last is None else self.situation.now - self.last.said_at

    @property
    def only_greeted(self) -> bool:
        """Whether nothing but a first greeting has been said."""
        return len(self.situation.history) <= 1

    @property
    def greeting_due(self) -> Connecting:
        """The row by which a greeting that was cut off is said again."""
        if not self.situation.profile.complete:
            return Connecting.PROFILE_GREETING
        return Connecting.OPENING if self.only_greeted else Connecting.RE_GREETING

    def connecting_facts(self, *, settings: Settings) -> ConnectingFacts:
        """Return the facts by which the row of an open conversation is found."""
        return ConnectingFacts(
            ended=False,
            history_empty=self.last is None,
            profile_complete=self.situation.profile.complete,
            unanswered=bool(self.situation.unanswered),
            since_last=None if self.last is None else self.idle,
            re_greeting=settings.re_greeting,
            idle=timedelta(hours=settings.re_greeting_idle_hours),
        )


def brief(
    db: Connection,
    *,
    here: Conversation,
    first_stage: str,
    now: datetime,
    settings: Settings,
    worded: bool = False,
) -> Briefing:
    """Read a conversation's situation. Raises NotFound when the narrator is gone.

    ``first_stage`` is that of a conversation that has none yet. With ``worded`` a model may word
    the reply, and what the interviewer said long ago is read too: the script knows its questions.
    """
    teller, now_here = narrator(db, here.narrator_id), conversation(db, here.id)
    if teller is None or now_here is None:
        raise NotFound("the narrator was deleted")
    waiting = unanswered(db, here.id)
    answered = max(0, now_here.turn_count - len(waiting))
    shown = history(db, here.id, history_length(answered, settings.history_turns))
    earlier = told_before(db, teller.id, here.id, TOLD_BEFORE_TURNS)
    # What stands in the prompt as it was said is not summed up as well; so the summary, which
    # stands before the history, changes only when turns leave it.
    seen = frozenset(turn.id for turn in (*shown, *earlier, *waiting))
    situation = Situation(
        language=teller.language,
        profile=teller.profile,
        state=interview_state(db, teller.id),
        stage=now_here.stage or here.stage or first_stage,
        now=now,
        history=shown,
        unanswered=waiting,
        told_before=earlier,
        remembered=remembered(db, teller.id, seen),
        said_before=said_before(db, here.id, len(shown), SAID_BEFORE_TURNS) if worded else (),
        family=family_of(db, teller.id),
    )
    return Briefing(situation, last_turn(db, here.id), undelivered_reply(db, here.id))


def history_length(turns: int, least: int) -> int:
    """Return how many of the last turns to show: at least ``least``, cut at a block's edge."""
    dropped = max(0, turns - least) // HISTORY_BLOCK * HISTORY_BLOCK
    return turns - dropped
