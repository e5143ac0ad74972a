"""Whole interviews with no model: nothing asked twice, one question at a time, an end reached."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Decision, Intent
from lifeecho_server.interview.guards import Guard, Outcome
from lifeecho_server.interview.sentences import PART_BREAK, SentenceSplitter
from lifeecho_server.interview.situation import (
    Coverage,
    Hearing,
    InterviewState,
    Profile,
    Speaker,
    Turn,
)
from tests.interview.sitting import NOW, Sitting

BANKS = {"zh": Bank.load("zh"), "en": Bank.load("en")}
PEOPLE = {
    "zh": Profile("王奶奶", 1943, "苏州", "苏州", "教书的"),
    "en": Profile("Rose", 1943, "Leeds", "Leeds", "nurse"),
}
SAYINGS = {
    "zh": (
        *("嗯", "好的", "不记得了", "没有", "不想说", "换个话题吧", "你再说一遍", "说慢一点"),
        *("这段不要写进书里", "今天就到这里吧", "你好", "你是谁", "门口有一棵老槐树。"),
        "我奶奶会讲故事，夏天的晚上大家都搬了凳子来听，讲的是三国，听到半夜都不肯回家睡觉。",
        "我父亲后来去世了，家里就难了。",
        "老师姓陈，教我们写毛笔字，同学都怕他，可他自己掏钱给我们买书包。",
        "一九六〇年我进厂当学徒，师傅手把手教我，三年才出师，工资十八块钱，全寄回家。",
        "不知道该说什么好，乱七八糟的",
    ),
    "en": (
        *("yes", "all right", "I don't remember", "no", "I'd rather not", "say that again"),
        *("slower please", "keep that out of the book", "that's all for today", "hello"),
        *("who are you?", "Let's talk about something else", "We had a little brick house."),
        "My grandmother baked on Fridays and the whole street came in for a slice of warm bread.",
        "My father died in the winter and then it was hard.",
        "Our teacher was strict, and my classmates were afraid of her, but she bought us a slate.",
        "I started work at the mill at fifteen as an apprentice, and the foreman taught me the "
        "trade, and I gave my wages to my mother every week.",
        "Oh, I don't know what to say, this and that",
    ),
}


def questions(decision: Decision) -> int:
    return len(re.findall(r"[?？]", "\n".join(decision.parts)))


def asked_once(talk: Sitting) -> None:
    keys = Counter(asked.question for asked in talk.state.asked)
    assert max(keys.values(), default=0) <= 1, keys.most_common(3)


def well_spoken(decision: Decision) -> None:
    assert questions(decision) <= 1
    assert 1 <= len(decision.parts) <= 3
    assert decision.intent not in (Intent.FAREWELL, Intent.COMFORT) or questions(decision) == 0
    for part in decision.parts:
        ends = re.findall(r"[。！？!?]+|\.(?=\s|$)", part)
        assert 1 <= len(ends) <= 2, part
        assert "{" not in part


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_over_many_turns_nothing_is_asked_twice(data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(sorted(BANKS)))
    profile = data.draw(st.sampled_from([Profile(), PEOPLE[language]]))
    talk = Sitting(BANKS[language], profile)
    well_spoken(talk.greet())
    chips = tuple(slot.chip for slot in talk.bank.slots.values())
    say = st.one_of(st.sampled_from(SAYINGS[language]), st.sampled_from(chips), st.text(max_size=9))
    for text in data.draw(st.lists(say, min_size=60, max_size=200)):
        heard = Hearing.UNSURE if not text.strip() else Hearing.HEARD
        decision = talk.say(text, hearing=heard)
        repeats = decision.parts == tuple(talk.history[-3].text.splitlines())
        if not repeats:
            well_spoken(decision)
        asked_once(talk)


@pytest.mark.parametrize("language", sorted(BANKS))
@pytest.mark.parametrize("answer", [4, -5])
def test_a_whole_life_is_told_and_ends_gracefully(language: str, answer: int) -> None:
    """The same kind of answer over and over reaches every stage, and then an end."""
    bank = BANKS[language]
    talk = Sitting(bank, PEOPLE[language])
    talk.greet()
    text = SAYINGS[language][answer] if answer < 0 else "嗯，那个" if language == "zh" else "Hm so"
    for _ in range(200):
        decision = talk.say(text)
        well_spoken(decision)
        if set(decision.parts) & set(bank.phrases.all_told):
            break
    assert set(decision.parts) & set(bank.phrases.all_told)
    asked_once(talk)
    stages = {asked.slot.partition(".")[0] for asked in talk.state.asked if asked.slot}
    assert stages == set(bank.stage_ids)


@pytest.mark.parametrize("language", sorted(BANKS))
def test_a_story_told_by_someone_who_answers_gets_a_follow_up_each(language: str) -> None:
    bank = BANKS[language]
    talk = Sitting(bank, PEOPLE[language])
    talk.greet()
    plain = "那时候大家都一样，日子就这么过" if language == "zh" else "It was the same for us all."
    for _ in range(60):
        talk.say(plain)
    told = [slot for slot, state in talk.state.slots.items() if state.coverage is Coverage.TOLD]
    followed = [one for one in talk.decisions if one.intent is Intent.FOLLOW_UP]
    assert len(told) >= 20
    assert len(followed) >= len(told)


@pytest.mark.parametrize("language", sorted(BANKS))
def test_the_scripts_own_words_pass_the_guards(language: str) -> None:
    bank = BANKS[language]
    talk = Sitting(bank, PEOPLE[language])
    for text in ("", *SAYINGS[language] * 3):
        turns = (Turn("x", Speaker.NARRATOR, text, NOW),) if text else ()
        before = talk.situation(*turns)
        decision = talk.say(text) if text else talk.greet()
        if decision.direction is None:
            continue
        guard, splitter = Guard(before, decision, bank), SentenceSplitter()
        spoken = PART_BREAK.join(decision.parts)
        for sentence in (*splitter.feed(spoken), *splitter.flush()):
            verdict = guard.check(sentence)
            assert verdict.outcome in (Outcome.PASS, Outcome.BREAK), (sentence, verdict)


def test_an_interview_in_a_new_sitting_asks_nothing_of_the_old_one() -> None:
    bank = BANKS["en"]
    first = Sitting(bank, PEOPLE["en"])
    first.greet()
    for text in SAYINGS["en"]:
        first.say(text)
    told = tuple(turn for turn in first.history if turn.speaker is Speaker.NARRATOR)
    again = Sitting(bank, first.profile, first.state, told)
    again.greet()
    for text in SAYINGS["en"]:
        again.say(text)
    asked_once(again)
    assert isinstance(again.state, InterviewState)
