"""The HTTP side: health, the API's description and the page."""

from collections.abc import Callable
from typing import Any, cast

import msgspec
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from litestar import Litestar, get
from litestar.enums import ScopeType
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.plugins.problem_details import ProblemDetailsConfig, ProblemDetailsPlugin
from litestar.types import ASGIApp, Receive, Scope, Send

from lifeecho_server import __version__
from lifeecho_server.web.hosts import host_allowed
from lifeecho_server.web.pages import page_route
from lifeecho_server.web.replay import ReplayStream

KEEP_ALIVE = 15.0
"""Seconds that an idle HTTP connection is kept."""


class Health(msgspec.Struct, frozen=True):
    """Whether the server works, and what its engines can do."""

    status: str
    version: str
    asr: str
    llm: str
    tts: str


def build_app(health: Callable[[], Health]) -> Litestar:
    """Return the HTTP application; ``health`` tells the state of the moment."""

    @get("/healthz", sync_to_thread=False, summary="Whether the server works")
    def healthz() -> Health:
        return health()

    return Litestar(
        route_handlers=[healthz, page_route()],
        openapi_config=OpenAPIConfig(
            title="LifeEcho Server",
            version=__version__,
            path="/schema",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        plugins=[ProblemDetailsPlugin(ProblemDetailsConfig(enable_for_all_http_exceptions=True))],
        logging_config=None,
    )


def openapi() -> dict[str, Any]:
    """Return the OpenAPI description of the HTTP side."""
    app = build_app(lambda: Health("ok", __version__, "none", "none", "none"))
    return app.openapi_schema.to_schema()


def guarded(app: ASGIApp, names: frozenset[str]) -> ASGIApp:
    """Refuse requests whose Host is not ours; every request of a connection is looked at."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and not _host_ok(scope, names):
            await _refuse(send)
        else:
            await app(scope, receive, send)

    return guard


def _host_ok(scope: Any, names: frozenset[str]) -> bool:
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return len(hosts) == 1 and host_allowed(hosts[0], scope["server"][0], names)


async def _refuse(send: Any) -> None:
    body = b'{"status":403,"title":"Forbidden","detail":"this is not a name of this server"}'
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class HttpSide:
    """Speaks HTTP/1.1 on connections that were accepted elsewhere, through hypercorn."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = ASGIWrapper(cast("Any", app))
        self._config = Config()
        self._config.keep_alive_timeout = KEEP_ALIVE
        self._config.accesslog = None
        self._config.errorlog = None
        self._config.include_server_header = False
        self._context = WorkerContext(None)

    async def serve(self, stream: ReplayStream) -> None:
        """Answer the requests of one connection until it ends."""
        await TCPServer(self._app, self._config, self._context, {}, cast("Any", stream))

    async def stop(self) -> None:
        """Let idle connections go."""
        await self._context.terminated.set()
