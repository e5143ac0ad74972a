"""The command line on a data folder of its own."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lifeecho_server.cli import main


@dataclass
class Household:
    """Runs commands on one data folder, away from the settings of the machine."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def models(self) -> Path:
        return self.folder / "models"

    def run(self, *arguments: str, stdin: str = "") -> Result:
        places = ("--data-dir", str(self.data), "--models-dir", str(self.models))
        return CliRunner().invoke(main, [*arguments, *places], input=stdin, prog_name="lifeecho")

    def ok(self, *arguments: str) -> str:
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.ok(*arguments, "--json"))

    def told(self, *arguments: str) -> str:
        """Run a command that must fail with exactly one sentence on standard error."""
        result = self.run(*arguments)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        return line


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Household:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIFEECHO_PART_PAUSE", "0")
    for name in ("LIFEECHO_DATA_DIR", "LIFEECHO_MODELS_DIR"):
        monkeypatch.delenv(name, raising=False)
    return Household(tmp_path)


@pytest.fixture
def models_made() -> Path:
    """The folder of the models that were made for the tests."""
    return Path(__file__).resolve().parent.parent / "models"
