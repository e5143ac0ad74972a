from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifeecho_server.interview.situation import Hearing, Speaker, Turn
from lifeecho_server.settings import Plan
from lifeecho_server.store import conversations, quota, replies, transcripts, turns
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import NotFound, QuotaExceeded
from tests.store.household import (
    NOON,
    TODAY,
    after,
    new_turn,
    open_conversation,
    recorded_turn,
    reply,
    take,
    transcript,
)


def ids(found: tuple[Turn, ...]) -> list[str]:
    return [turn.id for turn in found]


def turn_count(db: Connection) -> int:
    found = conversations.conversation(db, "talk")
    assert found is not None
    return found.turn_count


def test_a_turn_is_kept_as_it_was_said(db: Connection) -> None:
    taken = take(db, new_turn("a", "we had a mill", said=1))
    assert taken == turns.Taken("a", False, Hearing.TYPED)
    said = Turn("a", Speaker.NARRATOR, "we had a mill", after(1), Hearing.TYPED)
    assert turns.turn(db, "a") == said
    assert turns.unanswered(db, "talk") == (said,)
    assert turns.history(db, "talk", 10) == ()


def test_a_turn_of_no_conversation_is_refused(db: Connection) -> None:
    with pytest.raises(NotFound):
        take(db, replace(new_turn("a"), conversation_id="unknown"))


def test_the_same_message_twice_has_one_effect(db: Connection) -> None:
    first = replace(new_turn("a"), client_id="c1")
    take(db, first)
    again = take(db, replace(first, id="b", text="other words"))
    assert again == turns.Taken("a", True, Hearing.TYPED)
    assert turns.find_duplicate(db, "talk", "c1") == again
    assert turns.find_duplicate(db, "talk", "c2") is None
    assert turn_count(db) == 1
    assert quota.used(db, "elder", TODAY).turns == 1


def test_a_duplicate_is_answered_before_quota_and_after_the_end(db: Connection) -> None:
    plan = Plan(turns_a_day=1)
    first = replace(new_turn("a"), client_id="c1")
    take(db, first, plan)
    assert take(db, first, plan).duplicate
    with pytest.raises(QuotaExceeded) as refused:
        take(db, new_turn("b"), plan)
    assert refused.value.resets_at == after(12 * 3600)
    conversations.end_conversation(db, "talk", NOON)
    assert take(db, first, plan).duplicate


def test_a_refused_turn_leaves_nothing(db: Connection) -> None:
    with pytest.raises(QuotaExceeded):
        take(db, recorded_turn("a"), Plan(audio_minutes_a_day=0))
    take(db, new_turn("b"), Plan(audio_minutes_a_day=0))
    assert turn_count(db) == 1
    assert db.execute("SELECT count(*) FROM recordings").fetchone() == (0,)


def test_turns_are_in_the_order_in_which_they_were_said(db: Connection) -> None:
    for turn_id, said in (("late", 30), ("early", 10), ("same1", 20), ("same2", 20)):
        take(db, new_turn(turn_id, said=said))
    order = ["early", "same1", "same2", "late"]
    assert ids(turns.unanswered(db, "talk")) == order
    assert turns.last_message_id(db, "talk") == "late"
    reply(db, "r", answers=order, said=40)
    assert ids(turns.history(db, "talk", 10)) == [*order, "r"]
    assert ids(turns.history(db, "talk", 2)) == ["late", "r"]


def test_a_phone_whose_clock_is_ahead_does_not_speak_from_the_future(db: Connection) -> None:
    take(db, replace(new_turn("a"), said_at=after(3600)))
    said = turns.turn(db, "a")
    assert said is not None
    assert said.said_at == NOON


def test_a_reply_answers_the_turns_it_names(db: Connection) -> None:
    for turn_id in ("a", "b", "c"):
        take(db, new_turn(turn_id))
    reply(db, "r", "tell me more", answers=["a", "b"], said=1)
    assert ids(turns.unanswered(db, "talk")) == ["c"]
    assert ids(turns.history(db, "talk", 10)) == ["a", "b", "r"]
    assert turns.last_message_id(db, "talk") == "r"
    with pytest.raises(NotFound):
        replies.begin_reply(
            db, reply_id="x", conversation_id="unknown", text="x", answers=(), at=NOON, final=True
        )


def test_a_reply_grows_part_by_part(db: Connection) -> None:
    reply(db, "r", "first")
    assert replies.add_part(db, "r", "second\nline", final=True) == 1
    assert replies.add_part(db, "r", "third", final=True) == 2
    assert turns.last_turn(db, "talk") == Turn(
        "r", Speaker.INTERVIEWER, "first\nsecond\nline\nthird", NOON, Hearing.TYPED
    )
    assert replies.parts_of(db, "r") == ("first", "second\nline", "third")
    with pytest.raises(NotFound):
        replies.add_part(db, "unknown", "x", final=True)


