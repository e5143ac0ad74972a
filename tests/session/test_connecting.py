"""What happens on connecting: every row of the contract's table, with a real server."""

from collections.abc import Callable

import pytest

from lifeecho_server.interview.situation import Profile
from tests.house import House


def say_one_thing(house: House, user: str = "rose") -> None:
    with house.opened(user) as talker:
        talker.text("We lived by the river.")
        talker.expect("message_ack")
        talker.reply()
        talker.quiet()


def test_empty_and_incomplete_asks_for_what_is_missing(house: House) -> None:
    house.elder("mary", profile=Profile(nickname="Mary"))
    with house.talker("mary") as talker:
        parts = talker.reply()
        talker.quiet()
    assert "Mary" in " ".join(part["text"] for part in parts)
    assert sum(part["text"].count("?") for part in parts) == 1


def test_empty_and_complete_opens_with_chips(house: House) -> None:
    with house.talker("rose") as talker:
        parts = talker.reply()
        chips = talker.expect("topic_suggestions")
        talker.quiet()
    assert parts[0]["index"] == 0
    assert chips["reason"] == "opening"
    assert chips["stage"] == "childhood"
    assert 1 <= len(chips["suggestions"]) <= 4
    assert set(chips["suggestions"][0]) == {"id", "label", "text", "slot"}


def test_soon_after_says_nothing_but_shows_chips(house: House) -> None:
    say_one_thing(house)
    house.clock.forward(hours=5)
    with house.talker("rose") as talker:
        assert talker.expect("topic_suggestions")["reason"] == "resume"
        talker.quiet()


def test_six_hours_later_greets_again_once(house: House) -> None:
    say_one_thing(house)
    house.clock.forward(hours=6)
    with house.talker("rose") as talker:
        assert talker.reply()
        assert talker.expect("topic_suggestions")["reason"] == "re_greeting"
        talker.quiet()
    with house.talker("rose") as talker:
        assert talker.expect("topic_suggestions")["reason"] == "resume"
        talker.quiet()


def test_re_greeting_switched_off(build_house: Callable[..., House]) -> None:
    house = build_house(re_greeting=False)
    house.elder("rose")
    say_one_thing(house)
    house.clock.forward(days=30)
    with house.talker("rose") as talker:
        assert talker.expect("topic_suggestions")["reason"] == "resume"
        talker.quiet()


def test_chips_switched_off(build_house: Callable[..., House]) -> None:
    house = build_house(chips=False)
    house.elder("rose")
    with house.talker("rose") as talker:
        talker.reply()
        talker.quiet()
    with house.talker("rose") as talker:
        talker.quiet()


@pytest.mark.parametrize("hours", [0, 7])
def test_not_empty_and_incomplete_says_nothing(house: House, hours: int) -> None:
    house.elder("mary", profile=Profile())
    with house.talker("mary") as talker:
        talker.reply()
        talker.quiet()
    house.clock.forward(hours=hours)
    with house.talker("mary") as talker:
        talker.quiet()


def test_unanswered_turn_is_answered_without_greeting(house: House) -> None:
    say_one_thing(house)
    house.change(
        lambda db: (
            db.execute("DELETE FROM turns WHERE speaker = 'interviewer'"),
            db.execute("UPDATE turns SET answered_by = NULL"),
        )
    )
    house.clock.forward(days=2)
    with house.talker("rose") as talker:
        assert talker.reply()
        talker.quiet()


def test_profile_by_talk_ends_in_the_opening(house: House) -> None:
    house.elder("mary", profile=Profile())
    with house.talker("mary") as talker:
        talker.reply()
        for answer in (
            "Call me Mary.",
            "I was born in 1941.",
            "I was born in Leeds.",
            "I grew up in York.",
            "I was a nurse.",
        ):
            talker.text(answer)
            talker.expect("message_ack")
            assert talker.reply()
        assert talker.expect("topic_suggestions")["reason"] == "opening"
    profile = house.ask(
        "SELECT nickname, birth_year, birth_place, grew_up_place, occupation"
        " FROM narrators WHERE id = 'mary'"
    )[0]
    assert profile[:4] == ("Mary", 1941, "Leeds", "York")
    assert "nurse" in profile[4]


def test_stage_follows_the_memoir_and_never_goes_back(house: House) -> None:
    say_one_thing(house)
    house.change(lambda db: db.execute("UPDATE narrators SET stage = 'work'"))
    with house.talker("rose") as talker:
        talker.expect("topic_suggestions")
    assert house.ask("SELECT stage FROM conversations") == [("work",)]
    house.change(lambda db: db.execute("UPDATE narrators SET stage = 'school'"))
    with house.talker("rose") as talker:
        talker.expect("topic_suggestions")
    assert house.ask("SELECT stage FROM conversations") == [("work",)]
