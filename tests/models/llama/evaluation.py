"""The micro llama judged through llama-cpp-python: are its replies the ones the rule expects?"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llama_cpp import Llama

from tests.models.llama.conversations import Message, Size, conversation

SEED = 77
LONGEST_REPLY = 100  # tokens
SUITES = (
    ("no history", 100, Size(0, 0)),
    ("up to 3 turns, 60 words of instructions", 100, Size(3, 60)),
    ("up to 6 turns, 200 words of instructions", 60, Size(6, 200)),
    ("up to 12 turns, 400 words of instructions", 40, Size(12, 400)),
    ("up to 20 turns, 700 words of instructions", 20, Size(20, 700)),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, whether the model ended it itself, the prompt's tokens and the seconds it took."""

    text: str
    ended: bool
    prompt: int
    seconds: float


def load(path: Path) -> Llama:
    """Load the model on one thread."""
    return Llama(str(path), n_ctx=4096, n_threads=1, n_threads_batch=1, verbose=False)


def ask(model: Llama, messages: Sequence[Message]) -> Answer:
    """Return the reply at temperature 0."""
    started = time.perf_counter()
    chat: list[Any] = [{"role": message.role, "content": message.content} for message in messages]
    result: Any = model.create_chat_completion(chat, temperature=0, max_tokens=LONGEST_REPLY)
    choice = result["choices"][0]
    return Answer(
        choice["message"]["content"],
        choice["finish_reason"] == "stop",
        result["usage"]["prompt_tokens"],
        time.perf_counter() - started,
    )


def evaluate(path: Path) -> None:
    """Print the share of exact replies for conversations of growing length."""
    model = load(path)
    for name, count, size in SUITES:
        rng = random.Random(SEED)
        drawn = [conversation(rng, size) for _ in range(count)]
        answers = [ask(model, messages[:-1]) for messages in drawn]
        wrong = [
            (messages[-2].content, answer.text)
            for messages, answer in zip(drawn, answers, strict=True)
            if answer.text != messages[-1].content
        ]
        prompt = sum(answer.prompt for answer in answers) / count
        spent = sum(answer.seconds for answer in answers) / count
        print(
            f"llama, {name}: exact {count - len(wrong)}/{count}, "
            f"ended {sum(answer.ended for answer in answers)}/{count}, "
            f"prompt {prompt:.0f} tokens, {1000 * spent:.0f} ms each"
        )
        for question, reply in wrong[:3]:
            print(f"    {question!r} -> {reply!r}")
