"""``lifeecho narrator``: the people whose stories are told."""

from collections.abc import Iterable
from pathlib import Path

import click

from lifeecho_server.cli.options import json_option, say, with_settings
from lifeecho_server.cli.people import (
    confirmed,
    database,
    language_option,
    name_given,
    narrator_answer,
    profile_options,
    spoken_here,
    told,
)
from lifeecho_server.cli.tables import columns
from lifeecho_server.clock import SystemClock
from lifeecho_server.interview.situation import Profile
from lifeecho_server.settings import Settings
from lifeecho_server.store import narrators, people
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import file_failure


@click.group("narrator")
def command() -> None:
    """Whose story is told; a narrator needs no user of their own."""


@command.command("add")
@click.argument("name", callback=name_given)
@language_option
@profile_options
@json_option
@with_settings
def add(settings: Settings, name: str, language: str, profile: Profile, as_json: bool) -> None:
    """Add a narrator; `lifeecho access` then says who may talk for them."""
    clock = SystemClock()
    with database(settings) as data, data.transaction() as db:
        added = narrators.add_narrator(
            db,
            narrator_id=clock.new_id(),
            name=name,
            language=spoken_here(language, settings),
            at=clock.now(),
            profile=profile,
        )
    say(narrator_answer(added), as_json, [f"{name} may tell a story: narrator {added.id}"])


@command.command("list")
@json_option
@with_settings
def list_(settings: Settings, as_json: bool) -> None:
    """List all narrators."""
    with database(settings) as data:
        everyone = narrators.narrators(data.connection)
    rows = [(person.id, person.name, person.language, person.status) for person in everyone]
    lines = columns(rows) if rows else ["There is no narrator yet; `lifeecho user add NAME`."]
    say([narrator_answer(person) for person in everyone], as_json, lines)


@command.command("show")
@click.argument("narrator")
@json_option
@with_settings
def show(settings: Settings, narrator: str, as_json: bool) -> None:
    """Show a narrator's profile, and who may talk for, read or manage their story."""
    with database(settings) as data:
        found = narrators.find_narrator(data.connection, narrator)
        rights = _rights(data.connection, found.id)
    answer = narrator_answer(found)
    plain = [(key, value) for key, value in answer.items() if key != "profile"]
    rows = [*plain, *told(found.profile).items(), *((r["level"], r["name"]) for r in rights)]
    say({**answer, "access": rights}, as_json, columns(rows))


@command.command("delete")
@click.argument("narrator")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_settings
def delete(settings: Settings, narrator: str, yes: bool, as_json: bool) -> None:
    """Delete a narrator and everything told: words, recordings, memoir. It cannot be undone."""
    with database(settings) as data:
        found = narrators.find_narrator(data.connection, narrator)
        confirmed(f"Delete everything that {found.name} has told, for good?", yes)
        with data.transaction() as db:
            paths = narrators.delete_narrator(db, found.id, SystemClock().now())
        data.truncate_log()
    _delete_files(settings.data_dir / "recordings", paths)
    answer = {"id": found.id, "deleted": True, "recordings": len(paths)}
    say(answer, as_json, [f"{found.name} and {len(paths)} recordings are deleted."])


def _delete_files(folder: Path, paths: Iterable[str]) -> None:
    """Delete recordings; one that is gone already is no fault. Raises StoreFailed."""
    for path in paths:
        try:
            (folder / path).unlink(missing_ok=True)
        except OSError as error:
            raise file_failure(error, folder / path) from error


def _rights(db: Connection, narrator_id: str) -> list[dict[str, str]]:
    rights = []
    for access in people.access_to(db, narrator_id):
        who = people.user(db, access.user_id)
        if who is not None:
            rights.append({"user_id": who.id, "name": who.name, "level": access.level})
    return rights
