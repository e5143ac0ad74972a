import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.engines.hallucinations import is_often_made_up
from lifeecho_server.engines.script import ChineseScript
from lifeecho_server.engines.wording import first_fitting, joined, last_words, without_loops


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["I was born.", "We moved."], "I was born. We moved."),
        (["我出生在苏州。", "我们很穷。"], "我出生在苏州。我们很穷。"),
        (["我喜欢", "jazz", "音乐"], "我喜欢jazz音乐"),
        ([" one ", "", "two "], "one two"),
        ([], ""),
    ],
)
def test_english_is_joined_with_a_space_and_chinese_without(pieces: list[str], text: str) -> None:
    assert joined(pieces) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("and then and then and then and then and then we left", "and then we left"),
        ("我我我我我我们", "我们"),
        ("我们走了，我们走了，我们走了，我们走了，我们走了。", "我们走了。"),
        ("No, no, no, no! Not that.", "No, no, no, no! Not that."),
        ("对对对，是的", "对对对，是的"),
        ("it cost 1000000000 yuan", "it cost 1000000000 yuan"),
        ("they were very, very, very old", "they were very, very, very old"),
        ("", ""),
    ],
)
def test_loops_of_the_decoder_collapse_and_people_may_repeat(text: str, kept: str) -> None:
    assert without_loops(text) == kept


@given(st.text(max_size=300))
def test_collapsing_never_makes_text_longer(text: str) -> None:
    assert len(without_loops(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "characters", "tail"),
    [
        ("short", 80, "short"),
        ("we lived near the river", 10, "the river"),
        ("we lived near the river", 9, "the river"),
        ("我出生在苏州", 3, "在苏州"),
        ("unbreakable", 4, ""),
        ("anything", 0, ""),
    ],
)
def test_a_prompt_does_not_begin_inside_a_word(text: str, characters: int, tail: str) -> None:
    assert last_words(text, characters) == tail


def test_names_are_listed_as_far_as_they_fit() -> None:
    assert first_fitting(["Suzhou", "Wuxi", "Nanjing"], 12) == "Suzhou, Wuxi"
    assert first_fitting(["Suzhou"], 5) == ""
    assert first_fitting([], 5) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for watching!",
        " Thanks for watching, and see you next time.",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "谢谢观看",
        "字幕由 Amara.org 社区提供",
        "Thank you.",
    ],
)
def test_phrases_learned_from_subtitles_are_known(text: str) -> None:
    assert is_often_made_up(text)


@pytest.mark.parametrize(
    "text", ["", "I said thank you to my teacher.", "我谢谢老师。", "You were there.", "我听音乐。"]
)
def test_what_people_tell_is_not_taken_for_subtitles(text: str) -> None:
    assert not is_often_made_up(text)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("hans", "我妈妈每天晚上唱歌。"),
        ("hant", "我媽媽每天晚上唱歌。"),
        (None, "我媽媽每天晚上唱歌。"),
    ],
)
def test_chinese_comes_out_in_the_script_asked_for(script: str | None, text: str) -> None:
    assert ChineseScript().convert("我媽媽每天晚上唱歌。", script) == text
    assert ChineseScript().convert("English, 1950.", script) == "English, 1950."
