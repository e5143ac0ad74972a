"""``lifeecho doctor``: is everything in order? In plain words."""

import click
from msgspec import to_builtins

from lifeecho_server.cli.checks import CHECKS, Level
from lifeecho_server.cli.options import json_option, say, with_settings
from lifeecho_server.settings import Settings

MARKS = {Level.OK: "ok   ", Level.NOTE: "note ", Level.WRONG: "WRONG"}


@click.command("doctor")
@json_option
@with_settings
def command(settings: Settings, as_json: bool) -> None:
    """Look at the machine, the data and the models; exit code 1 if something is wrong."""
    findings = [finding for check in CHECKS for finding in check(settings)]
    well = all(finding.level is not Level.WRONG for finding in findings)
    answer = {"ok": well, "findings": to_builtins(findings)}
    say(answer, as_json, [f"{MARKS[found.level]}  {found.text}" for found in findings])
    if not well:
        raise click.exceptions.Exit(1)
