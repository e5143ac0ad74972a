"""A server in a process of its own, so that it can be killed."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from lifeecho_server.settings import Settings
from tests.house import House, SteppedClock


class Process:
    """``lifeecho serve`` as its users run it; ``url`` is where it listens."""

    def __init__(
        self, data_dir: Path, models_dir: Path, *, port: int = 0, **environment: str
    ) -> None:
        command = [sys.executable, "-m", "lifeecho_server", "serve", "--json"]
        options = ["--host", "127.0.0.1", "--port", str(port)]
        options += ["--data-dir", str(data_dir), "--models-dir", str(models_dir)]
        self._process = subprocess.Popen(
            command + options,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | environment,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        told: dict[str, Any] = json.loads(line)
        self.url: str = told["url"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Kill the process at once; nothing of it runs on."""
        self._process.kill()
        self._process.communicate()

    def terminate(self) -> tuple[int, str]:
        """Stop it gracefully; return its exit code and what it logged."""
        self._process.send_signal(signal.SIGTERM)
        _, logged = self._process.communicate(timeout=20)
        return self._process.returncode, logged


def household(data_dir: Path, url: str) -> House:
    """Return the house of a server in another process: its people, tokens and sockets."""
    house = House(data_dir, Settings(data_dir=data_dir), url=url)
    house.clock = RealTime()
    return house


class RealTime(SteppedClock):
    """The machine's time, as the other process sees it."""

    def __init__(self) -> None:
        super().__init__()
        self._now = datetime.now(UTC)
