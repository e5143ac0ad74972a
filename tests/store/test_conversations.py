from dataclasses import replace

import pytest
import trio

from lifeecho_server.interview.decision import Changes
from lifeecho_server.interview.situation import Coverage, Fact, FactKind
from lifeecho_server.store import conversations, memory, summary, voice_sessions
from lifeecho_server.store.conversations import Conversation
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import ConversationDeleted, ConversationEnded, NotFound
from lifeecho_server.store.store import Store
from tests.store.household import (
    NOON,
    after,
    new_turn,
    open_conversation,
    recorded_turn,
    reply,
    take,
)


def get(db: Connection, conversation_id: str = "talk") -> Conversation:
    found = conversations.conversation(db, conversation_id)
    assert found is not None
    return found


def test_a_new_conversation_is_empty(db: Connection) -> None:
    assert get(db) == Conversation("talk", "narrator", "elder", None, NOON, None, None, None, 0)
    assert conversations.conversation(db, "unknown") is None


async def test_two_who_open_the_same_conversation_at_once_share_it(store: Store) -> None:
    opened: list[Conversation] = []

    async def open_by(user_id: str) -> None:
        opened.append(
            await store.write(
                lambda db: conversations.create_conversation(
                    db,
                    conversation_id="new",
                    narrator_id="narrator",
                    opened_by=user_id,
                    stage="childhood",
                    at=NOON,
                )
            )
        )

    async with trio.open_nursery() as nursery:
        nursery.start_soon(open_by, "elder")
        nursery.start_soon(open_by, "daughter")
    assert opened[0] == opened[1]


def test_counts_and_the_last_message_are_kept_as_they_change(db: Connection) -> None:
    take(db, new_turn("a", said=10))
    take(db, new_turn("b", said=5))
    assert (get(db).turn_count, get(db).last_message_at) == (2, after(10))
    reply(db, "r", answers=["a", "b"], said=20)
    assert (get(db).turn_count, get(db).last_message_at) == (3, after(20))


def test_the_latest_conversation_comes_first(db: Connection) -> None:
    open_conversation(db, "second")
    open_conversation(db, "third")
    take(db, new_turn("a", said=10))
    conversations.delete_conversation(db, "third", NOON)
    found = conversations.conversations_of(db, "narrator")
    assert [conversation.id for conversation in found] == ["talk", "second"]


def test_a_conversation_ends_once_and_takes_nothing_more(db: Connection) -> None:
    take(db, new_turn("a"))
    assert conversations.end_conversation(db, "talk", after(1)) == after(1)
    assert conversations.end_conversation(db, "talk", after(2)) == after(1)
    with pytest.raises(ConversationEnded):
        take(db, new_turn("b"))
    with pytest.raises(ConversationEnded):
        reply(db, "r", answers=["a"])
    with pytest.raises(NotFound):
        conversations.end_conversation(db, "unknown", NOON)
    assert get(db).turn_count == 1


def test_a_stage_is_set(db: Connection) -> None:
    conversations.set_stage(db, "talk", "school")
    assert get(db).stage == "school"


