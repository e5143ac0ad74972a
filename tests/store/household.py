"""A small household for the store's tests: who is in it, and short ways to say things."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lifeecho_server.engines.transcriber import Segment, Transcript
from lifeecho_server.interview.situation import Hearing, Speaker
from lifeecho_server.settings import Plan
from lifeecho_server.store import conversations, narrators, people, quota, replies, turns
from lifeecho_server.store.database import Connection
from lifeecho_server.store.people import Level, Role
from lifeecho_server.store.recordings import NewRecording

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
TODAY = quota.day_of(NOON, UTC)
UNLIMITED = Plan()


def after(seconds: float) -> datetime:
    """Return a moment so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def settle_in(db: Connection) -> None:
    """Add an elder with a narrator of the same name, a daughter who talks, and a conversation."""
    people.add_user(db, user_id="elder", name="Elder", role=Role.ELDER, language="zh", at=NOON)
    people.add_user(
        db, user_id="daughter", name="Daughter", role=Role.FAMILY, language="en", at=after(1)
    )
    narrators.add_narrator(db, narrator_id="narrator", name="Elder", language="zh-CN", at=NOON)
    people.set_access(db, "elder", "narrator", Level.MANAGE)
    people.set_access(db, "daughter", "narrator", Level.TALK)
    open_conversation(db)


def open_conversation(db: Connection, conversation_id: str = "talk") -> None:
    """Open a conversation of the narrator's."""
    conversations.create_conversation(
        db,
        conversation_id=conversation_id,
        narrator_id="narrator",
        opened_by="elder",
        stage=None,
        at=NOON,
    )


def new_turn(turn_id: str, text: str = "words", *, said: float = 0.0) -> turns.NewTurn:
    """Return a typed turn of the narrator's, said and stored so many seconds after noon."""
    return turns.NewTurn(
        id=turn_id,
        conversation_id="talk",
        user_id="elder",
        client_id=None,
        speaker=Speaker.NARRATOR,
        text=text,
        said_at=after(said),
        stored_at=after(said),
    )


def recorded_turn(turn_id: str, *, said: float = 0.0) -> turns.NewTurn:
    """Return a turn whose recording has still to be recognised."""
    return replace(
        new_turn(turn_id, "", said=said),
        client_id=f"client-{turn_id}",
        hearing=Hearing.WAITING,
        recording=NewRecording(f"rec{turn_id}", f"{turn_id}.wav", "wav", None, 4, "0" * 64),
    )


def take(db: Connection, new: turns.NewTurn, plan: Plan = UNLIMITED) -> turns.Taken:
    """Take a turn on the household's day."""
    return turns.take_turn(db, new, plan=plan, day=TODAY)


def reply(
    db: Connection,
    reply_id: str,
    text: str = "and then?",
    *,
    answers: Sequence[str] = (),
    said: float = 0.0,
    final: bool = True,
) -> None:
    """Begin a reply so many seconds after noon."""
    replies.begin_reply(
        db,
        reply_id=reply_id,
        conversation_id="talk",
        text=text,
        answers=answers,
        final=final,
        at=after(said),
    )


def transcript(
    text: str = "hello there", *, speech: bool = True, seconds: float = 3.0
) -> Transcript:
    """Return a transcript with one segment, or of a recording in which nobody spoke."""
    segments = (Segment(0.25, seconds, text),) if speech else ()
    return Transcript(text if speech else "", "en", segments, seconds, speech)
