"""Recordings in slices as they are stored: which slices were heard, and what waits."""

from pathlib import Path

from lifeecho_server.engines.transcriber import Transcript
from lifeecho_server.interview.situation import Speaker
from lifeecho_server.store import slices, voice_sessions
from lifeecho_server.store.database import Connection, Database
from lifeecho_server.store.migrations import STEPS
from lifeecho_server.store.recordings import NewRecording
from lifeecho_server.store.values import micros
from tests.store.household import NOON, TODAY, UNLIMITED, after, settle_in

WORDS = Transcript("words", "en", (), 1.0, speech=True)


def take_slice(db: Connection, name: str, index: int, *, last: bool = False, at: float = 0) -> None:
    """Store a slice of the session ``name``, and the session with its first one."""
    new = slices.NewSlice(
        session_id=name,
        conversation_id="talk",
        client_id=name,
        user_id="elder",
        index=index,
        is_last=last,
        speaker=Speaker.NARRATOR,
        said_at=after(at),
        received_at=after(at),
        recording=NewRecording(f"{name}{index}", f"{name}{index}", "wav", None, 4, "0" * 64),
    )
    slices.take_slice(db, new, plan=UNLIMITED, day=TODAY, idle=after(1) - NOON)


def close(db: Connection, name: str, *heard: int, transcript: Transcript | None = WORDS) -> None:
    """Make a turn of a session, of the slices that were heard."""
    voice_sessions.close_session(
        db,
        session_id=name,
        turn_id=f"turn-{name}",
        transcript=transcript,
        failed=False,
        heard=heard,
        day=TODAY,
        at=after(10),
    )


def shown(db: Connection, name: str) -> voice_sessions.ShownSession:
    session = voice_sessions.shown_session(db, "talk", name)
    assert session is not None
    return session


def test_what_is_missing_of_a_transcript_is_what_it_was_made_without(db: Connection) -> None:
    take_slice(db, "a", 0)
    take_slice(db, "a", 2, last=True)
    close(db, "a", 0, 2)
    assert (shown(db, "a").missing, shown(db, "a").stale) == ((1,), False)
    take_slice(db, "a", 1, at=20)
    assert (shown(db, "a").missing, shown(db, "a").stale) == ((1,), True)
    session = voice_sessions.voice_session(db, "a")
    assert session is not None
    voice_sessions.amend_session(db, session, WORDS, at=after(30))
    assert (shown(db, "a").missing, shown(db, "a").stale) == ((), False)


def test_a_slice_that_comes_while_its_session_closes_makes_it_stale(db: Connection) -> None:
    take_slice(db, "a", 0)
    take_slice(db, "a", 2, last=True)
    take_slice(db, "a", 1)
    take_slice(db, "a", 3)  # behind the last one: no part of it
    close(db, "a", 0, 2)
    assert (shown(db, "a").missing, shown(db, "a").stale) == ((1,), True)


def test_all_that_wait_are_found_oldest_first(db: Connection) -> None:
    names = [f"s{number:03}" for number in range(130)]
    for at, name in enumerate(reversed(names)):
        take_slice(db, name, 0, at=at)
        close(db, name, 0, transcript=None)
    assert voice_sessions.sessions_to_recognise(db) == names[::-1]


def test_a_late_slice_of_a_turn_that_is_gone_waits_for_nothing(db: Connection) -> None:
    take_slice(db, "a", 0)
    take_slice(db, "a", 1)
    close(db, "a", 0)
    assert voice_sessions.sessions_to_recognise(db) == ["a"]
    db.execute("DELETE FROM turns WHERE id = 'turn-a'")
    assert voice_sessions.sessions_to_recognise(db) == []


def test_slices_that_an_older_version_heard_count_as_heard(path: Path) -> None:
    def row(db: Connection, name: str, index: int, at: float) -> None:
        recording = (f"{name}{index}", f"{name}{index}", "0" * 64)
        db.execute(
            "INSERT INTO recordings (id, conversation_id, path, format, bytes, sha256, created_at)"
            " VALUES (?, 'talk', ?, 'wav', 4, ?, 0)",
            recording,
        )
        db.execute(
            "INSERT INTO slices VALUES (?, ?, ?, ?)",
            (name, index, f"{name}{index}", micros(after(at))),
        )

    with Database.open(path, steps=STEPS[:3]) as database, database.transaction() as db:
        settle_in(db)
        for name, closed, stale in (("open", None, 0), ("stale", 10, 1), ("amended", 10, 0)):
            db.execute(
                "INSERT INTO voice_sessions (id, conversation_id, client_id, speaker, said_at,"
                " opened_at, closed_at, stale) VALUES (?1, 'talk', ?1, 'narrator', 0, 0, ?2, ?3)",
                (name, None if closed is None else micros(after(closed)), stale),
            )
            row(db, name, 0, at=1)
            row(db, name, 1, at=20)
    with Database.open(path) as database:
        heard = database.connection.execute(
            "SELECT voice_session_id, segment_index FROM slices WHERE heard = 1 ORDER BY 1, 2"
        ).fetchall()
    assert heard == [("amended", 0), ("amended", 1), ("stale", 0)]
