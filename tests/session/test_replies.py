"""Replies worded by a model: the real micro llama, and models that loop, hang, die or dawdle."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lifeecho_server.engines.chat_model import Advance
from lifeecho_server.engines.llama import ModelUnusable
from lifeecho_server.interview.sentences import sentences_of
from lifeecho_server.interview.situation import Profile
from tests.conftest import MODELS
from tests.house import House
from tests.inference.fakes import FakeChatModel
from tests.session.engines import Engines, Gate

GOOD = b"That sounds lovely. What was her voice like?"
STORY = "My mother sang every evening."


GREETING = b"How good that you are here."


def fake_model(**how: Any) -> FakeChatModel:
    """Return a model that takes a byte for a token, with room for prompts of bytes."""
    defaults = {"reply": GREETING, "context_size": 100_000, "max_sequences": 8}
    return FakeChatModel(**(defaults | how))


def house_with(
    build_house: Callable[..., House], model: FakeChatModel, **settings: object
) -> House:
    house = build_house(engines=Engines(chat_model=model), re_greeting=False, **settings)
    house.elder("rose")
    return house


def answered(
    house: House,
    model: FakeChatModel,
    reply: bytes | None = None,
    *,
    user: str = "rose",
    told: str = STORY,
) -> list[str]:
    """Tell a story in a new conversation, the model answering ``reply``; return the parts."""
    with house.opened(user, user) as talker:
        talker.until_capability("llm", "ready")
        model.reply = model.reply if reply is None else reply
        talker.text(told)
        talker.expect("message_ack")
        parts = [part["text"] for part in talker.reply()]
        talker.quiet()
    assert not [message for message in talker.seen if message["type"] == "error"]
    return parts


def one_question(parts: list[str]) -> bool:
    return sum(part.count("?") + part.count("？") for part in parts) <= 1


def good(parts: list[str], language: str = "en") -> bool:
    """Whether a person can be told this: short, in their language, at most one question."""
    han = [any("\u4e00" <= character <= "\u9fff" for character in part) for part in parts]
    short = all(part.strip() and len(sentences_of(part)) <= 2 for part in parts)
    return bool(parts) and short and one_question(parts) and set(han) == {language == "zh"}


def test_models_words_are_said(build_house: Callable[..., House]) -> None:
    model = fake_model()
    said = answered(house_with(build_house, model), model, GOOD)
    assert " ".join(said) == GOOD.decode()


def test_model_speaks_in_parts(build_house: Callable[..., House]) -> None:
    model = fake_model()
    said = answered(
        house_with(build_house, model), model, b"That is lovely.[SPLIT]What was her voice like?"
    )
    assert said == ["That is lovely.", "What was her voice like?"]


NONSENSE = {
    "nothing": "",
    "an unclosed think block": "<think>The user says that her mother",
    "bytes that are no text": "\udcff\udcfe\udcfd",
    "template tokens alone": "<|im_start|>system<|im_end|>",
    "Chinese": "您的妈妈唱什么歌？她是个什么样的人？",
    "many questions": "What? Why? How? When?",
    "a year and a name": "In 1887 Mr Fotheringay met your mother in Timbuktu.",
    "the narrator's next words": "User: Yes, and she baked bread. She was a kind soul.",
    "the narrator by name": "Rose: Yes, and she baked bread. She was a kind soul.",
    "the narrator's own words": f"{STORY} {STORY}",
    "markup": "# Reply\n- one\n- two\n",
    "a sentence without an end": "and then she went on and on " * 30,
    "a part mark alone": "[SPLIT][SPLIT][SPLIT]",
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_never_reaches_the_person(
    build_house: Callable[..., House], nonsense: str
) -> None:
    model, reply = fake_model(), nonsense.encode("utf-8", "surrogateescape")
    house = house_with(build_house, model)
    parts = answered(house, model, reply)
    assert good(parts)
    for trace in (
        "think",
        "<|",
        "Timbuktu",
        "1887",
        "\ufffd",
        "baked",
        "SPLIT",
        "on and on",
        STORY,
    ):
        assert trace not in " ".join(parts)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("<think>She misses her. I should ask.</think>How kind of her.", "How kind of her."),
        ("She misses her.</think>How kind of her.", "How kind of her."),
        ("How kind of her.<|im_end|>\n<|im_start|>user\n", "How kind of her."),
        ("Assistant: How kind of her.", "How kind of her."),
        ("How kind of her. How kind of her. How kind of her.", "How kind of her."),
        ("How kind of her. What did she sing? And when? And where?", None),
        ("您好。How kind of her.", "How kind of her."),
        ("How kind of her. In 1887 she met Mr Fotheringay.", "How kind of her."),
        ("How kind of her. User: Yes, she was. Very kind.", "How kind of her."),
        ("One thing. Another thing. A third thing. A fourth thing.", "One thing. Another thing."),
    ],
)
def test_what_is_good_in_a_models_words_is_said(
    build_house: Callable[..., House], reply: str, said: str | None
) -> None:
    model = fake_model()
    parts = answered(house_with(build_house, model), model, reply.encode())
    assert good(parts)
    if said is None:
        assert " ".join(parts) == "How kind of her. What did she sing?"
    else:
        # The question that was decided on is asked, also where the model did not.
        assert " ".join(parts[:-1]) == said
        assert parts[-1].endswith("?")


@pytest.mark.parametrize(
    "nonsense",
    [
        "Your mother sang every evening, how lovely.",
        "您媽媽唱歌真好聽。",
        "一九八七年王主任在北京见过您妈妈。",
        "<think>她想念妈妈",
        "老人：是啊，她还会做饭。她人很好。",
        "什么歌？什么时候？在哪里？跟谁？",
        "真好真好真好真好真好真好真好真好真好。",
    ],
)
def test_a_chinese_narrator_is_answered_in_chinese(
    build_house: Callable[..., House], nonsense: str
) -> None:
    model = fake_model(reply="您来了，真好。".encode())
    house = house_with(build_house, model)
    house.elder("wang", "zh")
    told = "我妈妈每天晚上都唱歌。"
    parts = answered(house, model, nonsense.encode(), user="wang", told=told)
    assert good(parts, "zh")
    for trace in ("媽", "王主任", "北京", "想念", "做饭", "真好真好"):
        assert trace not in "".join(parts)


def test_a_slow_first_token_leaves_the_script(build_house: Callable[..., House]) -> None:
    gate, model = Gate(), fake_model()
    house = house_with(build_house, model, first_words_timeout=0.2)
    with house.opened("rose") as talker:
        talker.until_capability("llm", "ready")
        model.reply, model.hook = GOOD, lambda _: gate.wait()
        talker.text(STORY)
        parts = [part["text"] for part in talker.reply()]
        gate.opened.set()
    assert good(parts)
    assert parts[0] not in GOOD.decode()


def test_a_model_that_stalls_in_its_middle_has_said_what_it_said(
    build_house: Callable[..., House],
) -> None:
    gate, model = Gate(), fake_model()
    house = house_with(build_house, model, reply_timeout=0.2, step_timeout=600.0)

    def stall(work: Sequence[Advance]) -> None:
        if any(bytes(model.tokens_of(one.sequence)).endswith(b"What was") for one in work):
            gate.wait()

    with house.opened("rose") as talker:
        talker.until_capability("llm", "ready")
        model.reply, model.hook = GOOD, stall
        talker.text(STORY)
        parts = [part["text"] for part in talker.reply()]
        gate.opened.set()
    assert parts[0] == "That sounds lovely."
    assert len(parts) == 2
    assert parts[1].endswith("?")
    assert house.metrics.replies.model_faults["TooSlowError"] == 1


def test_a_model_that_dies_in_its_middle_has_said_what_it_said(
    build_house: Callable[..., House],
) -> None:
    model = fake_model()
    house = house_with(build_house, model)

    def die(work: Sequence[Advance]) -> None:
        if any(bytes(model.tokens_of(one.sequence)).endswith(b"What was") for one in work):
            raise ModelUnusable("the model died")

    model.hook = die
    said, asked = answered(house, model, GOOD)
    assert said == "That sounds lovely."
    assert asked.endswith("?")


def test_whose_words_were_said_is_counted(build_house: Callable[..., House]) -> None:
    model = fake_model()
    house = house_with(build_house, model)
    answered(house, model, b"What? Why? How lovely. [SPLIT] And so on.")
    counts = house.metrics.replies
    assert counts.by_model + counts.by_script == 2
    assert counts.by_model >= 1
    assert counts.refused["too_many_questions"] >= 1


def test_loop_is_cut(build_house: Callable[..., House]) -> None:
    model = fake_model()
    parts = answered(house_with(build_house, model), model, b"That is lovely. " * 40)
    assert " ".join(parts).count("That is lovely.") == 1


def test_model_that_dies_leaves_the_script(build_house: Callable[..., House]) -> None:
    def die(_: Sequence[Advance]) -> None:
        raise ModelUnusable("the model died")

    model = fake_model(hook=die)
    assert answered(house_with(build_house, model), model)


def test_model_that_fails_with_a_fault_of_its_library(build_house: Callable[..., House]) -> None:
    def fail(_: Sequence[Advance]) -> None:
        raise RuntimeError("llama_decode returned -3")

    model = fake_model(hook=fail)
    assert answered(house_with(build_house, model), model)


def test_model_that_hangs_leaves_the_script(build_house: Callable[..., House]) -> None:
    gate = Gate()
    engines = Engines(new_chat_model=lambda: fake_model(hook=lambda _: gate.wait()))
    house = build_house(
        engines=engines, re_greeting=False, first_words_timeout=0.2, step_timeout=0.5
    )
    house.elder("rose")
    try:
        assert answered(house, fake_model())
        with house.talker("rose") as talker:
            talker.text("And she baked.")
            talker.until("message_ack")
            assert talker.reply()
    finally:
        gate.opened.set()


def test_broken_model_leaves_the_script(build_house: Callable[..., House]) -> None:
    house = build_house(engines=Engines(broken=True))
    house.elder("rose")
    with house.opened("rose") as talker:
        talker.until_capability("llm", "failed")
        talker.text(STORY)
        talker.expect("message_ack")
        assert talker.reply()


def test_new_turn_cancels_and_the_next_reply_answers_all(
    build_house: Callable[..., House],
) -> None:
    gate = Gate()
    calm = [False]
    model = fake_model(reply=GOOD, hook=lambda _: None if calm[0] else gate.wait())
    house = build_house(engines=Engines(), re_greeting=False)
    house.elder("rose")
    house.opened("rose").socket.close()
    house.stop()
    house.engines = Engines(chat_model=model)
    house.start()
    with house.talker("rose") as talker:
        talker.until_capability("llm", "ready")
        talker.text(STORY, "m-1")
        first = talker.until("message_ack")["message_id"]
        assert gate.reached.wait(20)
        talker.text("And she baked.", "m-2")
        second = talker.until("message_ack")["message_id"]
        talker.quiet()
        calm[0] = True
        gate.opened.set()
        reply_id = talker.reply()[0]["assistant_message_id"]
        talker.quiet()
    answers = house.ask("SELECT id FROM turns WHERE answered_by = ?", reply_id)
    assert {first, second} <= {id_ for (id_,) in answers}


def test_reply_that_was_begun_and_cut_off_is_told(build_house: Callable[..., House]) -> None:
    house = build_house(part_pause=5.0)
    house.elder("mary", profile=Profile())
    with house.talker("mary") as talker:
        begun = talker.expect("agent_response")
        assert begun["final"] is False
        talker.text("Call me Mary.")
        told = [talker.expect("message_ack", "reply_cancelled") for _ in range(2)]
    assert {"assistant_message_id": begun["assistant_message_id"]} in told
    kept = house.ask(
        "SELECT text FROM reply_parts WHERE turn_id = ?", begun["assistant_message_id"]
    )
    assert kept == [(begun["text"],)]


def test_real_model_answers_within_the_guards(build_house: Callable[..., House]) -> None:
    house = build_house(models_dir=MODELS, asr_model="none")
    house.elder("rose")
    house.elder("wang", "zh")
    for user, words in (("rose", STORY), ("wang", "我妈妈每天晚上唱歌。")):
        with house.opened(user, user) as talker:
            talker.until_capability("llm", "ready")
            talker.text(words)
            talker.expect("message_ack")
            parts = [part["text"] for part in talker.reply()]
        assert parts
        assert sum(part.count("?") + part.count("？") for part in parts) <= 1


def test_two_people_are_answered_side_by_side(build_house: Callable[..., House]) -> None:
    house = build_house(models_dir=MODELS, asr_model="none")
    for user in ("rose", "mary"):
        house.elder(user)
    with house.opened("rose", "r") as rose, house.opened("mary", "m") as mary:
        for talker in (rose, mary):
            talker.until_capability("llm", "ready")
        for turn in range(3):
            rose.text(f"We had {turn} goats by the river.")
            mary.text(f"I worked {turn} years in a factory.")
            for talker in (rose, mary):
                talker.until("message_ack")
                assert talker.reply()
