"""What the judge of things never told lets pass, and what it finds."""

from functools import cache

import pytest

from bench.interview.hearsay import Hearsay
from bench.interview.numbers import claimed, numbers
from bench.interview.spoken import spoken

TOLD = {
    "en": (
        "My brother Tom kept pigeons in Nelson Street, nineteen fifty-eight.",
        "Mam said never trust a quiet goose. I was a fitter at Vickers for thirty-one years.",
    ),
    "zh": (
        "我娘会唱戏，五八年她在汉口唱过三天。",
        "我跟沙老师学的，他养了两只骆驼。我妈常说，人要吃饱了再走。",
    ),
}


@cache
def heard(language: str) -> Hearsay:
    hearsay = Hearsay(language, 1943)
    for text in TOLD[language]:
        hearsay.hear(text)
    return hearsay


def strange(language: str, reply: str) -> list[str]:
    return heard(language).strange(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "I can see your brother Tom with those pigeons, plain as day.",
        "No fuss about it, fancy that, and it's clear in the writing of it.",
        "Your mother knew her geese.",
        "“Never trust a quiet goose” is good advice.",
        "You were fifteen in 1958.",
        "Thirty-one years at Vickers is a long while.",
        "Did you have a sister?",
        "There's one thing I'd like to ask.",
    ],
)
def test_what_was_told_in_english_may_be_said_back(reply: str) -> None:
    assert strange("en", reply) == []


@pytest.mark.parametrize(
    ("reply", "invented"),
    [
        ("I can see your brother Jack with those pigeons.", "Jack"),
        ("Your sister would have liked that.", "Your sister"),
        ("Your husband must have been proud of you.", "Your husband"),
        ("Nelson Street in 1959, that's a picture.", "1959"),
        ("Ninety-nine years at Vickers is a long while.", "99"),
        ("“Never trust a man in a hurry” is good advice.", "Never trust a man in a hurry"),
        ("All those years in Rotterdam left their mark.", "Rotterdam"),
        ("Thank you for telling me about crossing the ocean.", "crossing the ocean"),
        ("I can just see your zeppelin up there.", "zeppelin"),
    ],
)
def test_what_was_invented_in_english_is_found(reply: str, invented: str) -> None:
    assert invented in strange("en", reply)


@pytest.mark.parametrize(
    "reply",
    [
        "您娘会唱戏，真好。",
        "您妈这句话说得好。",
        "您母亲在汉口唱戏，我都想听听。",
        "沙老师养的骆驼，我记下了。",
        "“人要吃饱了再走”，这话在理。",
        "一九五八年您才十五岁。",
        "您有没有姐姐？",
        "您讲得一五一十，我听得明明白白。",
    ],
)
def test_what_was_told_in_chinese_may_be_said_back(reply: str) -> None:
    assert strange("zh", reply) == []


@pytest.mark.parametrize(
    ("reply", "invented"),
    [
        ("您爹那会儿一定高兴坏了。", "您爹"),
        ("您姐姐一定替您高兴。", "您姐姐"),
        ("李老师教得真好。", "李老师"),
        ("一九四四年您还抱在手里。", "1944"),
        ("您在南京的那些日子不容易。", "南京"),
        ("“做人要懂得低头”，这话在理。", "做人要懂得低头"),
        ("您的鹦鹉，我像是看见了。", "鹦鹉"),
    ],
)
def test_what_was_invented_in_chinese_is_found(reply: str, invented: str) -> None:
    assert invented in strange("zh", reply)


@pytest.mark.parametrize("language", list(TOLD))
def test_of_the_interviewers_own_texts_only_what_fills_a_gap_is_a_claim(language: str) -> None:
    whole = [text for text in spoken(language) if "{" not in text]
    assert [text for text in whole if strange(language, text)] == []
    gapped = [text for text in spoken(language) if text.count("{") == 1 and "{quote}" in text]
    assert gapped
    for text in gapped:
        good, bad = ("pigeons", "Ermintrude") if language == "en" else ("骆驼", "鹦鹉")
        assert strange(language, text.replace("{quote}", good)) == []
        assert strange(language, text.replace("{quote}", bad)) != [], text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("in nineteen fifty-eight", 1958),
        ("in fifty-eight", 1958),
        ("nineteen oh five", 1905),
        ("six hundred and twelve of them", 612),
        ("五八年", 1958),
        ("一九五八年", 1958),
        ("民国三十二年", 1943),
        ("一百二十块", 120),
    ],
)
def test_numbers_are_read_in_words(text: str, told: int) -> None:
    assert told in numbers(text)


def test_small_numbers_in_words_are_manners_of_speaking() -> None:
    assert claimed("one thing at a time, 一个一个来") == []
    assert claimed("in nineteen fifty-eight, when you were 15") == [15, 1958]
