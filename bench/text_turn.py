"""Text turn: received, committed, acknowledged, answered; beside the same on FastAPI.

``python -m bench.text_turn --peer-python ENV/bin/python`` lets one person and then fifty type to
our server and to the peer (``bench/peers/fastapi_turn.py``), in turn, several rounds, each with a
new database. No models: the scripted interviewer answers. The clients are a process of their own.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import msgspec

from bench.report import RESULTS, percentile, show, spread, write
from bench.serving import Serving, addresses, lifeecho, settle
from bench.talkers import Measured, Plan

PEER = Path(__file__).parent / "peers" / "fastapi_turn.py"
CROWDS = {1: 400, 50: 40}
"""Clients, and the turns of each."""

Start = Callable[[Path], Serving]


@dataclass(frozen=True, slots=True)
class Round:
    """One side's figures with so many clients; times in milliseconds.

    ``server_cpu`` and ``clients_cpu`` are seconds of processor a second.
    """

    side: str
    clients: int
    turns_per_second: float
    ack_p50: float
    ack_p99: float
    answer_p50: float
    answer_p99: float
    server_cpu: float
    clients_cpu: float


def ours(data_dir: Path) -> Serving:
    """Start our server; parts of a reply follow each other at once."""
    return lifeecho(data_dir, LIFEECHO_PART_PAUSE="0")


def peer(python: Path, pool: int, data_dir: Path) -> Serving:
    """Start the peer."""
    return Serving([str(python), str(PEER), str(data_dir), "--pool", str(pool)])


def measure(side: str, start: Start, ready: str, clients: int, turns: int) -> Round:
    """Measure one side once."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tokens = settle(Path(folder), clients)
        with start(Path(folder)) as server:
            plan = Plan(addresses(server.url, tokens), turns, ready)
            before = server.cpu_seconds()
            measured = talked(plan)
            cpu = server.cpu_seconds() - before
    assert len(measured.acknowledged) == len(measured.answered) == clients * turns
    return Round(
        side=side,
        clients=clients,
        turns_per_second=clients * turns / measured.seconds,
        ack_p50=percentile(measured.acknowledged, 0.5) * 1000,
        ack_p99=percentile(measured.acknowledged, 0.99) * 1000,
        answer_p50=percentile(measured.answered, 0.5) * 1000,
        answer_p99=percentile(measured.answered, 0.99) * 1000,
        server_cpu=cpu / measured.seconds,
        clients_cpu=measured.cpu / measured.seconds,
    )


def talked(plan: Plan) -> Measured:
    """Let the load generator talk, in its own process."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.talkers"],
        input=msgspec.json.encode(plan),
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Measured)


def table(rounds: list[Round]) -> None:
    """Print the rounds' medians with the least and the most, and the ratios of the medians."""
    figures = [name for name in Round.__slots__ if name not in ("side", "clients")]
    for clients in sorted({each.clients for each in rounds}):
        crowd = [each for each in rounds if each.clients == clients]
        sides = list(dict.fromkeys(each.side for each in crowd))
        rows = []
        for name in figures:
            values = [[getattr(r, name) for r in crowd if r.side == side] for side in sides]
            first = statistics.median(values[0])
            ratios = [f"{first / statistics.median(other):.2f}" for other in values[1:]]
            rows.append([name, *map(spread, values), *ratios])
        columns = ["", *sides, *(f"ours : {side}" for side in sides[1:])]
        show(f"{clients} clients; times in ms", columns, rows)


def main() -> None:
    """Read the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", type=Path, help="the Python of the peer's environment")
    parser.add_argument("--pool", type=int, default=[5], nargs="+", help="the peer's connections")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, choices=CROWDS, help="only this many")
    parser.add_argument("--out", type=Path, default=RESULTS / "text_turn.json")
    given = parser.parse_args()
    sides: dict[str, tuple[Start, str]] = {"ours": (ours, "topic_suggestions")}
    if given.peer_python is None:
        print("no --peer-python: only our side is measured")
    else:
        for pool in given.pool:
            sides[f"FastAPI, pool {pool}"] = (partial(peer, given.peer_python, pool), "connect")
    rounds = [
        measure(side, start, ready, clients, turns)
        for clients, turns in CROWDS.items()
        if given.clients in (None, clients)
        for _ in range(given.rounds)
        for side, (start, ready) in sides.items()
    ]
    table(rounds)
    write(given.out, {"rounds": [asdict(each) for each in rounds]})


if __name__ == "__main__":
    main()
