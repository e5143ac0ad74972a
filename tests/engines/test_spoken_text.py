"""What is read aloud of a sentence, and in which language: pure."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.engines.spoken_text import audible, is_chinese, runs


def read(text: str, language: str) -> list[tuple[str, str]]:
    return [(run.language, run.text) for run in runs(text, language)]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("1958年您在苏州。", "一九五八年您在苏州。"),
        ("2008年和1905年", "二零零八年和一九零五年"),
        ("二〇〇八年", "二零零八年"),
        ("1958-1962年", "一九五八到一九六二年"),
        ("１９５８年", "一九五八年"),
        ("您住了58年", "您住了58年"),
        ("有1958个人", "有1958个人"),
        ("11958年", "11958年"),
        ("3.5公里", "3.5公里"),
        ("您好,苏州!", "您好，苏州！"),
    ],
)
def test_chinese_years_are_read_digit_by_digit(text: str, spoken: str) -> None:
    assert read(text, "zh") == [("zh", spoken)]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("In 1958 you moved.", "In nineteen fifty-eight you moved."),
        ("1905, 1900.", "nineteen oh five, nineteen hundred."),
        ("2000, 2008, 2015", "two thousand, two thousand and eight, twenty fifteen"),
        ("the 1950s", "the nineteen fifties"),
        ("the 1900s", "the nineteen hundreds"),
        ("1939–1945", "nineteen thirty-nine to nineteen forty-five"),
        ("1958-62", "nineteen fifty-eight to 62"),
        ("1,958 or 19.58 or $1500", "1,958 or 19.58 or $1500"),
        ("19580 A1958 1958th", "19580 A1958 1958th"),
    ],
)
def test_english_years_are_read_as_people_say_them(text: str, spoken: str) -> None:
    assert read(text, "en") == [("en", spoken)]


def test_mixed_text_is_cut_by_script() -> None:
    assert read("您说Rose住在Leeds，对吗？", "zh") == [
        ("zh", "您说"),
        ("en", "Rose"),
        ("zh", "住在"),
        ("en", "Leeds,"),
        ("zh", "对吗？"),
    ]
    assert read("You said 您好 to her.", "en") == [
        ("en", "You said"),
        ("zh", "您好"),
        ("en", "to her."),
    ]


def test_figures_go_with_the_hanzi_that_follow_them() -> None:
    assert read("Rose 12岁", "zh") == [("en", "Rose"), ("zh", "12岁")]
    assert read("1958年 in Leeds", "en") == [("zh", "一九五八年"), ("en", "in Leeds")]
    assert read("born 1958 in 苏州", "en") == [
        ("en", "born nineteen fifty-eight in"),
        ("zh", "苏州"),
    ]


def test_figures_alone_are_read_in_the_language_of_the_talk() -> None:
    assert read("12", "zh") == [("zh", "12")]
    assert read("12", "en-GB") == [("en", "12")]


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("**您好** `x`", "您好 x"),
        ("# Title\n- one\n* two", "Title one two"),
        ("[the mill](https://a.b/c) and https://x.y/z?q=1，好", "the mill and ，好"),
        ("<b>house</b> <|im_end|>home[SPLIT]", "house home"),
        (
            "Good \U0001f475\U0001f3fd day \u2764\ufe0f\U0001f1e8\U0001f1f3 1\ufe0f\u20e3",
            "Good day 1",
        ),
        ("a\u200bb\x07c\u202ed\x00", "ab cd"),
        ("mother’s “song” – it’s café & tea", "mother’s “song” – it’s café & tea"),
        ("cafe\u0301", "café"),
        ("snake_case = a|b", "snake case a b"),
        ("[[h@l'oU]] <speak>x</speak>", "h l'oU x"),
    ],
)
def test_what_has_no_sound_is_left_out(text: str, heard: str) -> None:
    assert audible(text) == heard


@pytest.mark.parametrize(
    "text", ["", "   ", "。", "…?!", "\U0001f600", "https://a.b/c", "***", "“”"]
)
def test_nothing_to_read_is_no_run(text: str) -> None:
    assert runs(text, "zh") == ()
    assert runs(text, "en") == ()


@pytest.mark.parametrize("language", ["zh", "zh-HK", "zh-Hant-TW", "yue", "cmn", "ZH"])
def test_languages_in_hanzi(language: str) -> None:
    assert is_chinese(language)
    assert not is_chinese("en-GB")


@given(st.text(max_size=60), st.sampled_from(["zh", "en", "zh-HK"]))
def test_any_text_gives_runs_that_can_be_read(text: str, language: str) -> None:
    found = runs(text, language)
    assert all(any(map(str.isalnum, run.text)) for run in found)
    assert all(one.language != other.language for one, other in pairwise(found))
    assert not any("\0" in run.text or "<" in run.text for run in found)
    "".join(run.text for run in found).encode()
