"""``lifeecho models``: the models that are installed, and taking in others."""

from pathlib import Path
from typing import Any

import click

from lifeecho_server.cli.options import json_option, say, with_settings
from lifeecho_server.cli.people import confirmed
from lifeecho_server.cli.tables import columns
from lifeecho_server.engines.catalogue import CATALOGUE, CatalogueEntry
from lifeecho_server.engines.installed import Installed, installed
from lifeecho_server.engines.installed import remove as remove_model
from lifeecho_server.settings import Settings

MEGABYTE = 1_000_000


@click.group("models")
def command() -> None:
    """The models that are installed, and taking in others."""


@command.command("list")
@json_option
@with_settings
def list_(settings: Settings, as_json: bool) -> None:
    """List the models that are here, and those that are known to work."""
    here = installed(settings.models_dir)
    answer = {
        "installed": [installed_answer(model) for model in here],
        "catalogue": [_known_answer(entry) for entry in CATALOGUE],
    }
    say(answer, as_json, [*_installed_lines(here, settings), "", *_known_lines()])


@command.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@json_option
@with_settings
def import_(settings: Settings, path: Path, as_json: bool) -> None:
    """Copy a model that is on this machine: a Whisper folder (CTranslate2) or a GGUF file."""
    from lifeecho_server.engines.model_import import import_model

    def check_gguf(file: Path) -> None:
        load_chat_model(settings, file)

    model = import_model(path, settings.models_dir, check_gguf)
    say(installed_answer(model), as_json, [f"{model.name} is installed, and it loads."])


@command.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_settings
def remove(settings: Settings, name: str, yes: bool, as_json: bool) -> None:
    """Delete a model from the models folder."""
    confirmed(f"Delete the model {name} from {settings.models_dir}?", yes)
    remove_model(settings.models_dir, name)
    say({"name": name, "removed": True}, as_json, [f"{name} is removed."])


def load_chat_model(settings: Settings, file: Path) -> None:
    """Load a GGUF as the server would, and let go of it. Raises EngineMissing, ModelUnusable."""
    from lifeecho_server.engines.llama import load_llama

    load_llama(
        file,
        context=settings.llm_context,
        sequences=settings.llm_sequences,
        batch=settings.prefill_chunk,
        threads=settings.llm_threads,
    ).close()


def installed_answer(model: Installed) -> dict[str, Any]:
    """Return an installed model as a program sees it."""
    return {
        "name": model.name,
        "kind": model.kind,
        "path": str(model.path),
        "bytes": model.bytes,
        "sha256": model.sha256,
    }


def _installed_lines(here: list[Installed], settings: Settings) -> list[str]:
    if not here:
        return [f"No model is installed in {settings.models_dir}."]
    rows = [(model.name, model.kind, f"{model.bytes / MEGABYTE:.0f} MB") for model in here]
    return ["Installed:", *(f"  {line}" for line in columns(rows))]


def _known_answer(entry: CatalogueEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "repo": entry.repo,
        "files": entry.files,
        "megabytes": entry.megabytes,
        "memory_megabytes": entry.memory,
        "languages": entry.languages,
        "licence": entry.licence,
        "speed": entry.speed,
        "revision": entry.revision,
    }


def _known_lines() -> list[str]:
    rows = [("name", "download", "memory", "speed", "licence", "languages")]
    rows += [
        (
            entry.name,
            f"{entry.megabytes} MB",
            f"{entry.memory} MB",
            f"{entry.speed:g} {'× real time' if entry.kind == 'whisper' else 'tokens/s'}",
            entry.licence,
            ", ".join(entry.languages),
        )
        for entry in CATALOGUE
    ]
    head = "Known to work (download elsewhere, then `lifeecho models import PATH`):"
    return [head, *(f"  {line}" for line in columns(rows))]
