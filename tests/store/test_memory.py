import pytest

from lifeecho_server.interview.decision import Changes
from lifeecho_server.interview.situation import Asked, Coverage, InterviewState, SlotState
from lifeecho_server.store import conversations, memory, narrators
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import NotFound
from tests.store.household import NOON, after, new_turn, take


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
