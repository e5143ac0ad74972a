import pytest

from lifeecho_server.interview.applied import state_after
from lifeecho_server.interview.decision import Changes
from lifeecho_server.interview.situation import (
    Asked,
    Coverage,
    Fact,
    FactKind,
    InterviewState,
    Leader,
    SlotState,
)
from lifeecho_server.store import (
    audit,
    conversations,
    memory,
    narrators,
    people,
    summary,
    turns,
)
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import NotFound
from tests.store.household import NOON, after, new_turn, reply, take


def apply(db: Connection, changes: Changes, seconds: float = 0) -> InterviewState:
    memory.apply(db, "narrator", "talk", changes, after(seconds))
    return memory.interview_state(db, "narrator")


def test_at_first_nothing_is_known(db: Connection) -> None:
    assert memory.interview_state(db, "narrator") == InterviewState()
    assert apply(db, Changes()) == InterviewState()
    with pytest.raises(NotFound):
        memory.interview_state(db, "nobody")


def test_the_profile_is_filled_and_refusals_are_kept(db: Connection) -> None:
    apply(db, Changes(profile={"birth_year": 1943}, refused=frozenset({"occupation"})))
    profile = narrators.find_narrator(db, "narrator").profile
    assert (profile.birth_year, profile.refused) == (1943, frozenset({"occupation"}))


def test_coverage_takes_the_new_value_and_gathers_evidence(db: Connection) -> None:
    for turn_id in ("a", "b"):
        take(db, new_turn(turn_id))
    home = "childhood.home"
    apply(db, Changes(coverage={home: (Coverage.TOUCHED, ("a",))}))
    state = apply(db, Changes(coverage={home: (Coverage.TOLD, ("a", "b", "deleted"))}))
    assert state.slots == {home: SlotState(Coverage.TOLD, ("a", "b"))}


def test_only_the_latest_evidence_is_read(db: Connection) -> None:
    turn_ids = tuple(f"t{number:02}" for number in range(memory.EVIDENCE_SHOWN + 5))
    for turn_id in turn_ids:
        take(db, new_turn(turn_id))
    state = apply(db, Changes(coverage={"work.first": (Coverage.TOLD, turn_ids)}))
    assert state.slots["work.first"].evidence == turn_ids[5:]


def test_what_was_declined_stays_declined(db: Connection) -> None:
    apply(db, Changes(declined=frozenset({"times.loss", "family.met"})))
    state = apply(db, Changes(coverage={"family.met": (Coverage.TOUCHED, ())}))
    assert state.slots == {
        "times.loss": SlotState(declined=True),
        "family.met": SlotState(Coverage.TOUCHED, declined=True),
    }


def test_questions_are_kept_in_the_order_of_asking(db: Connection) -> None:
    apply(db, Changes(asked=(("profile.nickname", None), ("home.1", "childhood.home"))), 1)
    state = apply(db, Changes(asked=(("profile.nickname", None),)), 2)
    assert state.asked == (
        Asked("profile.nickname", None, after(1)),
        Asked("home.1", "childhood.home", after(1)),
        Asked("profile.nickname", None, after(2)),
    )


def test_the_memoirs_stage_and_the_conversations_move_together(db: Connection) -> None:
    assert apply(db, Changes(stage="school")).stage == "school"
    assert apply(db, Changes()).stage == "school"
    conversation = conversations.conversation(db, "talk")
    assert conversation is not None
    assert (conversation.stage, conversation.started_at) == ("school", NOON)


def test_speech_becomes_slower_step_by_step_within_what_sounds_natural(db: Connection) -> None:
    def slower() -> int | None:
        memory.apply(db, "narrator", "talk", Changes(slower=True), NOON, usual_rate=120)
        return narrators.speaking_rate(db, "narrator")

    assert narrators.speaking_rate(db, "narrator") is None
    assert [slower() for _ in range(3)] == [100, 90, 90]
    assert narrators.speaking_rate(db, "nobody") is None


def test_the_store_changes_what_its_pure_twin_says(db: Connection) -> None:
    for turn_id in ("a", "b"):
        take(db, new_turn(turn_id))
    steps = [
        Changes(
            coverage={"childhood.home": (Coverage.TOUCHED, ("a",))},
            asked=(("childhood.home", "childhood.home"),),
            stage="childhood",
            leader=Leader.PERSON,
        ),
        Changes(
            declined=frozenset({"times.loss"}),
            sensitive=frozenset({"childhood.home", "family.meeting"}),
            avoided={"war": "b", "strike": "b"},
        ),
        Changes(reopened=frozenset({"times.loss"}), lifted=("war",), leader=Leader.INTERVIEWER),
    ]
    state = InterviewState()
    for seconds, changes in enumerate(steps):
        state = state_after(state, changes, after(seconds))
        assert apply(db, changes, seconds) == state
    assert state.avoided == ("strike",)


def test_a_deleted_refusal_leaves_no_topic_behind(db: Connection) -> None:
    take(db, new_turn("a"))
    assert apply(db, Changes(avoided={"war": "a", "gone": "unknown"})).avoided == ("war",)
    db.execute("DELETE FROM turns WHERE id = 'a'")
    assert memory.interview_state(db, "narrator").avoided == ()


def test_sealing_takes_the_words_out_of_history_and_summary(db: Connection) -> None:
    for turn_id in ("a", "b"):
        take(db, new_turn(turn_id, f"words {turn_id}", said=1 if turn_id == "a" else 3))
        reply(db, f"reply-{turn_id}", answers=(turn_id,), said=2 if turn_id == "a" else 4)
    summary.summarise(db, "narrator", lambda words: (Fact(FactKind.PERSON, words, words),))
    apply(db, Changes(seal=("a",)), 5)
    shown = [turn.id for turn in turns.history(db, "talk", 10)]
    assert shown == ["b", "reply-b"]
    assert [fact.words for fact in summary.remembered(db, "narrator")] == ["words b"]
    assert audit.is_removed(db, audit.Removed.SEALED, "a")
    summary.summarise(db, "narrator", lambda words: (Fact(FactKind.PERSON, words, words),))
    assert len(summary.remembered(db, "narrator")) == 1


def test_the_summary_is_the_narrators_own_bounded_and_follows_new_words(db: Connection) -> None:
    narrators.add_narrator(db, narrator_id="other", name="Other", language="zh", at=after(0))
    for number in range(summary.TURNS_AT_ONCE + 2):
        take(db, new_turn(f"t{number:02}", f"words {number}", said=number))

    def facts_of(words: str) -> tuple[Fact, ...]:
        return (Fact(FactKind.PLACE, words, words),)

    summary.summarise(db, "narrator", facts_of)
    assert len(summary.remembered(db, "narrator")) == summary.TURNS_AT_ONCE
    summary.summarise(db, "narrator", facts_of)
    assert len(summary.remembered(db, "narrator")) == summary.TURNS_AT_ONCE + 2
    assert len(summary.remembered(db, "narrator", frozenset({"t00"}))) == summary.TURNS_AT_ONCE + 1
    assert summary.remembered(db, "other") == ()
    db.execute("UPDATE turns SET text = 'mended' WHERE id = 't01'")
    summary.forget(db, "t01")
    summary.summarise(db, "narrator", facts_of)
    told = [fact.words for fact in summary.remembered(db, "narrator")]
    assert "mended" in told
    assert "words 1" not in told


def test_those_who_can_be_called_are_not_the_elder(db: Connection) -> None:
    assert people.family_of(db, "narrator") == ("Daughter",)
    people.disable_user(db, "daughter")
    assert people.family_of(db, "narrator") == ()
