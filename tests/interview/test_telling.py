"""How a story is asked into, followed and left alone."""

import re

import pytest

from lifeecho_server.interview.applied import state_after
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decide import chips
from lifeecho_server.interview.decision import Changes, Decision, Intent
from lifeecho_server.interview.questions import follows_up
from lifeecho_server.interview.situation import (
    Asked,
    Coverage,
    InterviewState,
    Leader,
    Profile,
    SlotState,
)
from lifeecho_server.interview.topics import refused_topics, touches
from tests.interview.sitting import NOW, Sitting

EN, ZH = Bank.load("en"), Bank.load("zh")
ROSE = Profile("Rose", 1943, "Leeds", "Leeds", "baker")
STORY = (
    "There was a long garden behind the house with a pear tree, and my cousin Albert fell out of "
    "it every summer without fail, so they tied a mattress round the trunk."
)


def sitting(*asked: str, bank: Bank = EN, stage: str = "childhood") -> Sitting:
    keys = tuple(Asked(key, key, NOW) for key in asked)
    return Sitting(bank, ROSE, InterviewState(stage, {}, keys))


def asked_by(decision: Decision) -> list[str]:
    return [key for key, _ in decision.changes.asked]


def test_a_fresh_story_gets_a_follow_up_and_then_the_talk_moves_on() -> None:
    talk = sitting("childhood.home")
    assert talk.say(STORY).intent is Intent.FOLLOW_UP
    later = [
        talk.say(
            "He never broke a bone and he was never sorry, and the tree bore no worse for it."
        ),
        talk.say("It went on until he was quite fourteen and too heavy for the branches."),
    ]
    assert Intent.NEXT_SLOT in {decision.intent for decision in later}


def test_what_is_taken_up_and_what_is_asked_about_are_two_things() -> None:
    decision = sitting("childhood.home").say(STORY)
    taken, asked = decision.parts[0], decision.parts[-1]
    assert asked_by(decision)[0].startswith("childhood.home.echo.")
    quote = next(word for word in ("pear tree", "mattress", "cousin", "trunk") if word in asked)
    assert quote not in taken


def test_a_thin_answer_gets_the_slots_own_follow_up() -> None:
    decision = sitting("childhood.home").say("A small brick house.")
    assert asked_by(decision)[0].startswith("childhood.home.follow.")


def test_a_few_words_are_not_praised_as_a_story() -> None:
    talk = sitting("childhood.parents")
    assert talk.say("Strict, the pair of them.").parts[0] in EN.phrases.brief


@pytest.mark.parametrize(
    ("bank", "said"),
    [
        (EN, "We went down to the harbour to look at the boats that had come in, and then"),
        (ZH, "我们到码头上看新来的船，一条一条地看过去，后来……"),
    ],
)
def test_a_story_that_breaks_off_is_asked_to_go_on_each_time_in_other_words(
    bank: Bank, said: str
) -> None:
    talk = sitting("childhood.home", bank=bank)
    questions = set()
    for slot in ("childhood.home", "childhood.food_games", "school.friends"):
        talk.state = state_after(talk.state, Changes(asked=((slot, slot),)), NOW)
        decision = talk.say(said)
        assert decision.parts[-1] in bank.phrases.unfinished
        questions.add(decision.parts[-1])
    assert len(questions) == 3


def test_a_question_about_something_told_before_is_owned_up_to() -> None:
    talk = sitting("childhood.home")
    decision = talk.say("I told you that already.")
    assert decision.parts[0] in EN.phrases.told_already
    assert decision.intent is Intent.NEXT_SLOT


