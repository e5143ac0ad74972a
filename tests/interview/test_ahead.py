"""Which questions are likely next, and which wordings of them may stand for the script's."""

from dataclasses import replace

import pytest

from lifeecho_server.interview.ahead import (
    LIKELY_MOST,
    Ahead,
    likely_questions,
    means_the_same,
    question_of,
    taking_up,
    wording_ahead,
)
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decide import chips
from lifeecho_server.interview.decision import Decision, Intent
from lifeecho_server.interview.situation import Profile
from tests.interview.sitting import Sitting

BANKS = {language: Bank.load(language) for language in ("en", "zh")}
PROFILES = {
    "en": Profile("Rose", 1943, "Leeds", "Leeds", "weaver"),
    "zh": Profile("王奶奶", 1943, "苏州", "苏州", "教师"),
}
both = pytest.mark.parametrize("language", ["en", "zh"])


def opened(language: str) -> Sitting:
    sitting = Sitting(BANKS[language], profile=PROFILES[language])
    sitting.greet()
    return sitting


def likely(sitting: Sitting) -> dict[str, Ahead]:
    return {one.key: one for one in likely_questions(sitting.situation(), sitting.bank)}


@both
def test_they_are_few_and_the_same_for_the_same_situation(language: str) -> None:
    sitting = opened(language)
    first = likely_questions(sitting.situation(), sitting.bank)
    assert first == likely_questions(sitting.situation(), sitting.bank)
    assert 0 < len(first) <= LIKELY_MOST
    assert len({one.key for one in first}) == len(first)


@both
def test_the_decision_asks_what_was_likely(language: str) -> None:
    nothing = {"en": "I don't remember.", "zh": "不记得了。"}[language]
    sitting = opened(language)
    for _ in range(4):
        expected = likely(sitting)
        asked = question_of(sitting.say(nothing))
        assert asked is not None
        assert asked.key in expected


@both
def test_a_chip_asks_what_was_likely(language: str) -> None:
    sitting = opened(language)
    expected = likely(sitting)
    chip = chips(sitting.state, sitting.bank, 4)[0]
    asked = question_of(sitting.say(chip.text))
    assert asked is not None
    assert expected[asked.key] == asked


@both
def test_a_short_answer_asks_what_was_likely(language: str) -> None:
    sitting = opened(language)
    expected = likely(sitting)
    asked = question_of(sitting.say({"en": "It was small.", "zh": "挺小的。"}[language]))
    assert asked is not None
    assert expected[asked.key] == asked


def test_nothing_asked_before_is_likely() -> None:
    sitting = opened("en")
    for _ in range(12):
        keys = {asked.question for asked in sitting.state.asked}
        assert not keys & {key for one in likely(sitting) for key in one.split()}
        sitting.say("I don't remember.")


def test_before_the_profile_is_complete_nothing_is_likely() -> None:
    sitting = Sitting(BANKS["en"])
    sitting.greet()
    assert likely(sitting) == {}


def test_a_situation_with_words_to_answer_is_no_time_for_it() -> None:
    sitting = opened("en")
    sitting.say("It was small.")
    waiting = replace(sitting.situation(), unanswered=(sitting.history[1],))
    assert likely_questions(waiting, sitting.bank) == ()


def test_a_decision_that_only_the_script_may_say_has_no_question() -> None:
    assert question_of(Decision(Intent.DANGER, ("Call a doctor.",))) is None
    farewell = opened("en").say("That's all for today.")
    assert question_of(farewell) is None


@both
def test_a_question_taken_out_leaves_all_else_of_a_decision(language: str) -> None:
    decision = opened(language).say({"en": "It was small.", "zh": "挺小的。"}[language])
    directed = taking_up(decision, BANKS[language])
    assert directed.direction is not None
    assert not directed.direction.question_allowed
    assert replace(directed, direction=decision.direction) == decision


def test_a_question_alone_is_directed_with_its_wording() -> None:
    question = Ahead("school.teacher", "Which teacher do you remember?", "school.teacher")
    decision = wording_ahead(question, BANKS["en"])
    assert decision.direction is not None
    assert question.text in decision.direction.note
    assert decision.direction.question_allowed


@pytest.mark.parametrize(
    ("language", "slot", "worded", "same"),
    [
        ("en", "childhood.home", "What was your house like when you were little?", True),
        ("en", "childhood.home", "Can you tell me about the home you grew up in?", True),
        ("en", "childhood.home", "Which teacher do you remember best?", False),
        ("en", "childhood.home", "Where would you like to begin?", False),
        ("en", "childhood.home", "How are you?", False),
        ("zh", "childhood.home", "您小时候住的房子是什么样的呀？", True),
        ("zh", "childhood.home", "您小时候的家，是怎样一个地方？", True),
        ("zh", "childhood.home", "哪位老师您记得最牢？", False),
        ("zh", "childhood.home", "您想从哪里开始说？", False),
        ("zh", "childhood.home", "您好吗？", False),
    ],
)
def test_a_wording_must_be_about_the_same(
    language: str, slot: str, worded: str, same: bool
) -> None:
    bank = BANKS[language]
    question = Ahead(slot, bank.slots[slot].questions[0], slot)
    assert means_the_same(worded, question, bank) is same


@both
def test_the_scripts_own_wordings_mean_what_they_say(language: str) -> None:
    bank = BANKS[language]
    for slot in bank.slots.values():
        for text in slot.questions:
            assert means_the_same(text, Ahead(slot.id, slot.questions[0], slot.id), bank)
