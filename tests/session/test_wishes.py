"""Wishes said and typed, sorrow, danger and coming back, at the socket and in the database."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from lifeecho_server.interview.bank import Bank
from lifeecho_server.store import people
from lifeecho_server.store.database import Connection
from tests.house import House, Talker
from tests.models.recorded import recordings
from tests.session.engines import Engines, ScriptedTranscriber

SOUND = next(iter(recordings())).path.read_bytes()
BANKS = {language: Bank.load(language) for language in ("en", "zh")}
STORIES = {
    "en": "We had a little shed behind the house where my brother Tom kept nine ferrets.",
    "zh": "我家门口有一棵老槐树，夏天一家人就在树底下吃饭，我弟弟还爬上去掏鸟窝。",
}
WISHES = [
    ("en", "keep_out", "Keep that out of the book"),
    ("en", "change_topic", "let's talk about something else"),
    ("en", "refusal", "I'd rather not talk about the war"),
    ("en", "farewell", "that's all for today"),
    ("en", "slower", "could you speak more slowly please"),
    ("zh", "keep_out", "不要写进书里"),
    ("zh", "change_topic", "换个话题吧"),
    ("zh", "refusal", "打仗的事我不想说"),
    ("zh", "farewell", "今天就到这里"),
    ("zh", "slower", "慢一点"),
]


def wish(house: House, talker: Talker, words: str, *, spoken: bool) -> list[str]:
    """Say or type a wish, and return the parts of the reply."""
    if spoken:
        assert isinstance(house.engines, Engines)
        house.engines.transcriber.text = words
        talker.audio(SOUND)
        assert talker.until("transcript")["text"] == words
    else:
        talker.text(words)
    return [part["text"] for part in talker.reply()]


@pytest.mark.parametrize("spoken", [False, True], ids=["typed", "spoken"])
@pytest.mark.parametrize(("language", "kind", "words"), WISHES)
def test_a_wish_is_obeyed_and_not_answered_with_a_question(
    build_house: Callable[..., House], language: str, kind: str, words: str, spoken: bool
) -> None:
    house = build_house(engines=Engines(transcriber=ScriptedTranscriber()))
    house.elder("rose", language)
    with house.opened("rose") as talker:
        talker.until_capability("asr", "ready")
        talker.text(STORIES[language])
        talker.reply()
        said = wish(house, talker, words, spoken=spoken)
    assert said[0] in getattr(BANKS[language].phrases, kind)
    assert not any(mark in "".join(said) for mark in "?？")
    sealed = house.ask("SELECT text FROM turns WHERE sealed = 1 AND speaker = 'narrator'")
    if kind == "keep_out":
        assert {text for (text,) in sealed} == {STORIES[language], words}
        assert house.ask("SELECT count(*) FROM facts") == [(0,)]
        assert house.ask("SELECT count(*) FROM slot_evidence") == [(0,)]
    else:
        assert sealed == []
    if kind == "refusal":
        topics = [topic for (topic,) in house.ask("SELECT topic FROM avoided_topics")]
        assert any(topic in words for topic in topics)
    if kind == "slower":
        ((rate,),) = house.ask("SELECT speaking_rate FROM narrators")
        assert rate < house.settings.speech_rate


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("away", [timedelta(days=1), timedelta(days=183)], ids=["day", "half-year"])
def test_who_is_back_is_greeted_by_something_they_said(
    build_house: Callable[..., House], language: str, away: timedelta
) -> None:
    house = build_house(engines=Engines())
    house.elder("rose", language)
    with house.opened("rose") as talker:
        talker.text(STORIES[language])
        talker.reply()
    house.clock.forward(days=away.days)
    with house.talker("rose") as talker:
        said = "\n".join(part["text"] for part in talker.reply())
        assert talker.expect("topic_suggestions")["reason"] == "re_greeting"
    told = {"en": ("shed", "brother Tom", "ferrets"), "zh": ("老槐树", "弟弟", "鸟窝")}[language]
    assert any(word in said for word in told), said
    assert sum(said.count(mark) for mark in "?？") == 1


def test_in_danger_the_family_is_named_and_nothing_is_asked(
    build_house: Callable[..., House],
) -> None:
    house = build_house(engines=Engines())
    house.elder("rose")

    def add(db: Connection) -> None:
        now = house.clock.now()
        people.add_user(
            db, user_id="anna", name="Anna", role=people.Role.FAMILY, language="en", at=now
        )
        people.set_access(db, "anna", "rose", people.Level.READ)

    house.change(add)
    with house.opened("rose") as talker:
        talker.text("I've fallen and I can't get up")
        said = [part["text"] for part in talker.reply()]
    assert "Anna" in said[-1]
    assert "?" not in "".join(said)
