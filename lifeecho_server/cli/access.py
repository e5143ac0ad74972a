"""``lifeecho access``: who may talk for, read or manage whose story."""

import click

from lifeecho_server.cli.options import json_option, say, with_settings
from lifeecho_server.cli.people import database
from lifeecho_server.settings import Settings
from lifeecho_server.store.narrators import find_narrator
from lifeecho_server.store.people import Level, find_user, set_access


@click.command("access")
@click.argument("user")
@click.argument("narrator")
@click.argument("level", type=click.Choice([*map(str, Level), "none"]))
@json_option
@with_settings
def command(settings: Settings, user: str, narrator: str, level: str, as_json: bool) -> None:
    """Let USER read, talk for or manage NARRATOR's story; each holds those before it."""
    with database(settings) as data, data.transaction() as db:
        who, whose = find_user(db, user), find_narrator(db, narrator)
        set_access(db, who.id, whose.id, None if level == "none" else Level(level))
    answer = {"user_id": who.id, "narrator_id": whose.id, "level": level}
    say(answer, as_json, [f"{who.name} → {whose.name}: {level}"])
