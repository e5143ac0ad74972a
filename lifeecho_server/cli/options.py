"""Options that every command takes, and how answers are printed. Cheap to import."""

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
import msgspec

from lifeecho_server.settings import load

P = ParamSpec("P")
R = TypeVar("R")

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


def places(command: Callable[P, R]) -> Callable[P, R]:
    """Add the options that say where everything is: ``data_dir``, ``models_dir``, ``config``."""
    for option in (
        click.option("--config", type=FILE, help="The settings file [lifeecho.toml]."),
        click.option("--models-dir", type=FOLDER, help="Where the models are."),
        click.option("--data-dir", type=FOLDER, help="Where the household's data is."),
    ):
        command = option(command)
    return command


def places_given(data_dir: Path | None, models_dir: Path | None) -> dict[str, Any]:
    """Return the places as flags for ``settings.load``, which takes folders as text."""
    given = {"data_dir": data_dir, "models_dir": models_dir}
    return {name: str(path) for name, path in given.items() if path is not None}


def with_settings(command: Callable[..., R]) -> Callable[..., R]:
    """Add the places' options and hand the command the settings that hold, as ``settings``."""

    @places
    @functools.wraps(command)
    def loaded(
        data_dir: Path | None, models_dir: Path | None, config: Path | None, **rest: Any
    ) -> R:
        flags = places_given(data_dir, models_dir)
        return command(settings=load(flags, config).settings, **rest)

    return loaded


def say(answer: object, as_json: bool, lines: Iterable[str]) -> None:
    """Print ``answer`` as one line of JSON, or the lines for a person."""
    if as_json:
        click.echo(msgspec.json.encode(answer).decode("utf-8"))
        return
    for line in lines:
        click.echo(line)