def test_a_reply_grows_sentence_by_sentence(db: Connection) -> None:
    reply(db, "r", "One.")
    replies.extend_part(db, "r", "One. Two.", final=False)
    replies.add_part(db, "r", "Three.", final=False)
    replies.extend_part(db, "r", "Three. Four.", final=True)
    assert replies.parts_of(db, "r") == ("One. Two.", "Three. Four.")
    last = turns.last_turn(db, "talk")
    assert last is not None
    assert last.text == "One. Two.\nThree. Four."
    found = replies.undelivered_reply(db, "talk")
    assert found is not None
    assert found.finished
    with pytest.raises(NotFound):
        replies.extend_part(db, "unknown", "x", final=True)


def test_a_reply_that_never_arrived_is_found_until_it_has(db: Connection) -> None:
    assert replies.undelivered_reply(db, "talk") is None
    take(db, new_turn("a"))
    reply(db, "r", "first", answers=["a"], said=1)
    replies.add_part(db, "r", "second", final=True)
    whole = replies.Reply("r", ("first", "second"), finished=True, answers=True)
    assert replies.undelivered_reply(db, "talk") == whole
    replies.mark_delivered(db, "r", 1)
    assert replies.undelivered_reply(db, "talk") is None


def test_a_reply_that_was_cut_off_is_found_until_it_is_taken_back(db: Connection) -> None:
    take(db, new_turn("a"))
    reply(db, "r", "first", answers=["a"], said=1, final=False)
    replies.mark_delivered(db, "r", 1)
    cut = replies.Reply("r", ("first",), finished=False, answers=True)
    assert replies.undelivered_reply(db, "talk") == cut
    assert turns.unanswered(db, "talk") == ()
    replies.take_back(db, conversation_id="talk", reply_id="r")
    assert replies.undelivered_reply(db, "talk") is None
    assert [turn.id for turn in turns.unanswered(db, "talk")] == ["a"]


def test_a_greeting_answers_nothing(db: Connection) -> None:
    reply(db, "r", "hello")
    found = replies.undelivered_reply(db, "talk")
    assert found == replies.Reply("r", ("hello",), finished=True, answers=False)


def test_a_reply_comes_last_even_when_the_clock_was_set_back(db: Connection) -> None:
    take(db, new_turn("a", said=100))
    reply(db, "r", answers=["a"], said=50)
    assert turns.last_message_id(db, "talk") == "r"


def test_a_reply_is_no_longer_undelivered_once_the_person_has_gone_on(db: Connection) -> None:
    reply(db, "r", said=1)
    take(db, new_turn("a", said=2))
    assert replies.undelivered_reply(db, "talk") is None


def test_what_was_sealed_is_in_no_prompt(db: Connection) -> None:
    open_conversation(db, "today")
    for turn_id in ("open", "secret"):
        take(db, new_turn(turn_id))
    reply(db, "r", answers=["open", "secret"])
    db.execute("UPDATE turns SET sealed = 1 WHERE id = 'secret'")
    assert ids(turns.history(db, "talk", 10)) == ["open", "r"]
    assert ids(turns.told_before(db, "narrator", "today", 10)) == ["open"]


def test_what_was_told_before_comes_from_other_conversations(db: Connection) -> None:
    for number, conversation_id in enumerate(("first", "second", "today", "silent")):
        open_conversation(db, conversation_id)
        if conversation_id != "silent":
            for turn in (new_turn(f"{conversation_id}{i}", said=number * 10 + i) for i in (0, 1)):
                take(db, replace(turn, conversation_id=conversation_id))
    helped = replace(new_turn("helped", said=15), conversation_id="second")
    take(db, replace(helped, speaker=Speaker.RELATIVE))
    told = turns.told_before(db, "narrator", "today", 10)
    assert ids(told) == ["first0", "first1", "second0", "second1"]
    assert ids(turns.told_before(db, "narrator", "today", 3)) == ["first1", "second0", "second1"]


def test_a_recording_is_heard_later(db: Connection) -> None:
    taken = take(db, recorded_turn("a", said=1))
    assert taken.hearing is Hearing.WAITING
    (waiting,) = transcripts.waiting_recognitions(db)
    assert waiting == transcripts.WaitingRecognition(
        "a", "talk", "narrator", "elder", Speaker.NARRATOR, "reca", "a.wav", "wav", None
    )
    assert transcripts.waiting_recognition(db, "a") == waiting
    assert [turn.hearing for turn in turns.unanswered(db, "talk")] == [Hearing.WAITING]
    stored = transcripts.store_transcript(db, "a", transcript(seconds=90), model="m", at=NOON)
    assert stored == transcripts.StoredTranscript(1, Hearing.HEARD)
    assert turns.turn(db, "a") == Turn(
        "a", Speaker.NARRATOR, "hello there", after(1), Hearing.HEARD
    )
    assert transcripts.waiting_recognitions(db) == []
    assert transcripts.waiting_recognition(db, "a") is None
    assert quota.used(db, "elder", TODAY) == quota.Use(1, 90.0)
    segments = db.execute("SELECT start_ms, end_ms, text, unsure FROM segments").fetchall()
    assert segments == [(250, 90_000, "hello there", 0)]


