"""Start: from the process's beginning to ``listening``, and the memory it has then.

``python -m bench.start`` starts the server several times, with models configured and without any,
in turn; the first start of each, which warms the disk's cache, is not counted. The memory is read
when the server says that it listens, and models are loaded after that.
"""

import argparse
import shutil
import socket
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.report import RESULTS, show, spread, write
from bench.serving import lifeecho

MICRO_MODELS = Path(__file__).parents[1] / "tests" / "models"
MODELS = ("micro-whisper", "micro-llama.gguf")


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the process's beginning to a connection, and megabytes (10**6) then."""

    models: bool
    seconds: float
    megabytes: float


def copy_models(target: Path, source: Path = MICRO_MODELS) -> Path:
    """Copy the test models into a models folder, and return it."""
    target.mkdir()
    for name in MODELS:
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy
        copy(source / name, target / name)
    return target


def start(data_dir: Path, models_dir: Path | None) -> Start:
    """Start once, connect, stop."""
    begin = time.perf_counter()
    with lifeecho(data_dir, models_dir) as server:
        megabytes = server.megabytes()
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port)):
            seconds = time.perf_counter() - begin
    return Start(models_dir is not None, seconds, megabytes)


def measure(runs: int, models_dir: Path | None) -> list[Start]:
    """Start so many times with models and without, in turn, on the same data."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        data_dir = Path(folder) / "data"
        models = models_dir or copy_models(Path(folder) / "models")
        starts = [start(data_dir, each) for _ in range(runs + 1) for each in (models, None)]
    return starts[2:]


def main() -> None:
    """Read the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--models-dir", type=Path, help="models to configure [the test models]")
    parser.add_argument("--out", type=Path, default=RESULTS / "start.json")
    given = parser.parse_args()
    starts = measure(given.runs, given.models_dir)
    rows = []
    for models in (True, False):
        those = [each for each in starts if each.models is models]
        seconds, megabytes = [s.seconds for s in those], [s.megabytes for s in those]
        name = "models configured" if models else "no models"
        rows.append([name, spread(seconds), spread(megabytes)])
    show("median (least–most)", ["", "start to a connection, s", "memory then, MB"], rows)
    write(given.out, {"starts": [asdict(each) for each in starts]})


if __name__ == "__main__":
    main()
