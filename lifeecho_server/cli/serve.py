"""``lifeecho serve``: run the server until it is told to stop."""

import gc
import os
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from lifeecho_server.cli.options import json_option, places, places_given, say
from lifeecho_server.settings import Loaded, load


@click.command("serve")
@places
@click.option("--host", help="The address to listen on [0.0.0.0: all].")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 picks a free one.")
@click.option("--no-tls", is_flag=True, help="Serve plain HTTP. (TLS is not built yet: no effect.)")
@click.option("--print-config", is_flag=True, help="Show the settings that hold, and stop.")
@json_option
def command(
    data_dir: Path | None,
    models_dir: Path | None,
    config: Path | None,
    host: str | None,
    port: int | None,
    no_tls: bool,  # noqa: ARG001 (accepted, so that scripts written now stay right)
    print_config: bool,
    as_json: bool,
) -> None:
    """Run the server until Ctrl-C or SIGTERM."""
    flags = {**places_given(data_dir, models_dir), "host": host, "port": port}
    loaded = load(flags, config)
    if print_config:
        say(_described(loaded), as_json, _config_lines(loaded))
        return
    _run(loaded, as_json)


def _run(loaded: Loaded, as_json: bool) -> None:
    import trio

    from lifeecho_server.app import Listening, serve
    from lifeecho_server.logs import set_up

    set_up(loaded.settings.log_level)

    def announce(listening: Listening) -> None:
        _settle_memory()
        answer = {"url": listening.url, "port": listening.port, "pid": os.getpid()}
        say(answer, as_json, [f"listening on {listening.url}"])

    trio.run(partial(serve, loaded.settings, announce=announce))


def _settle_memory() -> None:
    """Let the garbage collector pass over what was made at the start, and look less often.

    Measured: acknowledgements under load a third sooner at the 99th percentile. A turn makes
    almost no cycles, so what waits for the collector stays small.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _described(loaded: Loaded) -> dict[str, dict[str, Any]]:
    values = msgspec.to_builtins(loaded.settings, enc_hook=str)
    return {name: {"value": values[name], "source": loaded.sources[name]} for name in values}


def _config_lines(loaded: Loaded) -> list[str]:
    return [
        f"{name} = {msgspec.json.encode(entry['value']).decode()}  ({entry['source']})"
        for name, entry in _described(loaded).items()
    ]
