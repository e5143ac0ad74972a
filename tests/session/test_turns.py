"""Turns: taken, acknowledged, answered; every error of the contract's table that has come due."""

import json
from collections.abc import Callable

import pytest

from lifeecho_server.interview.situation import Profile
from lifeecho_server.settings import Plan
from tests.house import Closed, House


def test_text_is_acknowledged_then_answered(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("My mother sang every evening.", "m-1")
        ack = talker.expect("message_ack")
        assert (ack["id"], ack["status"]) == ("m-1", "stored")
        parts = talker.reply()
    assert [part["index"] for part in parts] == list(range(len(parts)))
    assert [part["final"] for part in parts] == [False] * (len(parts) - 1) + [True]
    assert parts[-1]["total"] == len(parts)
    assert len({part["assistant_message_id"] for part in parts}) == 1
    stored = house.ask("SELECT id, text FROM turns WHERE speaker = 'narrator'")
    assert stored == [(ack["message_id"], "My mother sang every evening.")]


def test_what_is_said_is_what_is_stored(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("We ate.")
        talker.expect("message_ack")
        parts = [part["text"] for part in talker.reply()]
        reply_id = talker.seen[-1]["data"]["assistant_message_id"]
    stored = house.ask("SELECT text FROM reply_parts WHERE turn_id = ? ORDER BY position", reply_id)
    assert [text for (text,) in stored] == parts


def test_turn_without_an_id_is_acknowledged_too(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("We lived by the river.")
        ack = talker.expect("message_ack")
        assert ack["id"] is None
        assert ack["status"] == "stored"


def test_same_id_again_is_a_duplicate_without_effect(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("We lived by the river.", "m-1")
        first = talker.expect("message_ack")
        talker.reply()
        talker.text("Something else.", "m-1")
        again = talker.expect("message_ack")
        talker.quiet()
    assert again == {"id": "m-1", "message_id": first["message_id"], "status": "duplicate"}
    assert house.ask("SELECT count(*) FROM turns WHERE speaker = 'narrator'") == [(1,)]


def test_same_id_in_another_conversation_is_another_turn(house: House) -> None:
    for conversation in ("c-1", "c-2"):
        with house.opened("rose", conversation) as talker:
            talker.text("We lived by the river.", "m-1")
            assert talker.expect("message_ack")["status"] == "stored"
            talker.reply()


def test_duplicate_over_a_new_connection(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("We lived by the river.", "m-1")
        talker.expect("message_ack")
    with house.talker("rose") as talker:
        talker.text("We lived by the river.", "m-1")
        assert talker.until("message_ack")["status"] == "duplicate"


def test_blank_text_is_ignored(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("   ", "m-1")
        talker.quiet()


def test_unknown_type_is_ignored(house: House) -> None:
    with house.opened("rose") as talker:
        talker.say("something_new", x=1)
        talker.quiet()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no json", "BAD_MESSAGE"),
        ("[1]", "BAD_MESSAGE"),
        ('{"type": "text", "data": 1}', "BAD_MESSAGE"),
        ("{}", "MISSING_FIELD"),
        ('{"type": "text", "data": {}}', "MISSING_FIELD"),
        ('{"type": "text", "data": {"text": 1}}', "BAD_FIELD"),
    ],
)
def test_bad_message_is_told_and_the_connection_goes_on(
    house: House, frame: str, code: str
) -> None:
    with house.opened("rose", lang="en") as talker:
        talker.socket.send(frame)
        error = talker.error()
        assert error["code"] == code
        assert error["retryable"] is False
        talker.quiet()


def test_error_names_message_and_field_in_the_language_asked_for(house: House) -> None:
    with house.opened("rose", lang="zh") as talker:
        talker.say("text", "m-9")
        error = talker.error()
    assert error == {
        "code": "MISSING_FIELD",
        "message": "缺少 text",
        "retryable": False,
        "reply_to": "m-9",
        "field": "text",
    }


def test_twenty_bad_messages_in_a_row_close(house: House) -> None:
    with house.opened("rose", lang="en") as talker:
        for _ in range(19):
            talker.socket.send("?")
            talker.error()
        talker.say("ping")
        talker.expect("pong")
        for _ in range(20):
            talker.socket.send("?")
        assert talker.closed() == Closed(1008, "malformed message")
    assert [m["type"] for m in talker.seen[-20:]] == ["error"] * 20


def test_relatives_words_are_marked(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("She means the old mill.", speaker="relative")
        talker.expect("message_ack")
        talker.reply()
    assert house.ask("SELECT speaker FROM turns WHERE speaker <> 'interviewer'") == [("relative",)]
    assert house.ask("SELECT count(*) FROM slot_evidence") == [(0,)]


def test_turns_are_ordered_by_when_they_were_said(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("Second.", recorded_at="2026-02-02T00:00:00Z")
        talker.expect("message_ack")
        talker.reply()
        talker.text("First.", recorded_at="2026-02-01T00:00:00+00:00")
        talker.expect("message_ack")
        talker.reply()
    order = house.ask(
        "SELECT text FROM turns WHERE speaker = 'narrator' ORDER BY conversation_id, said_at, seq"
    )
    assert order == [("First.",), ("Second.",)]


def test_quota_is_told_with_its_end(build_house: Callable[..., House]) -> None:
    house = build_house(plans={"unlimited": Plan(turns_a_day=2)})
    house.elder("rose")
    with house.opened("rose", lang="en") as talker:
        for number in range(2):
            talker.text(f"Story {number}.", f"m-{number}")
            talker.expect("message_ack")
            talker.reply()
        talker.text("One more.", "m-2")
        error = talker.error()
        assert (error["code"], error["retryable"], error["reply_to"]) == (
            "QUOTA_EXCEEDED",
            True,
            "m-2",
        )
        assert error["resets_at"] > "2026-03-01"
        talker.text("Story 0.", "m-0")
        assert talker.expect("message_ack")["status"] == "duplicate"
        house.clock.forward(hours=25)
        talker.text("One more.", "m-2")
        assert talker.expect("message_ack")["status"] == "stored"


def test_too_much_waiting_is_busy_and_not_stored(build_house: Callable[..., House]) -> None:
    house = build_house(inbox_bytes=2000)
    house.elder("rose")
    with house.opened("rose") as talker:
        for number in range(40):
            talker.text("word " * 300, f"m-{number}")
        kinds: list[str] = []
        acked = 0
        while len(kinds) < 40:
            message = talker.next()
            if message["type"] == "message_ack":
                acked += 1
                kinds.append("ack")
            elif message["type"] == "error":
                assert message["data"]["code"] == "BUSY"
                assert message["data"]["retry_after"] > 0
                assert message["data"]["reply_to"].startswith("m-")
                kinds.append("busy")
    assert "busy" in kinds
    assert house.ask("SELECT count(*) FROM turns WHERE speaker = 'narrator'") == [(acked,)]


def test_message_beyond_the_limit_closes(build_house: Callable[..., House]) -> None:
    house = build_house(max_message_bytes=20_000)
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.socket.send(json.dumps({"type": "ping", "data": {"x": "a" * 30_000}}))
        assert talker.closed().code == 1009


def test_ended_conversation_says_nothing_and_takes_nothing(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("Goodbye.")
        talker.expect("message_ack")
        talker.reply()
        talker.say("end_conversation")
        assert talker.expect("end_conversation") == {"status": "ended"}
        assert talker.closed().code == 1000
    with house.socket(token=house.token("rose"), lang="en") as talker:
        assert talker.expect("connect")["ended"] is True
        talker.quiet()
        for kind, data in (
            ("text", {"text": "More."}),
            ("text", {"text": " "}),
            ("audio_message", {"audio_base64": "AAAA"}),
            ("transcribe_only", {"audio_base64": "AAAA"}),
        ):
            talker.say(kind, "m-1", **data)
            error = talker.error()
            assert (error["code"], error["reply_to"]) == ("ENDED", "m-1")
        talker.quiet()
        talker.say("end_conversation")
        talker.expect("end_conversation")
        assert talker.closed().code == 1000


def test_end_comes_after_what_was_said_before_it(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("One last thing.", "m-1")
        talker.say("end_conversation")
        assert talker.until("message_ack")["status"] == "stored"
        talker.until("end_conversation")
        assert talker.closed().code == 1000


def test_leaving_in_the_middle_answers_on_return(house: House) -> None:
    talker = house.opened("rose")
    talker.text("We lived by the river.", "m-1")
    talker.expect("message_ack")
    talker.socket.close()
    house.stop()
    rows = house.ask("SELECT answered_by FROM turns WHERE speaker = 'narrator'")
    house.change(
        lambda db: (
            db.execute("DELETE FROM turns WHERE id = ?", rows[0]),
            db.execute("UPDATE turns SET answered_by = NULL"),
        )
    )
    house.start()
    with house.talker("rose") as talker:
        assert talker.reply()
        talker.quiet()
    assert house.ask("SELECT count(*) FROM turns WHERE answered_by IS NOT NULL") == [(1,)]


def test_reply_that_never_went_out_is_delivered_on_return(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("We lived by the river.")
        talker.expect("message_ack")
        first = talker.reply()
        talker.quiet()
    house.stop()
    house.change(lambda db: db.execute("UPDATE turns SET delivered = 0"))
    house.start()
    with house.talker("rose") as talker:
        again = talker.reply()
        talker.quiet()
    assert [part["text"] for part in again] == [part["text"] for part in first]
    assert again[0]["assistant_message_id"] == first[0]["assistant_message_id"]


def test_last_message_id_is_told_for_resuming(house: House) -> None:
    with house.opened("rose") as talker:
        talker.text("We lived by the river.")
        talker.expect("message_ack")
        reply_id = talker.reply()[0]["assistant_message_id"]
    with house.socket(token=house.token("rose")) as talker:
        assert talker.expect("connect")["resume"]["last_message_id"] == reply_id


def test_fault_of_ours_is_told_with_a_reference(house: House) -> None:
    trigger = "CREATE TRIGGER broken BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'x'); END"
    with house.opened("rose", lang="en") as talker:
        house.change(lambda db: db.execute(trigger))
        talker.text("We lived by the river.", "m-1")
        error = talker.error()
        assert (error["code"], error["retryable"], error["reply_to"]) == ("INTERNAL", True, "m-1")
        assert error["reference"]
        house.change(lambda db: db.execute("DROP TRIGGER broken"))
        talker.text("We lived by the river.", "m-1")
        assert talker.expect("message_ack")["status"] == "stored"


def test_greeting_that_was_cut_off_is_said_again(build_house: Callable[..., House]) -> None:
    house = build_house(part_pause=0.2)
    house.elder("mary", profile=Profile())
    with house.talker("mary") as talker:
        assert talker.expect("agent_response")["final"] is False
    with house.talker("mary") as talker:
        assert "?" in talker.reply()[-1]["text"]
    with house.talker("mary") as talker:
        talker.quiet()


def test_reply_that_was_cut_off_is_made_anew(build_house: Callable[..., House]) -> None:
    house = build_house(part_pause=0.2)
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.text("We had a garden with a plum tree.")
        talker.expect("message_ack")
        assert talker.expect("agent_response")["final"] is False
    with house.talker("rose") as talker:
        assert talker.reply()[-1]["final"] is True
        talker.quiet()
    [(answered,)] = house.ask("SELECT answered_by FROM turns WHERE speaker = 'narrator'")
    assert answered == house.ask("SELECT id FROM turns ORDER BY seq DESC LIMIT 1")[0][0]


def test_subject_can_be_changed_again_and_again(house: House) -> None:
    with house.opened("rose") as talker:
        stages = []
        for _ in range(3):
            talker.text("Let's talk about something else.")
            talker.expect("message_ack")
            talker.reply()
            stages.append(house.ask("SELECT stage FROM conversations")[0][0])
    assert stages == ["school", "work", "family"]


def test_ending_that_could_not_be_stored_is_told_and_the_talk_goes_on(house: House) -> None:
    trigger = "CREATE TRIGGER broken BEFORE UPDATE OF ended_at ON conversations BEGIN"
    with house.opened("rose", lang="en") as talker:
        house.change(lambda db: db.execute(f"{trigger} SELECT RAISE(ABORT, 'x'); END"))
        talker.say("end_conversation", "e-1")
        assert talker.error()["reply_to"] == "e-1"
        talker.text("Then I will tell one more.")
        talker.expect("message_ack")
        assert talker.reply()
        house.change(lambda db: db.execute("DROP TRIGGER broken"))
        talker.say("end_conversation")
        talker.expect("end_conversation")


def test_reply_that_could_not_be_made_is_told_and_made_up_for(house: House) -> None:
    trigger = "CREATE TRIGGER broken BEFORE INSERT ON reply_parts BEGIN"
    with house.opened("rose", lang="en") as talker:
        house.change(lambda db: db.execute(f"{trigger} SELECT RAISE(ABORT, 'x'); END"))
        talker.text("We lived by the river.")
        talker.expect("message_ack")
        error = talker.error()
        assert (error["code"], error["retryable"]) == ("REPLY_FAILED", True)
        assert error["reference"]
        house.change(lambda db: db.execute("DROP TRIGGER broken"))
        talker.text("And the garden was my mother's.")
        talker.expect("message_ack")
        assert talker.reply()
    assert house.ask("SELECT count(*) FROM turns WHERE answered_by IS NOT NULL") == [(2,)]
