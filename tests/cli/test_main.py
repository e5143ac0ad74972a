"""The group itself: lazy, and the one boundary where errors become sentences."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from lifeecho_server import __version__, cli
from lifeecho_server.errors import LifeEchoError


class Sad(LifeEchoError):
    """An error of the tests."""


def raising(error: Exception) -> click.Group:
    group = cli.Commands()

    @click.command("sad")
    def sad() -> None:
        raise error

    group.get_command = lambda _context, _name: sad  # type: ignore[method-assign]
    return group


def test_every_command_in_the_help_is_there():
    runner = CliRunner()
    help_page = runner.invoke(cli.main, ["--help"]).stdout
    for name in cli.COMMANDS:
        assert f"  {name} " in help_page
        assert runner.invoke(cli.main, [name, "--help"]).exit_code == 0


def test_version():
    assert __version__ in CliRunner().invoke(cli.main, ["--version"]).stdout


def test_serving_does_not_read_what_other_commands_need():
    program = (
        "import sys, lifeecho_server.cli.serve;"
        "print([m for m in ('rich', 'av', 'numpy', 'sqlite_utils', 'trio') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout == "[]\n"


@pytest.mark.parametrize(
    "error",
    [
        Sad("the milk is gone; buy some"),
        ExceptionGroup("", [Sad("the milk is gone; buy some")]),
        ExceptionGroup("", [ExceptionGroup("", [Sad("the milk is gone; buy some")])]),
    ],
)
def test_an_error_is_one_sentence_and_exit_1(error):
    result = CliRunner().invoke(raising(error), ["sad"])
    assert result.exit_code == 1
    assert result.stderr == "the milk is gone; buy some\n"
    assert result.stdout == ""


@pytest.mark.parametrize(
    "error", [ValueError("a fault"), ExceptionGroup("", [Sad("x"), ValueError("a fault")])]
)
def test_a_fault_of_ours_is_not_dressed_up(error):
    assert CliRunner().invoke(raising(error), ["sad"]).exception is error
