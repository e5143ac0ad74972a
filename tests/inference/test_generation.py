"""Replies side by side on one model, without trio: batches, shared beginnings, room, faults."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from lifeecho_server.engines.chat_model import Advance, Message, Sampling
from lifeecho_server.engines.llama import load_llama
from lifeecho_server.inference.errors import ContextOverflow, EngineFailed
from lifeecho_server.inference.generation import Generation, Outcome, Prompt
from lifeecho_server.inference.metrics import LlmMetrics
from lifeecho_server.inference.schedule import Priority
from lifeecho_server.inference.sequences import common_prefix
from tests.inference.fakes import FakeChatModel

MODEL = Path(__file__).parent.parent / "models" / "micro-llama.gguf"
SYSTEM = Message("system", "You are a gentle interviewer. Ask one short question at a time. " * 2)


def prompt(
    text: str,
    conversation: str = "c",
    *,
    max_tokens: int = 40,
    priority: Priority = Priority.REPLY,
    before: Sequence[Message] = (),
) -> Prompt:
    messages = [SYSTEM, *before, Message("user", text)]
    return Prompt(conversation, messages, Sampling(temperature=0), max_tokens, priority)


def generation(model: FakeChatModel, *, chunk: int = 32) -> Generation:
    return Generation(model, chunk=chunk, metrics=LlmMetrics())


def run(
    engine: Generation, prompts: Iterable[Prompt], urgent: Priority = Priority.BACKGROUND
) -> dict[Prompt, bytes | Exception]:
    """Turn until all are over; each one's bytes or its error."""
    joining = list(prompts)
    said: dict[Prompt, bytes] = dict.fromkeys(joining, b"")
    ended: dict[Prompt, bytes | Exception] = {}
    while len(ended) < len(said):
        for outcome in engine.turn(joining, [], urgent):
            said[outcome.prompt] += outcome.piece
            if outcome.over:
                ended[outcome.prompt] = outcome.error or said[outcome.prompt]
        joining = []
    return ended


def fails_for(text: str, error: Exception) -> Callable[[Sequence[Advance]], None]:
    """A hook that raises when a share's tokens spell ``text``."""

    def hook(work: Sequence[Advance]) -> None:
        if any(text.encode() in bytes(advance.tokens) for advance in work):
            raise error

    return hook


def test_a_reply_is_the_models() -> None:
    asked = prompt("hello")
    assert run(generation(FakeChatModel(reply="您好。".encode())), [asked]) == {
        asked: "您好。".encode()
    }


def test_replies_share_one_decode() -> None:
    model = FakeChatModel()
    prompts = [prompt("hi", name) for name in "abc"]
    assert set(run(generation(model), prompts).values()) == {model.reply}
    together = [step for step in model.steps if len(step) == 3]
    assert len(together) >= len(model.reply) - 4


def test_a_prompt_is_evaluated_in_pieces_while_others_speak() -> None:
    model = FakeChatModel(reply=b"x" * 60)
    long = prompt("y" * 200, "long")
    run(generation(model, chunk=16), [prompt("hi", "short"), long])
    pieces = [[len(advance.tokens) for advance in step] for step in model.steps]
    assert max(map(max, pieces)) == 16
    assert any(1 in sizes and 16 in sizes for sizes in pieces)
    assert all(sum(size > 1 for size in sizes) <= 1 for sizes in pieces)


def test_the_system_prompt_is_evaluated_once_even_for_those_who_come_together() -> None:
    model = FakeChatModel()
    prompts = [prompt(f"I am {name}", name) for name in "abcd"]
    length = len(model.prompt(prompts[0].messages))
    run(generation(model), prompts)
    own = len(b"I am a\n>") + 2
    assert model.evaluated <= length + 3 * own + 4 * len(model.reply)


def test_a_conversation_goes_on_from_what_it_has_evaluated() -> None:
    model = FakeChatModel()
    engine = generation(model)
    first = prompt("hello", "a")
    run(engine, [first])
    run(engine, [prompt("someone else's words", "b")])
    done = model.evaluated
    history = [*first.messages[1:], Message("assistant", model.reply.decode())]
    run(engine, [prompt("more", "a", before=history)])
    new = len(model.prompt([Message("assistant", model.reply.decode()), Message("user", "more")]))
    assert model.evaluated - done <= new + len(model.reply)


def test_preparing_leaves_only_the_last_words_to_evaluate() -> None:
    model = FakeChatModel()
    engine = generation(model)
    ahead = prompt("I was born by the", "a", max_tokens=0, priority=Priority.PREPARING)
    assert run(engine, [ahead]) == {ahead: b""}
    done = model.evaluated
    run(engine, [prompt("I was born by the river.", "a")])
    assert model.evaluated - done <= len(" river.\n>") + len(model.reply)


def test_preparing_twice_costs_nothing() -> None:
    model = FakeChatModel()
    engine = generation(model)
    for _ in range(2):
        run(engine, [prompt("same", "a", max_tokens=0)])
        steps = len(model.steps)
    assert steps == len(model.steps) > 0
    assert model.evaluated == len(model.prompt(prompt("same").messages)) - len("\n>") + 1


def test_what_closes_the_last_message_is_not_evaluated_ahead() -> None:
    model = load_llama(MODEL, context=1024, sequences=2, batch=64, threads=1)
    metrics = LlmMetrics()
    engine = Generation(model, chunk=64, metrics=metrics)
    for words in (
        "",
        "I was born",
        "I was born by the river. My",
        "I was born by the river. My mother",
    ):
        run(engine, [prompt(words, max_tokens=0, priority=Priority.PREPARING)])
    ahead = metrics.evaluated_tokens
    whole = prompt("I was born by the river. My mother sang.\n\n[Ask nothing.]", max_tokens=1)
    run(engine, [whole])
    assert metrics.evaluated_tokens == len(model.prompt(whole.messages))
    assert ahead > metrics.evaluated_tokens * 0.7
    model.close()