def test_a_deleted_conversation_is_empty_and_refused(db: Connection) -> None:
    take(db, recorded_turn("a"))
    reply(db, "r", answers=["a"])
    assert conversations.delete_conversation(db, "talk", after(9)) == ["a.wav"]
    assert get(db) == Conversation("talk", "narrator", None, None, NOON, None, None, after(9), 0)
    for table in ("turns", "recordings", "reply_parts"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    with pytest.raises(ConversationDeleted):
        take(db, recorded_turn("a"))
    with pytest.raises(ConversationDeleted):
        reply(db, "r2")
    with pytest.raises(NotFound):
        conversations.delete_conversation(db, "unknown", NOON)


def test_deleting_takes_out_of_the_memoir_what_rested_on_it(db: Connection) -> None:
    take(db, new_turn("a"))
    open_conversation(db, "kept")
    take(db, replace(new_turn("b"), conversation_id="kept"))
    summary.summarise(db, "narrator", lambda words: (Fact(FactKind.PERSON, words, words),))
    assert len(summary.remembered(db, "narrator")) == 2
    covered = {
        "childhood.home": (Coverage.TOLD, ("a",)),
        "childhood.parents": (Coverage.TOLD, ("a", "b")),
    }
    memory.apply(db, "narrator", "talk", Changes(coverage=covered), NOON)
    _write_story(db, "gone", {"g1": ["a"], "g2": ["a"]})
    _write_story(db, "rebuilt", {"s1": ["a", "b"], "s2": ["b"]})
    for name, evidence in {"p1": ["a"], "p2": ["a", "b"], "p3": ["b"]}.items():
        db.execute(
            "INSERT INTO people_places (id, narrator_id, kind, name)"
            " VALUES (?, 'narrator', 'person', 'someone')",
            (name,),
        )
        db.executemany(
            "INSERT INTO people_places_evidence VALUES (?, ?)", [(name, t) for t in evidence]
        )
    conversations.delete_conversation(db, "talk", NOON)
    assert _ids(db, "stories") == ["rebuilt"]
    assert _ids(db, "sentences") == ["s2"]
    assert _ids(db, "people_places") == ["p2", "p3"]
    assert len(summary.remembered(db, "narrator")) == 1
    slots = memory.interview_state(db, "narrator").slots
    assert (slots["childhood.home"].coverage, slots["childhood.home"].evidence) == (
        Coverage.EMPTY,
        (),
    )
    assert slots["childhood.parents"].evidence == ("b",)
    assert slots["childhood.parents"].coverage is Coverage.TOLD


def test_voice_sessions_that_are_not_complete_are_told(db: Connection) -> None:
    for name, closed, complete, last in (("a", 1, 0, 3), ("b", None, 0, None), ("c", 1, 1, 0)):
        db.execute(
            "INSERT INTO voice_sessions (id, conversation_id, client_id, speaker, said_at,"
            " opened_at, closed_at, complete, last_index)"
            " VALUES (?, 'talk', ?, 'narrator', 0, 0, ?, ?, ?)",
            (f"session-{name}", name, closed, complete, last),
        )
    take(db, recorded_turn("t"))
    for index in (3, 0, 1):
        db.execute(
            "INSERT INTO slices (voice_session_id, segment_index, recording_id, received_at)"
            " VALUES ('session-a', ?, 'rect', 0)",
            (index,),
        )
    assert voice_sessions.open_voice_sessions(db, "talk") == [
        voice_sessions.OpenVoiceSession("a", (0, 1, 3), 3, True),
        voice_sessions.OpenVoiceSession("b", (), None, False),
    ]


def _write_story(db: Connection, story_id: str, sentences: dict[str, list[str]]) -> None:
    db.execute(
        "INSERT INTO chapters (id, narrator_id, stage, title, changed_at)"
        " VALUES ('chapter', 'narrator', 'childhood', 'Childhood', 0) ON CONFLICT DO NOTHING"
    )
    db.execute(
        "INSERT INTO stories (id, chapter_id, title, told_at, changed_at)"
        " VALUES (?, 'chapter', 'A story', 0, 0)",
        (story_id,),
    )
    for position, (sentence, evidence) in enumerate(sentences.items()):
        db.execute(
            "INSERT INTO sentences (id, story_id, position, text, origin)"
            " VALUES (?, ?, ?, 'words', 'written')",
            (sentence, story_id, position),
        )
        db.executemany(
            "INSERT INTO sentence_evidence (sentence_id, turn_id) VALUES (?, ?)",
            [(sentence, turn_id) for turn_id in evidence],
        )


def _ids(db: Connection, table: str) -> list[str]:
    return [id_ for (id_,) in db.execute(f"SELECT id FROM {table} ORDER BY id")]
