"""What is understood of an answer about oneself, and that nothing in it is made up."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.numerals import figures
from lifeecho_server.interview.profile import understand
from lifeecho_server.interview.situation import PROFILE_FIELDS, Profile
from tests.interview.sitting import Sitting

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ZH, EN = Bank.load("zh"), Bank.load("en")
KNOWN = Profile(birth_place="苏州")


def told(
    bank: Bank, text: str, asked: str | None, profile: Profile | None = None, insist: bool = False
) -> dict[str, Any]:
    return understand(text, asked, profile or Profile(), NOW, bank, insist=insist)


@pytest.mark.parametrize(
    ("said", "figure"),
    [
        ("一九四三年", "1943年"),
        ("四三年", "43年"),
        ("八十二", "82"),
        ("民国三十二年", "民国32年"),
        ("一百零二岁", "102岁"),
        ("廿三", "23"),
        ("十九岁", "19岁"),
        ("三四十岁", "三四十岁"),
        ("二〇〇一年", "2001年"),
    ],
)
def test_chinese_numerals(said: str, figure: str) -> None:
    assert figures(said, ZH.numerals) == figure


@pytest.mark.parametrize(
    ("said", "figure"),
    [
        ("nineteen forty-three", "1943"),
        ("nineteen oh five", "1905"),
        ("nineteen hundred and forty three", "1943"),
        ("I'm eighty-two", "I'm 82"),
        ("two thousand and one", "2001"),
        ("a hundred and two", "a 102"),
        ("seven eight", "7 8"),
        ("in forty-three", "in 43"),
        ("the weight of it", "the weight of it"),
    ],
)
def test_english_numerals(said: str, figure: str) -> None:
    assert figures(said, EN.numerals) == figure


@pytest.mark.parametrize(
    ("said", "year"),
    [
        ("1943", 1943),
        ("一九四三年", 1943),
        ("我是一九四三年生的", 1943),
        ("四三年的", 1943),
        ("四三年生人", 1943),
        ("民国三十二年", 1943),
        ("民国元年生的", 1912),
        ("我今年八十二了", 1944),
        ("今年82岁", 1944),
        ("虚岁八十三", 1944),
        ("八十二岁啦", 1944),
        ("八十二", 1944),
        ("我属羊，一九四三年十月初八落地的", 1943),
        ("八十多了", None),
        ("属羊的", None),
        ("1743年", None),
        ("两岁", None),
        ("不记得了", None),
        ("我十八岁那年进的厂", None),
    ],
)
def test_birth_year_in_chinese(said: str, year: int | None) -> None:
    assert told(ZH, said, "birth_year").get("birth_year") == year


@pytest.mark.parametrize(
    ("said", "year"),
    [
        ("1943", 1943),
        ("nineteen forty-three", 1943),
        ("I was born in 1943", 1943),
        ("I was born in Leeds in nineteen forty-three", 1943),
        ("born in '43", 1943),
        ("in forty-three", 1943),
        ("I'm eighty-two", 1944),
        ("I am 82 years old", 1944),
        ("I just turned ninety", 1936),
        ("eighty-two", 1944),
        ("I'm 82 miles from Leeds", None),
        ("I don't know", None),
        ("in 1743", None),
        ("I've got three cats", None),
    ],
)
def test_birth_year_in_english(said: str, year: int | None) -> None:
    assert told(EN, said, "birth_year").get("birth_year") == year


def test_a_bare_number_that_may_be_both_waits_to_be_asked_again() -> None:
    assert told(EN, "sixty", "birth_year") == {}
    assert told(EN, "sixty", "birth_year", insist=True) == {"birth_year": 1960}
    assert told(ZH, "六十", "birth_year", insist=True) == {"birth_year": 1960}


def test_a_bare_number_counts_only_where_it_was_asked_for() -> None:
    assert told(EN, "forty-three", "nickname").get("birth_year") is None
    assert told(ZH, "四十三", "occupation").get("birth_year") is None


@pytest.mark.parametrize(
    ("bank", "said", "name"),
    [
        (ZH, "叫我王奶奶就行", "王奶奶"),
        (ZH, "你就叫我老张吧", "老张"),
        (ZH, "大家都喊我桂兰", "桂兰"),
        (ZH, "王奶奶", "王奶奶"),
        (ZH, "我叫李桂兰。", "李桂兰"),
        (ZH, "你好", None),
        (ZH, "随便", None),
        (ZH, "你是谁", None),
        (ZH, "我今天有点头疼", None),
        (EN, "Call me Rose", "Rose"),
        (EN, "just call me Rose, dear", "Rose"),
        (EN, "everyone calls me nan", "nan"),
        (EN, "Rose", "Rose"),
        (EN, "Mrs Hartley will do", "Mrs Hartley"),
        (EN, "My name's Arthur Bell", "Arthur Bell"),
        (EN, "hello", None),
        (EN, "Whatever you like", None),
        (EN, "I'm a bit tired today", None),
    ],
)
def test_nickname(bank: Bank, said: str, name: str | None) -> None:
    assert told(bank, said, "nickname").get("nickname") == name


@pytest.mark.parametrize(
    ("bank", "asked", "said", "wanted"),
    [
        (ZH, "birth_place", "我是苏州人", {"birth_place": "苏州"}),
        (ZH, "birth_place", "苏州", {"birth_place": "苏州"}),
        (ZH, "birth_place", "在绍兴乡下", {"birth_place": "绍兴"}),
        (ZH, "birth_place", "老家在绍兴", {"birth_place": "绍兴"}),
        (ZH, "birth_place", "我是个老人", {}),
        (ZH, "birth_place", "我是中国人", {}),
        (ZH, "birth_place", "不知道", {}),
        (ZH, None, "我是苏州人，在上海长大", {"birth_place": "苏州", "grew_up_place": "上海"}),
        (ZH, "grew_up_place", "后来在无锡长大的", {"grew_up_place": "无锡"}),
        (EN, "birth_place", "Leeds", {"birth_place": "Leeds"}),
        (EN, "birth_place", "leeds", {"birth_place": "leeds"}),
        (EN, "birth_place", "I'm from County Cork", {"birth_place": "County Cork"}),
        (EN, "birth_place", "I was born in May", {}),
        (
            EN,
            "birth_place",
            "I was born in 1943 in Stoke on Trent",
            {"birth_place": "Stoke on Trent"},
        ),
        (EN, None, "I grew up in Leeds", {"grew_up_place": "Leeds"}),
        (EN, None, "I grew up in poverty", {}),
        (
            EN,
            None,
            "I was born in Cork and grew up in Leeds",
            {"birth_place": "Cork", "grew_up_place": "Leeds"},
        ),
        (EN, None, "born and bred in Leeds", {"birth_place": "Leeds", "grew_up_place": "Leeds"}),
    ],
)
def test_places(bank: Bank, asked: str | None, said: str, wanted: dict[str, str]) -> None:
    understood = told(bank, said, asked)
    places = {key: value for key, value in understood.items() if key.endswith("_place")}
    assert places == wanted


@pytest.mark.parametrize("said", ["就在那儿", "也在那里长大的", "一直没离开过"])
def test_there_too_means_the_birth_place(said: str) -> None:
    assert told(ZH, said, "grew_up_place", KNOWN) == {"grew_up_place": "苏州"}


@pytest.mark.parametrize(
    ("bank", "asked", "said", "work"),
    [
        (ZH, "occupation", "教书的", "教书的"),
        (ZH, "occupation", "种地", "种地"),
        (ZH, None, "我当了三十年老师", "老师"),
        (ZH, None, "我以前是纺织工", "纺织工"),
        (ZH, None, "我爸爸是老师", None),
        (ZH, "occupation", "在铁路上干了三十年", "在铁路上"),
        (ZH, "occupation", "不想说", None),
        (EN, "occupation", "on the railway", "on the railway"),
        (EN, None, "I was a primary school teacher", "primary school teacher"),
        (EN, None, "I was a nurse for forty years", "nurse"),
        (EN, None, "I was a little girl", None),
        (EN, None, "My father was a miner", None),
        (EN, "occupation", "I worked in the mill all my life", "in the mill"),
        (EN, "occupation", "oh, this and that, you know", None),
    ],
)
def test_occupation(bank: Bank, asked: str | None, said: str, work: str | None) -> None:
    assert told(bank, said, asked).get("occupation") == work


def test_several_facts_in_one_answer_are_all_taken() -> None:
    said = "叫我王奶奶就行，我一九四三年生的，苏州人，在上海长大，教了三十年书"
    assert told(ZH, said, "nickname") == {
        "nickname": "王奶奶",
        "birth_year": 1943,
        "birth_place": "苏州",
        "grew_up_place": "上海",
        "occupation": "教了三十年书",
    }
    said = "Call me Rose. I was born in Leeds in 1943, grew up in York, and I was a nurse."
    assert told(EN, said, "nickname") == {
        "nickname": "Rose",
        "birth_year": 1943,
        "birth_place": "Leeds",
        "grew_up_place": "York",
        "occupation": "nurse",
    }


def test_what_is_known_is_not_taken_again() -> None:
    profile = Profile(nickname="Rose", birth_year=1943)
    assert told(EN, "Call me Daisy, I'm eighty", "nickname", profile) == {}


PIECES = {
    "zh": [
        "我",
        "叫",
        "是",
        "在",
        "了",
        "人",
        "生",
        "长大",
        "教书",
        "的",
        "苏州",
        "王奶奶",
        "一九四三",
        "年",
        "八十二",
        "岁",
        ",",
        "。",
        "不",
        "老家",
        "当",
        "老师",
        "今年",
    ],
    "en": [
        "I",
        "I'm",
        "was",
        "born",
        "in",
        "Leeds",
        "Rose",
        "call",
        "me",
        "nineteen",
        "forty-three",
        "eighty",
        "a",
        "nurse",
        ",",
        ".",
        "the",
        "from",
        "grew",
        "up",
        "years",
        "old",
        "worked",
        "on",
        "railway",
        "and",
        "1943",
        "not",
    ],
}


@given(st.data())
def test_no_value_that_was_not_said(data: st.DataObject) -> None:
    bank = {"zh": ZH, "en": EN}[data.draw(st.sampled_from(["zh", "en"]))]
    glue = " " if bank.spaced else ""
    words = st.lists(st.sampled_from(PIECES[bank.language]), max_size=14)
    text = data.draw(st.one_of(words.map(glue.join), st.text(max_size=30)))
    asked = data.draw(st.sampled_from([None, *PROFILE_FIELDS]))
    for field, value in told(bank, text, asked).items():
        if field == "birth_year":
            read = figures(text, bank.numerals)  # two years in one breath are read as one number
            said = {value, value - 1900, 2026 - value, 2027 - value, value - 1911}
            assert any(str(number) in read for number in said) or "元" in text
            assert 1911 <= value <= 2008
        else:
            assert value in text


@pytest.mark.parametrize(
    ("bank", "said", "value"),
    [
        (ZH, "八十二了", 1944),
        (ZH, "虚岁八十三", 1944),
        (ZH, "今年八十二，属猴的", None),
        (ZH, "今年八十二，属羊的", 1943),
        (ZH, "一九四四年的", None),
        (ZH, "民国三十二年", None),
        (EN, "I'm eighty-two", 1944),
        (EN, "forty-four", None),
        (EN, "I was born in 1944 so I'm eighty-two", None),
    ],
)
def test_a_year_reckoned_from_an_age_is_confirmed_once(
    bank: Bank, said: str, value: int | None
) -> None:
    known = Profile(nickname="Rose", birth_place="Leeds", grew_up_place="Leeds")
    talk = Sitting(bank, known)
    talk.greet()
    decision = talk.say(said)
    asked = [key for key, _ in decision.changes.asked]
    if value is None:
        assert asked == ["profile.occupation"]
        assert talk.profile.birth_year is not None
    else:
        assert asked == [f"profile.birth_year.sure.{value}"]
        assert str(value) in decision.parts[-1]
        assert talk.profile.birth_year is None


@pytest.mark.parametrize(
    ("answer", "year"),
    [
        ("yes", 1944),
        ("Yes, that's right", 1944),
        ("no, 1943", 1943),
        ("no", None),
        ("I'd rather not say", None),
        ("I grew roses", 1944),
    ],
)
def test_the_answer_to_the_confirming_question_decides(answer: str, year: int | None) -> None:
    talk = Sitting(EN, Profile(nickname="Rose", birth_place="Leeds", grew_up_place="Leeds"))
    talk.greet()
    talk.say("I'm eighty-two")
    talk.say(answer)
    assert talk.profile.birth_year == year
    talk.say("I'm eighty-two")
    keys = [asked.question for asked in talk.state.asked]
    assert len([key for key in keys if ".sure." in key]) == 1
