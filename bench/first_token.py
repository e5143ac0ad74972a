"""First token of a reply, two people in turn: kept sequences against evaluating everything again.

``python bench/first_token.py MODEL.gguf`` has two people talk in turn to one model, once through
the server's own door to the engines and once through llama-cpp-python's ``Llama`` object, which
keeps one prompt only and so evaluates the whole conversation at every change of speaker. Both get
the same messages and threads. It prints the times by turn and writes them as JSON.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio

from lifeecho_server.engines.chat_model import Message, Sampling
from lifeecho_server.engines.llama import load_llama
from lifeecho_server.inference import EngineState, Inference
from lifeecho_server.settings import Settings

RESULTS = Path(__file__).parent / "results"
PEOPLE = ("one", "other")
REPLY_TOKENS = 16
SYSTEM = (
    "You are a gentle interviewer who helps an older person write a memoir. Listen, say back in a "
    "few words what you heard, and ask one short question at a time, in the speaker's language. "
)
TEXT = (
    "the river my mother sang every evening we walked to school in winter and father worked at "
    "the factory there was little money but the garden smelled of roses after rain"
)

Ask = Callable[[str, list[Message]], Awaitable[float]]
"""Ask for a reply in somebody's conversation; return the seconds to its first token."""


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds to the first token by turn (the mean of both people), and over all turns."""

    model: str
    turns: int
    threads: int
    kept: list[float]
    again: list[float]
    kept_median: float
    again_median: float
    ratio_median: float
    ratio_last_turn: float


def script(turns: int) -> list[tuple[str, str]]:
    """What a person says and is answered, turn by turn; always the same."""
    chance, words = random.Random(7), TEXT.split()
    return [
        (" ".join(chance.choices(words, k=25)) + ".", " ".join(chance.choices(words, k=20)) + "?")
        for _ in range(turns)
    ]


async def talk(ask: Ask, turns: int) -> list[float]:
    """Let the people talk in turn; return the mean seconds to the first token, turn by turn."""
    histories = {name: [Message("system", SYSTEM * 3)] for name in PEOPLE}
    means = []
    for said, answered in script(turns):
        times = []
        for name, history in histories.items():
            history.append(Message("user", f"{name}: {said}"))
            times.append(await ask(name, history))
            history.append(Message("assistant", answered))
        means.append(statistics.fmean(times))
    return means


async def with_kept_sequences(model: Path, turns: int, context: int, threads: int) -> list[float]:
    """Talk through the server's own door."""
    settings = Settings(llm_context=context)
    load = partial(
        load_llama,
        model,
        context=context,
        sequences=settings.llm_sequences,
        batch=settings.prefill_chunk + settings.llm_sequences,
        threads=threads,
    )
    door = Inference(
        settings, load_transcriber=lambda: None, load_chat_model=load, fingerprint=lambda: None
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda task_status: door.run(task_status=task_status))
        known = door.capabilities
        while known.llm is not EngineState.READY:
            known = await door.changed(known)
        times = await talk(partial(ask_door, door), turns)
        nursery.cancel_scope.cancel()
    return times


async def ask_door(door: Inference, name: str, history: list[Message]) -> float:
    """Ask the server's door."""
    begin, first = time.perf_counter(), None
    async with door.reply(
        history,
        conversation=name,
        sampling=Sampling(temperature=0),
        max_tokens=REPLY_TOKENS,
    ) as pieces:
        async for _ in pieces:
            first = first or time.perf_counter()
    return (first or time.perf_counter()) - begin


async def evaluating_again(model: Path, turns: int, context: int, threads: int) -> list[float]:
    """Talk through one ``Llama`` object."""
    from llama_cpp import Llama

    llama = Llama(
        str(model),
        n_ctx=context,
        n_threads=threads,
        n_threads_batch=threads,
        verbose=False,
    )
    times = await talk(partial(ask_llama, llama), turns)
    llama.close()
    return times


async def ask_llama(llama: Any, _: str, history: list[Message]) -> float:
    """Ask the ``Llama`` object, in this thread: nothing else is to run meanwhile."""
    await trio.lowlevel.checkpoint()
    begin, first = time.perf_counter(), None
    for chunk in llama.create_chat_completion(
        [asdict(message) for message in history],
        stream=True,
        max_tokens=REPLY_TOKENS,
        temperature=0,
    ):
        if first is None and chunk["choices"][0]["delta"].get("content"):
            first = time.perf_counter()
    return (first or time.perf_counter()) - begin


def measure(model: Path, turns: int, context: int, threads: int) -> Result:
    """Measure both in one run."""
    again = trio.run(evaluating_again, model, turns, context, threads)
    kept = trio.run(with_kept_sequences, model, turns, context, threads)
    kept_median, again_median = statistics.median(kept), statistics.median(again)
    return Result(
        model=model.name,
        turns=turns,
        threads=threads,
        kept=kept,
        again=again,
        kept_median=kept_median,
        again_median=again_median,
        ratio_median=kept_median / again_median,
        ratio_last_turn=kept[-1] / again[-1],
    )


def show(result: Result) -> None:
    """Print a table: every fifth turn, and the ratios."""
    print(f"{result.model}, {len(PEOPLE)} people in turn, {result.threads} threads")
    print(f"{'turn':>6} {'kept, s':>10} {'again, s':>10} {'ratio':>8}")
    for turn, (kept, again) in enumerate(zip(result.kept, result.again, strict=True), 1):
        if turn == 1 or turn % 5 == 0 or turn == result.turns:
            print(f"{turn:>6} {kept:>10.3f} {again:>10.3f} {kept / again:>8.3f}")
    print(f"{'median':>6} {result.kept_median:>10.3f} {result.again_median:>10.3f}", end="")
    print(f" {result.ratio_median:>8.3f}")


def main() -> None:
    """Read the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a GGUF file with a chat template")
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--context", type=int, default=16384, help="tokens, on either side")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "first_token.json")
    given = parser.parse_args()
    result = measure(given.model, given.turns, given.context, given.threads)
    show(result)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(asdict(result), indent=2) + "\n")
    print(f"written to {given.out}")


if __name__ == "__main__":
    main()
