"""The pages: one, so far, for this machine only; files are read once, at the start."""

import re
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from lifeecho_server.web.hosts import host_name, is_loopback

MEDIA_TYPES = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
}
"""By the ending of a name; Litestar adds the charset to text."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",  # the socket of this very host too (CSP level 3)
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-cache",
}
FORWARDED = re.compile(r"forwarded|x-forwarded-.*|x-real-ip|via")
"""Headers of a proxy: behind one, the peer is not the person."""


def page_route() -> HTTPRouteHandler:
    """Return the route of the page and its files."""
    files = _files()

    methods = [HttpMethod.GET, HttpMethod.HEAD]

    @route(
        [*files],
        http_method=methods,
        guards=[on_this_machine],
        include_in_schema=False,
        sync_to_thread=False,
    )
    def page(request: Request[Any, Any, Any]) -> Response[bytes]:
        return files[request.scope["path"]]

    return page


def on_this_machine(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let nobody know of a page who is not on this machine. Raises NotFoundException."""
    client = connection.client
    hosts = connection.headers.getall("host", [])
    near = client is not None and is_loopback(client.host) and all(map(_names_loopback, hosts))
    if not near or not hosts or any(map(FORWARDED.fullmatch, connection.headers)):
        raise NotFoundException


def _names_loopback(host: str) -> bool:
    name = host_name(host)
    return name is not None and (name == "localhost" or is_loopback(name))


def _files() -> dict[str, Response[bytes]]:
    folder = resources.files("lifeecho_server.web") / "static"
    return {_path(file.name): _answer(file) for file in folder.iterdir()}


def _path(name: str) -> str:
    return "/" if name == "index.html" else f"/static/{name}"


def _answer(file: Traversable) -> Response[bytes]:
    media_type = MEDIA_TYPES[file.name.rpartition(".")[2]]
    return Response(file.read_bytes(), media_type=media_type, headers=HEADERS)
