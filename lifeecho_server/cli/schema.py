"""``lifeecho schema``: what programs may say to the server, for programmers and for tests."""

import click
import msgspec

from lifeecho_server.cli.options import places


@click.group("schema")
def command() -> None:
    """JSON Schema of the socket's messages, OpenAPI of the pages."""


@command.command("socket")
@places
def socket(**_: object) -> None:
    """Print the JSON Schema of the conversation socket's messages."""
    from lifeecho_server.protocol.schema import socket_schema

    _show(socket_schema())


@command.command("http")
@places
def http(**_: object) -> None:
    """Print the OpenAPI description of the HTTP routes."""
    from lifeecho_server.web.http import openapi

    _show(openapi())


def _show(schema: dict[str, object]) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(schema), indent=2).decode("utf-8"))
