"""The load generator of ``text_turn``, a process of its own: people who type, all at once.

Reads a plan as JSON from standard input and writes what it measured to standard output.
"""

import argparse
import sys
import time
from itertools import cycle, islice

import msgspec
import trio

from bench.socket_client import SocketClient, is_final, opened

SAID = (
    "We lived by the river, and my mother sang every evening.",
    "My father worked at the textile factory until I was twelve.",
    "We walked to school in winter, an hour each way.",
    "There was little money, but the garden smelled of roses after rain.",
    "I had two brothers, and we shared one bed.",
    "My teacher lent me books, and I read them by candle.",
    "On Sundays the whole street came to dance in the yard.",
)
READY_SECONDS = 60.0


class Plan(msgspec.Struct):
    """Who talks: one conversation an address, each of so many turns.

    A conversation has begun when its first message of type ``ready`` has come.
    """

    addresses: list[str]
    turns: int
    ready: str


class Measured(msgspec.Struct):
    """Seconds from sending each turn to its acknowledgement and to the first part of its answer.

    ``seconds`` is from the first turn to the last final part, ``cpu`` what this process used of
    it: near 1 a second, and it is the generator that was measured.
    """

    acknowledged: list[float]
    answered: list[float]
    seconds: float
    cpu: float


async def turn(client: SocketClient, number: int, text: str, measured: Measured) -> None:
    """Say something and wait until it has been answered to the end."""
    frame = msgspec.json.encode({"type": "text", "id": f"m-{number}", "data": {"text": text}})
    begin, answered = time.perf_counter(), False
    await client.send(frame)
    while True:
        message = await client.until("message_ack", "agent_response", "error")
        taken = time.perf_counter() - begin
        if message.type == "error":
            raise RuntimeError(bytes(message.data).decode())
        if message.type == "message_ack":
            measured.acknowledged.append(taken)
            continue
        if not answered:
            measured.answered.append(taken)
            answered = True
        if is_final(message):
            return


async def talk(plan: Plan) -> Measured:
    """Open all conversations, then let everybody talk."""
    measured = Measured([], [], 0.0, 0.0)
    ready, begin = [trio.Event() for _ in plan.addresses], trio.Event()

    async def one(address: str, is_ready: trio.Event) -> None:
        async with opened(address) as client:
            await client.until(plan.ready)
            is_ready.set()
            await begin.wait()
            for number, text in enumerate(islice(cycle(SAID), plan.turns)):
                await turn(client, number, text, measured)

    async with trio.open_nursery() as nursery:
        for address, is_ready in zip(plan.addresses, ready, strict=True):
            nursery.start_soon(one, address, is_ready)
        with trio.fail_after(READY_SECONDS):
            for is_ready in ready:
                await is_ready.wait()
        started, cpu = time.perf_counter(), time.process_time()
        begin.set()
    measured.seconds = time.perf_counter() - started
    measured.cpu = time.process_time() - cpu
    return measured


def main() -> None:
    """Talk by the plan."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(trio.run(talk, plan)))


if __name__ == "__main__":
    main()
