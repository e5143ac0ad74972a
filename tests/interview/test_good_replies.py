"""A guard that keeps back good replies is as bad as one that lets bad ones through."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Decision, Direction, Intent
from lifeecho_server.interview.guards import Guard, Outcome
from lifeecho_server.interview.sentences import sentences_of
from lifeecho_server.interview.situation import (
    InterviewState,
    Profile,
    Situation,
    Speaker,
    Turn,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BANKS = {"en": Bank.load("en"), "zh": Bank.load("zh")}
PEOPLE = {
    "en": Profile("Rose", 1943, "Leeds", "Leeds", "nurse"),
    "zh": Profile("王奶奶", 1943, "苏州", "苏州", "教书的"),
}


ROWS = tomllib.loads(Path(__file__).with_name("good_replies.toml").read_text("utf-8"))
REPLIES = {
    language: [
        (row["told"], row.get("question_allowed", True), reply)
        for row in rows
        for reply in row["replies"]
    ]
    for language, rows in ROWS.items()
}


def kept_back(language: str, told: str, allowed: bool, reply: str) -> list[str]:
    """What of a reply does not pass, with the reason."""
    turn = Turn("t", Speaker.NARRATOR, told, NOW)
    situation = Situation(
        language, PEOPLE[language], InterviewState(), "childhood", NOW, unanswered=(turn,)
    )
    decision = Decision(Intent.FOLLOW_UP, ("ok",), Direction("note", allowed))
    guard = Guard(situation, decision, BANKS[language])
    judged = [(sentence, guard.check(sentence)) for sentence in sentences_of(reply)]
    return [f"{one.reason}: {text}" for text, one in judged if one.outcome is not Outcome.PASS]


@pytest.mark.parametrize(("told", "allowed", "reply"), REPLIES["en"])
def test_good_english_passes(told: str, allowed: bool, reply: str) -> None:
    assert kept_back("en", told, allowed, reply) == []


@pytest.mark.parametrize(("told", "allowed", "reply"), REPLIES["zh"])
def test_good_chinese_passes(told: str, allowed: bool, reply: str) -> None:
    assert kept_back("zh", told, allowed, reply) == []


@pytest.mark.parametrize("language", sorted(REPLIES))
def test_there_are_enough_of_them(language: str) -> None:
    assert len(REPLIES[language]) >= 60
