"""A server in a process of its own, the household it serves, and what it costs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lifeecho_server.accounts.secret import load_secret
from lifeecho_server.accounts.tokens import issue
from lifeecho_server.interview.situation import Profile
from lifeecho_server.store import narrators, people
from lifeecho_server.store.database import Database

KNOWN = Profile("Rose", 1943, "Leeds", "Leeds", "weaver")
"""A complete profile, so that the interview opens."""
TOKEN_SECONDS = 24 * 3600
STOP_SECONDS = 20.0


class Serving:
    """A process that prints one line of JSON with its ``url`` once it listens."""

    def __init__(self, command: Sequence[str], **environment: str) -> None:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("LIFEECHO_")}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, env=inherited | environment, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{command[0]} ended with {self._process.wait()}")
        told: dict[str, Any] = json.loads(line)
        self.url: str = told["url"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def kill(self) -> None:
        """Kill the process at once (SIGKILL)."""
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Return the processor time used so far, by all threads, in user and system mode."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Return the memory in use now (VmRSS, 10**6 bytes)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        resident = next(line for line in lines if line.startswith("VmRSS:"))
        return int(resident.split()[1]) * 1024 / 1e6


def lifeecho(data_dir: Path, models_dir: Path | None = None, **environment: str) -> Serving:
    """Start our server as its users run it; without a models folder it goes without models."""
    models = data_dir / "no-models" if models_dir is None else models_dir
    command = [sys.executable, "-m", "lifeecho_server", "serve", "--json"]
    command += ["--host", "127.0.0.1", "--port", "0"]
    command += ["--data-dir", str(data_dir), "--models-dir", str(models)]
    return Serving(command, **environment)


def settle(data_dir: Path, count: int) -> list[str]:
    """Add elders, each with a story to tell; return an access token for each."""
    now = datetime.now(UTC)
    names = [f"elder-{index}" for index in range(count)]
    with Database.open(data_dir / "lifeecho.db") as data, data.transaction() as db:
        for name in names:
            people.add_user(
                db, user_id=name, name=name, role=people.Role.ELDER, language="en", at=now
            )
            narrators.add_narrator(
                db, narrator_id=name, name=name, language="en", at=now, profile=KNOWN
            )
            people.set_access(db, name, name, people.Level.TALK)
    secret = load_secret(data_dir)
    return [issue(secret, name, now=now, ttl=TOKEN_SECONDS, jti=name) for name in names]


def addresses(url: str, tokens: Sequence[str]) -> list[str]:
    """Return a conversation's address for each token."""
    base = url.replace("http://", "ws://")
    return [
        f"{base}/ws/conversation/c-{i}?speech=0&token={token}" for i, token in enumerate(tokens)
    ]
