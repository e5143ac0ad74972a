"""Interviews with simulated narrators: what must not happen does not, and would be seen."""

from dataclasses import replace

import pytest

from bench.interview.hearsay import Hearsay
from bench.interview.judge import ZEROS, judge
from bench.interview.player import Interview
from bench.interview.playing import scripted

PLAYED = ("harold", "bridie", "ingrid", "guifen", "shuzhen", "guoqiang")


@pytest.fixture(scope="module", params=PLAYED)
def interview(request: pytest.FixtureRequest) -> Interview:
    return scripted(request.param, 40)


def test_what_must_not_happen_does_not(interview: Interview) -> None:
    figures = judge("narrator", interview)
    assert {name: getattr(figures.faults, name) for name in ZEROS} == {name: [] for name in ZEROS}
    assert figures.most_questions <= 1
    assert figures.profile_turns is not None
    assert figures.told >= 10
    assert figures.follow_ups >= figures.stories * 0.8


def test_the_same_seed_plays_the_same_interview() -> None:
    one, other = scripted("dot", 12), scripted("dot", 12)
    assert [exchange.said for exchange in one.exchanges] == [e.said for e in other.exchanges]
    assert [reply.parts for reply in one.replies] == [reply.parts for reply in other.replies]
    third = scripted("dot", 12, seed=1)
    assert [e.said for e in third.exchanges] != [exchange.said for exchange in one.exchanges]


def spoiled(interview: Interview, *parts: str) -> Interview:
    """The interview with other words at its end."""
    *rest, last = interview.exchanges
    reply = replace(last.reply, parts=parts)
    return Interview(interview.sheet, interview.greeting, [*rest, replace(last, reply=reply)])


@pytest.fixture(scope="module")
def english() -> Interview:
    return scripted("harold", 20)


def test_every_fault_would_be_seen(english: Interview) -> None:
    again = next(reply for reply in english.replies if "?" in reply.parts[-1])
    cases = {
        "repeated_wordings": spoiled(english, again.parts[-1]),
        "many_questions": spoiled(english, "What was it like? Who was there?"),
        "long_parts": spoiled(english, "One. Two. Three."),
        "same_twice": spoiled(english, english.exchanges[-2].reply.parts[0]),
        "never_told": spoiled(english, "Your cousin Ermintrude must have been proud."),
    }
    for name, interview in cases.items():
        assert getattr(judge("harold", interview).faults, name), name


@pytest.mark.parametrize(
    ("language", "told", "reply", "strange"),
    [
        ("en", "My brother Tom kept pigeons.", "I can picture your brother Tom.", False),
        ("en", "My brother Tom kept pigeons.", "I can picture your brother Jack.", True),
        ("en", "We moved in 1958.", "What was it like in 1958?", False),
        ("en", "We moved in 1958.", "What was it like in 1959?", True),
        ("zh", "我娘会唱戏。", "您娘会唱戏，真好。", False),
        ("zh", "我娘会唱戏。", "您姑父驯骆驼，真好。", True),
    ],
)
def test_what_nobody_told_is_told_apart(
    language: str, told: str, reply: str, strange: bool
) -> None:
    hearsay = Hearsay(language, None)
    hearsay.hear(told)
    assert bool(hearsay.strange(reply)) is strange