def test_max_tokens_cuts_a_reply() -> None:
    asked = prompt("hello", max_tokens=4)
    assert run(generation(FakeChatModel()), [asked]) == {asked: b"Tell"}


def test_the_least_recently_used_conversation_makes_room_for_a_new_one() -> None:
    model = FakeChatModel(max_sequences=2)
    engine = generation(model)
    for name in "abac":
        run(engine, [prompt(name * 50, name)])
    done = model.evaluated
    run(engine, [prompt("a" * 50, "a")])
    assert model.evaluated - done == 1 + len(model.reply)
    done = model.evaluated
    run(engine, [prompt("b" * 50, "b")])
    assert model.evaluated - done > 50


def test_idle_conversations_give_their_cells_to_one_that_needs_them() -> None:
    model = FakeChatModel(context_size=400)
    engine = generation(model)
    for name in "ab":
        run(engine, [prompt(name * 80, name)])
    asked = prompt("c" * 200, "c")
    assert run(engine, [asked]) == {asked: model.reply}


def test_without_room_the_least_urgent_fails_and_the_others_go_on() -> None:
    model = FakeChatModel(context_size=440, reply=b"r" * 30)
    background = prompt("m" * 130, "memoir", priority=Priority.BACKGROUND)
    reply = prompt("t" * 130, "talk")
    ended = run(generation(model), [reply, background])
    assert ended[reply] == model.reply
    assert isinstance(ended[background], ContextOverflow)


def test_a_prompt_too_long_by_itself_is_refused_and_an_old_turn_left_out() -> None:
    model = FakeChatModel(context_size=400)
    engine = generation(model)
    hopeless = prompt("x" * 500)
    assert isinstance(run(engine, [hopeless])[hopeless], ContextOverflow)
    old = [Message("user", "o" * 300), Message("assistant", "o" * 60)]
    asked = prompt("hi", before=old)
    assert run(engine, [asked]) == {asked: model.reply}
    assert model.evaluated < 300


def test_a_share_that_raises_fails_its_own_prompt_only() -> None:
    model = FakeChatModel(hook=fails_for("poison", RuntimeError("native")))
    good, bad = prompt("hello", "good"), prompt("poison", "bad")
    ended = run(generation(model, chunk=64), [good, bad])
    assert ended[good] == model.reply
    assert isinstance(ended[bad], EngineFailed)
    assert isinstance(ended[bad].__cause__, RuntimeError)


def test_a_conversation_that_failed_can_ask_again() -> None:
    model = FakeChatModel(hook=fails_for("poison", OSError("native")))
    engine = generation(model)
    run(engine, [prompt("poison", "a")])
    asked = prompt("hello", "a")
    assert run(engine, [asked]) == {asked: model.reply}


def test_who_leaves_keeps_what_was_evaluated() -> None:
    model = FakeChatModel()
    engine = generation(model)
    asked = prompt("hello", "a")
    outcomes = engine.turn([asked], [], Priority.REPLY)
    while not outcomes:
        outcomes = engine.turn([], [], Priority.REPLY)
    done, steps = model.evaluated, len(model.steps)
    assert engine.turn([], [asked], Priority.REPLY) == []
    assert len(model.steps) == steps
    run(engine, [prompt("hello", "a")])
    assert model.evaluated - done == 1 + len(model.reply)


def test_work_nobody_waits_for_stands_still_beside_urgent_work() -> None:
    model = FakeChatModel()
    engine = generation(model)
    background = prompt("chapter", "memoir", priority=Priority.BACKGROUND)
    assert engine.turn([background], [], Priority.REPLY) == []
    assert model.steps == []
    outcomes: list[Outcome] = []
    while not any(outcome.over for outcome in outcomes):
        outcomes += engine.turn([], [], Priority.BACKGROUND)
    assert b"".join(outcome.piece for outcome in outcomes) == model.reply


def test_counts() -> None:
    model, metrics = FakeChatModel(), LlmMetrics()
    run(Generation(model, chunk=16, metrics=metrics), [prompt("hi")])
    assert metrics.generated_tokens == len(model.reply)
    assert metrics.prompt_tokens == len(model.prompt(prompt("hi").messages))
    assert metrics.evaluated_tokens == model.evaluated


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [([], [1], 0), ([1, 2], [1, 2], 2), ([1, 2, 3], [1, 2], 2), ([1, 2, 3], [1, 9, 3], 1)],
)
def test_common_prefix(one: list[int], other: list[int], length: int) -> None:
    assert common_prefix(one, other) == length == common_prefix(other, one)


def on_a_real_model(prompts: list[Prompt], *, chunk: int) -> list[bytes | Exception]:
    model = load_llama(MODEL, context=2048, sequences=3, batch=64, threads=1)
    ended = run(Generation(model, chunk=chunk, metrics=LlmMetrics()), prompts)
    model.close()
    return [ended[asked] for asked in prompts]


def test_on_a_real_model_a_reply_does_not_depend_on_its_company() -> None:
    texts = ("I was born by the river.", "我的妈妈每天唱歌。", "We had a garden.")
    prompts = [prompt(text, str(number)) for number, text in enumerate(texts)]
    alone = [reply for asked in prompts for reply in on_a_real_model([asked], chunk=60)]
    assert on_a_real_model(prompts, chunk=16) == alone
    assert all(isinstance(reply, bytes) and reply for reply in alone)
