"""Every row of "What happens on connecting", and the alignment of stages."""

from datetime import timedelta

import pytest

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.connecting import (
    Connecting,
    ConnectingFacts,
    aligned_stage,
    on_connecting,
)

BANK = Bank.load("en")
LONG, SHORT = timedelta(hours=6), timedelta(hours=5, minutes=59)


def facts(
    ended: bool = False,
    empty: bool = False,
    complete: bool = True,
    unanswered: bool = False,
    since: timedelta | None = SHORT,
    re_greeting: bool = True,
    idle: timedelta = LONG,
) -> ConnectingFacts:
    return ConnectingFacts(ended, empty, complete, unanswered, since, re_greeting, idle)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (facts(ended=True), Connecting.ENDED),
        (facts(ended=True, unanswered=True), Connecting.ENDED),
        (facts(ended=True, empty=True, since=None), Connecting.ENDED),
        (facts(unanswered=True), Connecting.ANSWER),
        (facts(unanswered=True, complete=False), Connecting.ANSWER),
        (facts(unanswered=True, since=LONG), Connecting.ANSWER),
        (facts(empty=True, complete=False, since=None), Connecting.PROFILE_GREETING),
        (facts(empty=True, since=None), Connecting.OPENING),
        (facts(since=LONG), Connecting.RE_GREETING),
        (facts(since=timedelta(days=200)), Connecting.RE_GREETING),
        (facts(since=SHORT), Connecting.RESUME_CHIPS),
        (facts(since=LONG, re_greeting=False), Connecting.RESUME_CHIPS),
        (facts(since=LONG, idle=timedelta(hours=7)), Connecting.RESUME_CHIPS),
        (facts(since=timedelta(hours=1), idle=timedelta(hours=1)), Connecting.RE_GREETING),
        (facts(complete=False), Connecting.NOTHING),
        (facts(complete=False, since=LONG), Connecting.NOTHING),
    ],
)
def test_the_first_row_that_fits(given: ConnectingFacts, wanted: Connecting) -> None:
    assert on_connecting(given) is wanted


@pytest.mark.parametrize(
    ("conversation", "memoir", "wanted"),
    [
        (None, None, "childhood"),
        (None, "work", "work"),
        ("school", None, "school"),
        ("school", "work", "work"),
        ("work", "work", "work"),
        ("work", "school", "work"),
        ("no such stage", "family", "family"),
    ],
)
def test_a_stage_never_goes_back(conversation: str | None, memoir: str | None, wanted: str) -> None:
    assert aligned_stage(conversation, memoir, BANK) == wanted
