"""A stream of any chunks comes out as the same sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.interview.sentences import PART_BREAK, SentenceSplitter, sentences_of


def split(text: str, size: int = 1000) -> list[str]:
    splitter = SentenceSplitter()
    found: list[str] = []
    for place in range(0, len(text), size):
        found += splitter.feed(text[place : place + size])
    return found + list(splitter.flush())


CASES = [
    ("您讲得真好。后来呢？", ["您讲得真好。", "后来呢？"]),
    ("她说：“来吃饭！”我们都笑了。", ["她说：“来吃饭！”", "我们都笑了。"]),
    ("I see. And then? Go on!", ["I see.", "And then?", "Go on!"]),
    ("Mr. Hale paid 2.50 a week. Fair?", ["Mr. Hale paid 2.50 a week.", "Fair?"]),
    ("Well... I never. Yes", ["Well...", "I never.", "Yes"]),
    (f"Lovely.{PART_BREAK}Who was she?", ["Lovely.", PART_BREAK, "Who was she?"]),
    (f"真好{PART_BREAK}后来呢？", ["真好", PART_BREAK, "后来呢？"]),
    ("<think>She is sad. Be kind.</think>I'm sorry.", ["I'm sorry."]),
    ("She is sad.</think>I'm sorry.", ["I'm sorry."]),
    ("Hello there. <think>Now what?", ["Hello there."]),
    ("<think>a</think>One. <thinking>b</thinking>Two.", ["One.", "Two."]),
    ("<think>never closed. No. No.", []),
    ("第一句\n第二句", ["第一句", "第二句"]),
    ("1. First one. 2. Second.", ["1. First one.", "2. Second."]),
    ("It was 1943. Cold.", ["It was 1943.", "Cold."]),
    ("<thought>hm. no.</thought>Yes.", ["Yes."]),
    ("<reasoning>hm. no.</reasoning>Yes.", ["Yes."]),
    ("¿Y después? Siga.", ["¿Y después?", "Siga."]),
    ("", []),
]


@pytest.mark.parametrize(("text", "wanted"), CASES)
def test_sentences(text: str, wanted: list[str]) -> None:
    if text.startswith("She is sad."):
        assert split(text) == wanted  # a lone closing tag is seen only when it has come
    else:
        assert split(text) == wanted
        assert split(text, 1) == wanted
        assert split(text, 3) == wanted


def test_a_sentence_comes_out_as_soon_as_the_next_begins() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("您讲得真好。") == ()
    assert splitter.feed("后") == ("您讲得真好。",)


@given(
    st.lists(st.sampled_from(["Yes. ", "好。", "真？", "<think>x. y</think>", PART_BREAK, "Dr. "])),
    st.integers(1, 9),
)
def test_chunks_make_no_difference(pieces: list[str], size: int) -> None:
    text = "".join(pieces)
    assert split(text, size) == split(text)


@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "Yes. ",
                    "Mr. Hale",
                    " 3. ",
                    "No",
                    "好。",
                    "真？",
                    "”",
                    "\n",
                    "... ",
                    "! ",
                    "12.",
                ),
                " ",
            ]
        )
    )
)
def test_a_whole_text_is_cut_as_a_stream_is(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert list(sentences_of(text)) == split(text)
