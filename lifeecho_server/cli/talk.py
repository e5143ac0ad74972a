"""``lifeecho talk``: a conversation in the terminal, over the same socket that phones use."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import click
import trio
from msgspec.structs import replace

from lifeecho_server.cli.address import running_server, socket_address
from lifeecho_server.cli.options import FILE, with_settings
from lifeecho_server.cli.people import database, only_narrator, only_user
from lifeecho_server.cli.terminal import CannotTalk, Terminal, connected
from lifeecho_server.cli.token import token_for
from lifeecho_server.clock import SystemClock
from lifeecho_server.settings import Settings
from lifeecho_server.store.database import Connection
from lifeecho_server.store.narrators import Narrator, find_narrator
from lifeecho_server.store.people import User, find_user

FRAME_ROOM = 1024
"""Bytes of a binary frame that are not the recording's."""


@click.command("talk")
@click.argument("user", required=False)
@click.option("--audio", type=FILE, help="Send this recording, show the answer, and stop.")
@click.option("--url", help="The server's address [the one that runs here, else one of its own].")
@click.option("--narrator", help="Whose story it is, for a new conversation.")
@click.option("--conversation", help="Go on with this conversation [a new one].")
@with_settings
def command(
    settings: Settings,
    user: str | None,
    audio: Path | None,
    url: str | None,
    narrator: str | None,
    conversation: str | None,
) -> None:
    """Talk with the interviewer. What is typed is said; a chip's number says its text."""
    clock = SystemClock()
    recording = None if audio is None else _recording(audio, settings.max_message_bytes)
    with database(settings) as data:
        db = data.connection
        person = only_user(db) if user is None else find_user(db, user)
        whose = None if conversation else _whose(db, person, narrator).id
    name = conversation or clock.new_id()
    click.echo(f"conversation {name}", err=True)
    talk = partial(
        _talk,
        conversation=name,
        narrator=whose,
        token=token_for(settings, person.id, clock, settings.access_token_ttl),
        terminal=Terminal(clock, recording),
    )
    server = url or running_server(settings.data_dir)
    trio.run(talk, server) if server else trio.run(_with_own_server, settings, talk)


def _whose(db: Connection, person: User, narrator: str | None) -> Narrator:
    return only_narrator(db, person) if narrator is None else find_narrator(db, narrator)


def _recording(path: Path, limit: int) -> bytes:
    try:
        audio = path.read_bytes()
    except OSError as error:
        raise CannotTalk(f"{path} cannot be read: {error.strerror}") from None
    if len(audio) > limit - FRAME_ROOM:
        raise CannotTalk(f"{path} is too large to be sent at once ({len(audio)} bytes)")
    return audio


async def _talk(
    url: str, *, conversation: str, narrator: str | None, token: str, terminal: Terminal
) -> None:
    async with connected(socket_address(url, conversation, narrator), token) as socket:
        await terminal.talk(socket)


async def _with_own_server(settings: Settings, talk: Callable[[str], Awaitable[None]]) -> None:
    """Start a server for this conversation alone, reachable from this machine only."""
    from lifeecho_server.app import Listening, serve

    own = replace(settings, host="127.0.0.1", port=0, log_level="warning")

    async def serve_own(*, task_status: trio.TaskStatus[Listening]) -> None:
        await serve(own, announce=task_status.started)

    async with trio.open_nursery() as nursery:
        listening: Listening = await nursery.start(serve_own)
        await talk(listening.url)
        nursery.cancel_scope.cancel()