def test_a_later_transcript_replaces_the_first_and_counts_its_audio_once(db: Connection) -> None:
    take(db, recorded_turn("a"))
    transcripts.store_transcript(db, "a", transcript("halo", seconds=60), model="m", at=NOON)
    stored = transcripts.store_transcript(
        db, "a", transcript("hello", seconds=70), model="better", at=NOON
    )
    assert stored.revision == 2
    assert quota.used(db, "elder", TODAY) == quota.Use(1, 70.0)
    rows = db.execute("SELECT revision, text, model FROM transcripts").fetchall()
    assert rows == [(2, "hello", "better")]


def test_unsure_speech_is_still_a_turn(db: Connection) -> None:
    take(db, recorded_turn("a"))
    unsure = replace(transcript(""), unsure=True)
    stored = transcripts.store_transcript(db, "a", unsure, model="m", at=NOON)
    assert stored.hearing is Hearing.UNSURE
    assert ids(turns.unanswered(db, "talk")) == ["a"]


def test_a_recording_in_which_nobody_spoke_is_no_turn_but_known_again(db: Connection) -> None:
    take(db, new_turn("before"))
    silent = recorded_turn("a", said=5)
    take(db, silent)
    stored = transcripts.store_transcript(
        db, "a", transcript(speech=False, seconds=30), model="m", at=NOON
    )
    assert stored.hearing is None
    assert ids(turns.unanswered(db, "talk")) == ["before"]
    assert turns.last_message_id(db, "talk") == "before"
    assert turns.turn(db, "a") is None
    found = conversations.conversation(db, "talk")
    assert found is not None
    assert (found.turn_count, found.last_message_at) == (1, NOON)
    assert quota.used(db, "elder", TODAY) == quota.Use(1, 30.0)
    assert take(db, silent) == turns.Taken("a", True, None)


def test_what_was_not_heard_at_first_becomes_a_turn_after_all(db: Connection) -> None:
    take(db, recorded_turn("a", said=5))
    for speech, appeared in ((False, False), (False, False), (True, True), (True, False)):
        heard = transcript(speech=speech, seconds=30)
        stored = transcripts.store_transcript(db, "a", heard, model="m", at=NOON)
        assert stored.appeared is appeared
    assert ids(turns.unanswered(db, "talk")) == ["a"]
    assert turn_count(db) == 1
    assert quota.used(db, "elder", TODAY) == quota.Use(1, 30.0)


def test_recognition_that_failed_is_tried_again_on_demand(db: Connection) -> None:
    failing = recorded_turn("a")
    take(db, failing)
    assert not transcripts.wait_again(db, "a")
    transcripts.mark_failed(db, "a")
    assert take(db, failing) == turns.Taken("a", True, Hearing.FAILED)
    assert transcripts.waiting_recognitions(db) == []
    assert transcripts.wait_again(db, "a")
    assert [waiting.turn_id for waiting in transcripts.waiting_recognitions(db)] == ["a"]


def test_a_transcript_of_a_deleted_turn_is_refused(db: Connection) -> None:
    take(db, recorded_turn("a"))
    conversations.delete_conversation(db, "talk", NOON)
    with pytest.raises(NotFound):
        transcripts.store_transcript(db, "a", transcript(), model="m", at=NOON)


@given(
    messages=st.lists(st.integers(0, 12), max_size=30),
    allowed=st.none() | st.integers(0, 8),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_quota_is_never_doubled_or_lost(
    db: Connection, messages: list[int], allowed: int | None
) -> None:
    """Whatever comes twice: what is counted is what is stored, and no more than allowed."""
    db.execute("SAVEPOINT example")
    plan = Plan(turns_a_day=allowed)
    refused = 0
    for number, name in enumerate(messages):
        try:
            take(db, replace(new_turn(f"t{number}"), client_id=f"c{name}"), plan)
        except QuotaExceeded:
            refused += 1
    different = len(set(messages))
    stored = different if allowed is None else min(allowed, different)
    assert turn_count(db) == stored == quota.used(db, "elder", TODAY).turns
    assert (refused > 0) == (stored < different)
    db.execute("ROLLBACK TO example")
    db.execute("RELEASE example")
