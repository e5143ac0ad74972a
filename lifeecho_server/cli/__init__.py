"""The command line: one small module a command, read only when it is called."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

from lifeecho_server import __version__
from lifeecho_server.errors import LifeEchoError

COMMANDS: Mapping[str, str] = {
    "serve": "Run the server.",
    "user": "Who may sign in.",
    "narrator": "Whose story is told.",
    "access": "Who may talk for, read or manage whom.",
    "token": "An access token, for scripts.",
    "talk": "Talk with the interviewer in the terminal.",
    "transcribe": "What recognition makes of a recording, with times.",
    "models": "The models that are installed.",
    "doctor": "Is everything in order?",
    "schema": "JSON Schema of the socket's messages, OpenAPI of the pages.",
}
"""Each command's module under this package (of the same name), and its line in the help."""


class Failure(click.ClickException):
    """A failure that is told in its own plain sentence; exit code 1."""

    def show(self, file: Any = None) -> None:
        """Print the sentence on standard error."""
        click.echo(self.format_message(), file=file, err=file is None)


class Commands(click.Group):
    """A group whose commands are imported when they are called; errors become sentences here."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command's module and return its ``command``."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the help's list without importing a single command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what a person can be told is told, and the exit code is 1."""
        try:
            return super().invoke(ctx)
        except LifeEchoError as error:
            raise Failure(str(error)) from error
        except ExceptionGroup as group:
            told, others = group.split(LifeEchoError)
            if told is None or others is not None:
                raise
            raise Failure(str(_first(told))) from group


def _first(group: ExceptionGroup[LifeEchoError]) -> LifeEchoError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, ExceptionGroup) else inner


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lifeecho")
def main() -> None:
    """LifeEcho: an interviewer at home that turns an elder's talk into a memoir."""
