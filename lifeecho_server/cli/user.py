"""``lifeecho user``: who may sign in."""

import click

from lifeecho_server.cli.options import json_option, say, with_settings
from lifeecho_server.cli.people import (
    confirmed,
    database,
    language_option,
    name_given,
    profile_options,
    spoken_here,
    told,
    user_answer,
)
from lifeecho_server.cli.tables import columns
from lifeecho_server.clock import SystemClock
from lifeecho_server.interview.situation import Profile
from lifeecho_server.settings import Settings
from lifeecho_server.store import people
from lifeecho_server.store.database import Connection
from lifeecho_server.store.narrators import add_narrator, narrator
from lifeecho_server.store.people import Level, Role


@click.group("user")
def command() -> None:
    """Who may sign in."""


@command.command("add")
@click.argument("name", callback=name_given)
@click.option("--role", type=click.Choice([*map(str, Role)]), default="elder", show_default=True)
@language_option
@click.option("--plan", default="unlimited", show_default=True, help="A plan of the settings.")
@profile_options
@json_option
@with_settings
def add(
    settings: Settings,
    name: str,
    role: str,
    language: str,
    plan: str,
    profile: Profile,
    as_json: bool,
) -> None:
    """Add a user; an elder gets a narrator, whose story is told, too."""
    if role != Role.ELDER and told(profile):
        raise click.UsageError("only an elder has a profile; use `lifeecho narrator add`")
    settings.plan(plan)
    spoken_here(language, settings)
    clock = SystemClock()
    now = clock.now()
    with database(settings) as data, data.transaction() as db:
        user = people.add_user(
            db,
            user_id=clock.new_id(),
            name=name,
            role=Role(role),
            language=language,
            plan=plan,
            at=now,
        )
        narrator_id = None
        if role == Role.ELDER:
            narrator_id = clock.new_id()
            add_narrator(
                db, narrator_id=narrator_id, name=name, language=language, at=now, profile=profile
            )
            people.set_access(db, user.id, narrator_id, Level.TALK)
    say(
        {**user_answer(user), "narrator_id": narrator_id},
        as_json,
        [f"{name} may sign in now: user {user.id}"]
        + ([f"and may tell a story: narrator {narrator_id}"] if narrator_id else []),
    )


@command.command("list")
@json_option
@with_settings
def list_(settings: Settings, as_json: bool) -> None:
    """List all users."""
    with database(settings) as data:
        everyone = people.users(data.connection)
    rows = [
        (user.id, user.name, user.role, user.language, user.plan, "disabled" * user.disabled)
        for user in everyone
    ]
    lines = columns(rows) if rows else ["There is no user yet; `lifeecho user add NAME` makes one."]
    say([user_answer(user) for user in everyone], as_json, lines)


@command.command("show")
@click.argument("user")
@json_option
@with_settings
def show(settings: Settings, user: str, as_json: bool) -> None:
    """Show a user, and whose stories they may talk for, read or manage."""
    with database(settings) as data:
        found = people.find_user(data.connection, user)
        rights = _rights(data.connection, found.id)
    answer = user_answer(found)
    rows = [*answer.items(), *((right["level"], right["name"]) for right in rights)]
    say({**answer, "access": rights}, as_json, columns(rows))


@command.command("disable")
@click.argument("user")
@click.option("--undo", is_flag=True, help="Let the user in again.")
@json_option
@with_settings
def disable(settings: Settings, user: str, undo: bool, as_json: bool) -> None:
    """Keep a user out; open connections end within a second."""
    with database(settings) as data, data.transaction() as db:
        found = people.find_user(db, user)
        people.disable_user(db, found.id, disabled=not undo)
    text = f"{found.name} may come in again." if undo else f"{found.name} is kept out."
    say({"id": found.id, "disabled": not undo}, as_json, [text])


@command.command("delete")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_settings
def delete(settings: Settings, user: str, yes: bool, as_json: bool) -> None:
    """Delete a user with devices and rights; what was told stays with its narrator."""
    with database(settings) as data:
        found = people.find_user(data.connection, user)
        confirmed(f"Delete the user {found.name} for good?", yes)
        with data.transaction() as db:
            people.delete_user(db, found.id, SystemClock().now())
        data.truncate_log()
    say({"id": found.id, "deleted": True}, as_json, [f"The user {found.name} is deleted."])


def _rights(db: Connection, user_id: str) -> list[dict[str, str]]:
    rights = []
    for access in people.access(db, user_id):
        whose = narrator(db, access.narrator_id)
        if whose is not None:
            rights.append({"narrator_id": whose.id, "name": whose.name, "level": access.level})
    return rights
