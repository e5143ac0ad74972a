"""The interviewer as a narrator meets them, over the store that the server uses."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decide import greet, re_greet, reply
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.situation import (
    PROFILE_FIELDS,
    Hearing,
    Profile,
    Speaker,
)
from lifeecho_server.session.briefing import Briefing, brief
from lifeecho_server.settings import Plan, Settings
from lifeecho_server.store import conversations, memory, narrators, replies, turns
from lifeecho_server.store.database import Connection, Database
from lifeecho_server.store.quota import day_of

START = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
"""When every first talk begins: ages told in the sheets are those of this day."""
BETWEEN = timedelta(seconds=40)
NARRATOR = "narrator"
CONVERSATION = "talk"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the interviewer said, and what is known of it.

    ``asked`` are the keys of the questions that it asks, ``intent`` why it was said; ``scripted``
    is False where a model worded it; ``profile`` is what is known of the person after it.
    """

    parts: tuple[str, ...]
    intent: str
    asked: tuple[str, ...]
    slots: tuple[str, ...]
    profile: dict[str, str | int | None]
    complete: bool
    scripted: bool = True
    idle: timedelta | None = None

    @property
    def text(self) -> str:
        """All parts, a line each."""
        return "\n".join(self.parts)


class Interviewer(Protocol):
    """Whoever asks the questions."""

    def begin(self) -> Reply:
        """Speak first."""
        ...

    def answer(self, text: str) -> Reply:
        """Answer what the narrator says."""
        ...

    def come_back(self, idle: timedelta) -> Reply:
        """Greet the narrator who comes back after ``idle``."""
        ...


@dataclass
class Scripted:
    """The interviewer without a model, with the server's own store around the decisions.

    All of it is one transaction that is never committed: nothing waits for a disk.
    """

    folder: Path
    language: str
    now: datetime = START
    settings: Settings = field(default_factory=Settings)

    def __enter__(self) -> Self:
        self._bank = Bank.load(self.language)
        self._database = Database.open(self.folder / "lifeecho.db")
        self._db.execute("BEGIN")
        narrators.add_narrator(
            self._db, narrator_id=NARRATOR, name=NARRATOR, language=self.language, at=self.now
        )
        self._here = conversations.create_conversation(
            self._db,
            conversation_id=CONVERSATION,
            narrator_id=NARRATOR,
            opened_by=None,
            stage=None,
            at=self.now,
        )
        self._said = 0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.execute("ROLLBACK")
        self._database.close()

    def begin(self) -> Reply:
        """Speak first."""
        return self._say(greet(self._briefing().situation, self._bank))

    def answer(self, text: str) -> Reply:
        """Answer what the narrator says."""
        self.now += BETWEEN
        self._take(text)
        return self._say(reply(self._briefing().situation, self._bank))

    def come_back(self, idle: timedelta) -> Reply:
        """Greet the narrator who comes back after ``idle``."""
        self.now += idle
        briefing = self._briefing()
        return self._say(re_greet(briefing.situation, self._bank, briefing.idle), idle)

    @property
    def _db(self) -> Connection:
        return self._database.connection

    def _briefing(self) -> Briefing:
        return brief(
            self._db,
            here=self._here,
            first_stage=self._bank.stage_ids[0],
            now=self.now,
            settings=self.settings,
        )

    def _take(self, text: str) -> None:
        turn = turns.NewTurn(
            id=self._new_id("t"),
            conversation_id=CONVERSATION,
            user_id=None,
            client_id=None,
            speaker=Speaker.NARRATOR,
            text=text,
            said_at=self.now,
            stored_at=self.now,
            hearing=Hearing.TYPED,
        )
        turns.take_turn(self._db, turn, plan=Plan(), day=day_of(self.now, UTC))

    def _say(self, decision: Decision, idle: timedelta | None = None) -> Reply:
        """Store a whole reply with what its decision changes, in the order the server does."""
        self.now += BETWEEN / 4
        answers = [turn.id for turn in turns.unanswered(self._db, CONVERSATION)]
        reply_id, last = self._new_id("r"), len(decision.parts) - 1
        for index, part in enumerate(decision.parts):
            if index:
                replies.add_part(self._db, reply_id, part, final=index == last)
                continue
            replies.begin_reply(
                self._db,
                reply_id=reply_id,
                conversation_id=CONVERSATION,
                text=part,
                answers=answers,
                at=self.now,
                final=index == last,
            )
            memory.apply(self._db, NARRATOR, CONVERSATION, decision.changes, self.now)
        replies.mark_delivered(self._db, reply_id, last + 1)
        return reply_of(decision.parts, decision, self._briefing(), idle=idle)

    def _new_id(self, kind: str) -> str:
        self._said += 1
        return f"{kind}{self._said}"


def reply_of(
    parts: tuple[str, ...],
    decision: Decision,
    after: Briefing,
    *,
    idle: timedelta | None = None,
) -> Reply:
    """Return what was said, with what its decision changed."""
    known = after.situation.profile
    return Reply(
        parts=parts,
        intent=decision.intent.value,
        asked=tuple(key for key, _ in decision.changes.asked),
        slots=tuple(slot for _, slot in decision.changes.asked if slot is not None),
        profile=values_of(known),
        complete=known.complete,
        scripted=parts == decision.parts,
        idle=idle,
    )


def values_of(profile: Profile) -> dict[str, str | int | None]:
    """Return the profile by field."""
    return {name: getattr(profile, name) for name in PROFILE_FIELDS}
