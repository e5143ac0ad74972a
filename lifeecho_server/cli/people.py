"""What the commands about people share: the open database, profile flags, answers."""

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from lifeecho_server.errors import LifeEchoError
from lifeecho_server.interview.situation import PROFILE_FIELDS, Profile
from lifeecho_server.settings import Settings
from lifeecho_server.store.database import FILE_NAME, Connection, Database
from lifeecho_server.store.narrators import Narrator, narrators_to_talk_for
from lifeecho_server.store.people import User, users

R = TypeVar("R")

language_option = click.option("--lang", "language", default="zh", show_default=True)


class WhichUser(LifeEchoError):
    """Nobody was named, and there is none or more than one."""


class NoSuchLanguage(LifeEchoError):
    """A language is none of those that the settings say are spoken here."""


class WhichNarrator(LifeEchoError):
    """No narrator was named, and there is none or more than one to talk for."""


def database(settings: Settings) -> Database:
    """Open the household's database, made or migrated as needed; a context manager."""
    return Database.open(settings.data_dir / FILE_NAME)


def spoken_here(language: str, settings: Settings) -> str:
    """Return a language (BCP 47) that interviews are held in. Raises NoSuchLanguage."""
    if language.partition("-")[0] not in settings.languages:
        spoken = ", ".join(settings.languages)
        raise NoSuchLanguage(f"{language} is not spoken here; the languages are {spoken}")
    return language


def only_user(db: Connection) -> User:
    """Return the only user who may come in. Raises WhichUser."""
    able = [user for user in users(db) if not user.disabled]
    if not able:
        raise WhichUser("there is no user yet; make one with `lifeecho user add NAME`")
    if len(able) > 1:
        names = ", ".join(user.name for user in able)
        raise WhichUser(f"there are several users ({names}); say which one")
    return able[0]


def only_narrator(db: Connection, user: User) -> Narrator:
    """Return the only narrator whom a user may talk for. Raises WhichNarrator."""
    able = narrators_to_talk_for(db, user.id)
    if not able:
        raise WhichNarrator(
            f"{user.name} may talk for no narrator; see `lifeecho access {user.name} NARRATOR talk`"
        )
    if len(able) > 1:
        names = ", ".join(narrator.name for narrator in able)
        raise WhichNarrator(f"{user.name} may talk for {names}; say whom with --narrator")
    return able[0]


def name_given(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Check a new name: something must be left without the blanks around it."""
    if not value.strip():
        raise click.BadParameter("the name is empty")
    return value.strip()


def profile_options(command: Callable[..., R]) -> Callable[..., R]:
    """Add the flags of a narrator's profile and hand the command a ``profile``."""

    @click.option("--nickname", help="How the person likes to be called.")
    @click.option("--birth-year", type=click.IntRange(1850, 2100))
    @click.option("--birth-place")
    @click.option("--grew-up-place", help="Where the person grew up.")
    @click.option("--occupation")
    @functools.wraps(command)
    def with_profile(**given: Any) -> R:
        fields = {name: given.pop(name) for name in PROFILE_FIELDS}
        return command(profile=Profile(**fields), **given)

    return with_profile


def told(profile: Profile) -> dict[str, str | int]:
    """Return the fields of a profile that are known."""
    fields = {name: getattr(profile, name) for name in PROFILE_FIELDS}
    return {name: value for name, value in fields.items() if value is not None}


def user_answer(user: User) -> dict[str, Any]:
    """Return a user as a program sees them."""
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "language": user.language,
        "plan": user.plan,
        "disabled": user.disabled,
    }


def narrator_answer(narrator: Narrator) -> dict[str, Any]:
    """Return a narrator as a program sees them."""
    return {
        "id": narrator.id,
        "name": narrator.name,
        "language": narrator.language,
        "status": narrator.status,
        "profile": told(narrator.profile),
    }


def confirmed(question: str, yes: bool) -> None:
    """Ask before what cannot be undone, when there is a person to ask; stops unless they agree."""
    if not yes and sys.stdin.isatty():
        click.confirm(question, abort=True)