def test_whoever_tells_of_something_else_is_followed_and_the_interview_comes_back() -> None:
    talk = sitting("childhood.home")
    wedding = (
        "Let me tell you of my wedding instead: the church was freezing and the best man lost "
        "the ring down a grating, so we were married with a curtain ring."
    )
    first = talk.say(wedding)
    assert first.changes.leader is Leader.PERSON
    assert asked_by(first)[0].startswith("family.wedding.")
    assert talk.state.stage == "childhood"
    talk.say("The honeymoon was two nights in a boarding house with my bridesmaid next door to us.")
    while follows_up(talk.state.asked[-1].question):
        talk.say("It rained.")
    talk.say("I don't remember")
    assert talk.state.asked[-1].question.startswith("childhood.")
    assert talk.state.stage == "childhood"


def test_nothing_digs_where_it_hurt() -> None:
    talk = sitting("childhood.home")
    talk.state = state_after(talk.state, Changes(sensitive=frozenset({"childhood.home"})), NOW)
    decision = talk.say(STORY)
    assert not follows_up(asked_by(decision)[0])
    assert "childhood.home" not in {chip.slot for chip in chips(talk.state, EN, 4)}


@pytest.mark.parametrize(
    ("bank", "said", "topic"),
    [
        (EN, "I'd rather not talk about the war", "war"),
        (EN, "please don't ask me about my father", "father"),
        (ZH, "打仗的事我不想说", "打仗"),
        (ZH, "我不想谈文革", "文革"),
        (EN, "I'd rather not talk about it", None),
        (ZH, "这个我不想说", None),
    ],
)
def test_a_refusal_names_its_topic(bank: Bank, said: str, topic: str | None) -> None:
    topics = refused_topics(said, bank)
    assert (topics == ()) if topic is None else any(topic in one for one in topics)


@pytest.mark.parametrize(
    ("bank", "said", "topic"),
    [(EN, "I'd rather not talk about the war", "war"), (ZH, "打仗的事我不想说", "打仗")],
)
def test_a_refused_topic_is_in_no_later_question_or_chip(bank: Bank, said: str, topic: str) -> None:
    talk = sitting("childhood.home", bank=bank)
    refusal = talk.say(said)
    assert refusal.intent is Intent.ACKNOWLEDGE
    assert re.search(r"[?？]", "".join(refusal.parts)) is None
    assert any(topic in avoided for avoided in talk.state.avoided)
    for _ in range(120):
        decision = talk.say("不记得了" if bank is ZH else "I don't remember")
        if decision.changes.asked:
            assert not touches(decision.parts[-1], talk.state.avoided, bank)
        assert all(not touches(chip.text, (topic,), bank) for chip in chips(talk.state, bank, 4))
    assert len(talk.state.asked) > 40


def test_who_speaks_of_it_again_at_length_has_lifted_the_refusal() -> None:
    talk = sitting("childhood.home")
    talk.say("I'd rather not talk about the war")
    talk.say("I don't remember")
    talk.say(
        "Oh, I'll tell you about the war after all: we had an evacuee called Ned who slept in the "
        "pantry and ate jam with a ruler until his mother came to fetch him."
    )
    assert talk.state.avoided == ()


def test_a_declined_slot_that_is_told_of_at_length_may_be_asked_into_again() -> None:
    talk = sitting("childhood.parents")
    talk.say("I'd rather not say")
    assert talk.state.slots["childhood.parents"].declined
    talk.say(
        "My mother and my father met on a tram, if you want to know, and she had his hat in her "
        "lap for nine stops before either of them said a word about it."
    )
    assert not talk.state.slots["childhood.parents"].declined


def test_when_all_was_said_to_be_told_it_is_not_said_again_and_again() -> None:
    talk = sitting(*EN.slots, *(f"event.{one.id}" for one in EN.events), stage="wisdom")
    told = {slot: SlotState(Coverage.TOLD, ("t",)) for slot in EN.slots}
    talk.state = InterviewState("wisdom", told, talk.state.asked)
    endings = [talk.say("yes").parts[0] for _ in range(4)]
    assert endings[0] in EN.phrases.all_told
    assert not set(endings[1:]) & set(EN.phrases.all_told)
