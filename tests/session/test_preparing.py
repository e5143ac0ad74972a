"""Prompts evaluated ahead, mostly on the real micro llama: little is left when the person ends."""

import threading
from collections.abc import Callable, Sequence

import pytest

from lifeecho_server.engines.chat_model import Advance, Message
from lifeecho_server.engines.chosen import InstalledEngines
from lifeecho_server.protocol.speaker import Speaker
from tests.conftest import MODELS, quick_settings
from tests.house import House, Talker
from tests.inference.fakes import FakeChatModel
from tests.session.engines import PATIENCE, Engines, Gate
from tests.session.slices import cut, send_one, talk
from tests.session.watched import WatchedEngines, WatchedModel

FIRST, SECOND = "My mother sang every evening.", "We lived by the river."


@pytest.fixture
def watched(tmp_path_factory: pytest.TempPathFactory) -> WatchedEngines:
    """The real micro models, the language model watched."""
    settings = quick_settings(tmp_path_factory.mktemp("models"), models_dir=MODELS)
    return WatchedEngines(InstalledEngines(settings))


@pytest.fixture
def house(build_house: Callable[..., House], watched: WatchedEngines) -> House:
    """A house on the real models in which Rose lives."""
    house = build_house(engines=watched, re_greeting=False, models_dir=MODELS)
    house.elder("rose")
    return house


def ready(talker: Talker, watched: WatchedEngines) -> WatchedModel:
    """Wait for the models, and until the greeting has been evaluated as history."""
    talker.until_capability("llm", "ready")
    talker.until_capability("asr", "ready")
    model = watched.models[-1]
    greeting = next(m["data"]["text"] for m in talker.seen if m["type"] == "agent_response")
    model.wait_until(lambda: greeting in model.text)
    return model


def before_the_first_token(advances: Sequence[Advance]) -> list[Advance]:
    """Return what was evaluated up to the first token of a reply."""
    place = next(place for place, advance in enumerate(advances) if advance.sample)
    return list(advances[: place + 1])


def reply_to(model: WatchedModel, words: str) -> Sequence[Message]:
    """Return the prompt of the reply to some words."""
    return next(
        one for one in model.prompts if words in one[-1].content and one[-1].content.endswith("]")
    )


def left_for(model: WatchedModel, words: str) -> list[Advance]:
    """Return what was evaluated for the reply to some words, up to its first token."""
    return before_the_first_token(model.evaluated(model.asked_at(reply_to(model, words))))


def tokens(advances: Sequence[Advance]) -> int:
    return sum(len(advance.tokens) for advance in advances)


def stable_words(talker: Talker, characters: int) -> str:
    """Read until so many characters of a transcript are certain; return them."""
    words = ""
    while len(words) < characters:
        heard = talker.until("transcript_partial")
        words = heard["text"][: heard["stable_chars"]].strip()
    return words


def test_words_are_evaluated_while_the_person_talks(house: House, watched: WatchedEngines) -> None:
    slices = cut(talk(8), 1.0)
    with house.opened("rose") as talker:
        model = ready(talker, watched)
        talker.say("recording_started", voice_session_id="v-1")
        for index, audio in enumerate(slices[:-1]):
            send_one(talker, audio, index)
        words = stable_words(talker, 60)
        model.wait_until(lambda: words in model.text)
        send_one(talker, slices[-1], len(slices) - 1, is_last=True)
        told = talker.until("transcript")["text"]
        assert talker.reply()
    left = left_for(model, told)
    last_words, note = model.text_of(left).split("\n\n", 1)
    assert words not in last_words
    assert told.endswith(last_words.strip())
    assert note.startswith("[")
    assert tokens(left) < len(model.tokens_for(reply_to(model, told))) / 2


def test_nothing_is_evaluated_twice_while_the_words_grow(
    house: House, watched: WatchedEngines
) -> None:
    slices = cut(talk(6), 1.0)
    with house.opened("rose") as talker:
        model = ready(talker, watched)
        for index, audio in enumerate(slices):
            send_one(talker, audio, index, is_last=index == len(slices) - 1)
        told = talker.until("transcript")["text"]
        talker.reply()
    assert model.text.count(told) == 1
    assert model.text.count("You are talking with an old person") == 1


def test_the_history_is_evaluated_while_the_person_thinks(
    house: House, watched: WatchedEngines
) -> None:
    with house.opened("rose") as talker:
        model = ready(talker, watched)
        talker.text(FIRST)
        said = talker.reply()[-1]["text"]
        # Said once by the model, and once more evaluated as what stands in the history.
        model.wait_until(lambda: model.text.count(said) == 2)
        talker.text(SECOND)
        assert talker.reply()
    left = left_for(model, SECOND)
    assert model.text_of(left).startswith(SECOND)
    assert tokens(left) < len(model.tokens_for(reply_to(model, SECOND))) / 2


def test_a_relatives_words_are_evaluated_as_theirs(house: House, watched: WatchedEngines) -> None:
    slices = cut(talk(6), 1.0)
    with house.opened("rose") as talker:
        model = ready(talker, watched)
        for index, audio in enumerate(slices[:-1]):
            send_one(talker, audio, index, speaker=Speaker.RELATIVE.value)
        words = stable_words(talker, 30)
        model.wait_until(lambda: f"(someone of the family) {words}" in model.text)


class Late:
    """A model that is not there before the person has been greeted by the script."""

    def __init__(self, hook: Callable[[Sequence[Advance]], None]) -> None:
        self.greeted = Gate()
        self.model = FakeChatModel(
            reply=b"How lovely.", context_size=100_000, max_sequences=8, hook=hook
        )

    def engines(self) -> Engines:
        return Engines(new_chat_model=self._load)

    def _load(self) -> FakeChatModel:
        self.greeted.wait()
        return self.model


def test_a_model_that_breaks_over_preparing_still_replies(
    build_house: Callable[..., House],
) -> None:
    failed = threading.Event()

    def break_first(_: Sequence[Advance]) -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("llama_decode returned -3")

    late = Late(break_first)
    house = build_house(engines=late.engines(), re_greeting=False)
    house.elder("rose")
    with house.opened("rose") as talker:
        late.greeted.opened.set()
        talker.until_capability("llm", "ready")
        assert failed.wait(PATIENCE)
        talker.text(FIRST)
        talker.until("message_ack")
        assert talker.reply()[0]["text"] == "How lovely."
        talker.quiet()
    assert house.metrics.replies.model_faults == {}


def test_nothing_is_prepared_without_a_model(build_house: Callable[..., House]) -> None:
    house = build_house(engines=Engines(broken=True))
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.until_capability("llm", "failed")
        talker.say("recording_started", voice_session_id="v-1")
        talker.text(FIRST)
        talker.until("message_ack")
        assert talker.reply()
        talker.quiet()
    assert house.metrics.llm.prompt_tokens == house.metrics.llm.failed == 0


def test_a_turn_takes_the_model_from_what_is_prepared(build_house: Callable[..., House]) -> None:
    gate = Gate()
    late = Late(lambda _: gate.wait())
    house = build_house(engines=late.engines(), re_greeting=False)
    house.elder("rose")
    with house.opened("rose") as talker:
        late.greeted.opened.set()
        assert gate.reached.wait(PATIENCE)  # in the first step of what is evaluated ahead
        talker.text(FIRST)
        talker.until("message_ack")
        gate.opened.set()
        assert talker.reply()[0]["text"] == "How lovely."
    first = next(place for place, step in enumerate(late.model.steps) if step[0].sample)
    said = bytes(token for step in late.model.steps[: first + 1] for token in step[0].tokens)
    assert said.count(b"You are talking with an old person") == 1
    assert FIRST.encode() in said
