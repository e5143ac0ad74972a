"""The composition root: builds every part once, and owns the nursery tree."""

import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio
from dateutil.tz import tzlocal

from lifeecho_server import __version__
from lifeecho_server.accounts.secret import load_secret
from lifeecho_server.clock import Clock, SystemClock
from lifeecho_server.engines.chosen import EngineSource, InstalledEngines
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference import Inference, Metrics
from lifeecho_server.protocol.codes import GOING_AWAY
from lifeecho_server.session.audience import Audience
from lifeecho_server.session.banks import Banks
from lifeecho_server.session.facilities import Facilities
from lifeecho_server.session.recogniser import Recogniser
from lifeecho_server.session.revocation import watch_revocations
from lifeecho_server.session.seats import Seats
from lifeecho_server.session.services import Services
from lifeecho_server.session.voice import VoiceSessions
from lifeecho_server.settings import Settings
from lifeecho_server.store.lock import DataLock
from lifeecho_server.store.recordings import RecordingFiles
from lifeecho_server.store.store import Store
from lifeecho_server.web.conversation_route import ConversationRoute
from lifeecho_server.web.hosts import own_names
from lifeecho_server.web.http import Health, HttpSide, build_app, guarded
from lifeecho_server.web.listener import Listener

OPEN_SOCKETS_PER_CONNECTION = 4
"""Sockets that may be open for each conversation that may: pages, health checks, newcomers."""


class CannotListen(LifeEchoError):
    """The address cannot be listened on."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the server listens."""

    url: str
    port: int


Announce = Callable[[Listening], None]

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def serve(settings: Settings, *, announce: Announce) -> None:
    """Serve until SIGTERM or SIGINT. Raises LifeEchoError when it cannot start or go on."""
    server = Server(settings, SystemClock())
    try:
        with DataLock(settings.data_dir), trio.open_signal_receiver(*_STOP_SIGNALS) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_stop_at_signal, signals, server)
                await server.run(announce)
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        told = _lone_error(group)
        if told is None:
            raise
        raise told from None


async def _stop_at_signal(signals: AsyncIterator[int], server: "Server") -> None:
    async for _ in signals:
        server.stop()


def _lone_error(group: BaseExceptionGroup[BaseException]) -> LifeEchoError | None:
    """Return the one error that a person can be told, if the group holds nothing else."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error if isinstance(error, LifeEchoError) else None


class Server:
    """All parts of a server, and their lives; made for one run.

    ``metrics`` are its counts, for whoever runs it in their own process.
    """

    def __init__(
        self, settings: Settings, clock: Clock, engines: EngineSource | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._engines = engines or InstalledEngines(settings)
        self.metrics = Metrics()
        self._stopping = trio.Event()
        self._scheme = "http"

    def stop(self) -> None:
        """Ask the server to stop gracefully."""
        self._stopping.set()

    async def run(self, announce: Announce) -> None:
        """Serve until ``stop``. Parts end in the reverse order of their beginning."""
        services = self._build()
        async with trio.open_nursery() as storing:
            await storing.start(services.store.run)
            async with trio.open_nursery() as working:
                await working.start(services.inference.run)
                await working.start(services.recogniser.run)
                await working.start(services.voice.run)
                working.start_soon(
                    watch_revocations, services.store, services.seats, services.voice
                )
                working.start_soon(services.banks.read_all)
                await self._listen(services, announce)
                working.cancel_scope.cancel()
            storing.cancel_scope.cancel()

    def _build(self) -> Services:
        settings = self._settings
        store = Store(settings.data_dir / "lifeecho.db")
        files = RecordingFiles(settings.data_dir)
        inference = Inference(
            settings,
            load_transcriber=self._engines.load_transcriber,
            load_chat_model=self._engines.load_chat_model,
            load_speaker=self._engines.load_speaker,
            fingerprint=self._engines.fingerprint,
            metrics=self.metrics,
        )
        seats = Seats(most=settings.connections_max, most_per_user=settings.connections_per_user)
        audience = Audience(seats)
        recogniser = Recogniser(
            store,
            files,
            inference,
            self._clock,
            languages=settings.languages,
            tell=audience.heard,
        )
        timezone = tzlocal()
        facilities = Facilities(
            settings, store, files, inference, recogniser, self._clock, timezone, audience
        )
        return Services(
            settings=settings,
            clock=self._clock,
            store=store,
            files=files,
            inference=inference,
            recogniser=recogniser,
            voice=VoiceSessions(facilities),
            seats=seats,
            banks=Banks(settings.languages, settings.languages_dir),
            timezone=timezone,
            secret=load_secret(settings.data_dir),
        )

    async def _listen(self, services: Services, announce: Announce) -> None:
        """Accept connections until ``stop``; then let the live ones end in order."""
        settings = self._settings
        names = own_names(settings.allowed_hosts)
        http = HttpSide(guarded(build_app(partial(_health, services.inference)), names))
        listener = Listener(
            upgrade=ConversationRoute(services, names, self._scheme).serve,
            plain=http.serve,
            head_timeout=settings.head_timeout,
            send_timeout=settings.send_timeout,
            most=settings.connections_max * OPEN_SOCKETS_PER_CONNECTION,
        )
        async with trio.open_nursery() as connections:
            async with trio.open_nursery() as accepting:
                port = await self._bind(accepting, listener, connections)
                listening = Listening(self._url(port), port)
                with _address_file(settings.data_dir, listening):
                    announce(listening)
                    await self._stopping.wait()
                accepting.cancel_scope.cancel()
            with trio.move_on_after(settings.shutdown_timeout):
                await http.stop()
                await services.seats.close_all(GOING_AWAY)
            connections.cancel_scope.cancel()

    async def _bind(
        self, accepting: trio.Nursery, listener: Listener, connections: trio.Nursery
    ) -> int:
        settings = self._settings
        try:
            port: int = await accepting.start(
                listener.run, settings.host, settings.port, connections
            )
        except OSError as error:
            reason = error.strerror or "the address cannot be used"
            raise CannotListen(
                f"cannot listen on {settings.host} port {settings.port}: {reason}; "
                "choose another with --port"
            ) from None
        return port

    def _url(self, port: int) -> str:
        host = self._settings.host
        shown = lan_address() if host in ("0.0.0.0", "::", "") else host
        return f"{self._scheme}://{f'[{shown}]' if ':' in shown else shown}:{port}"


def lan_address() -> str:
    """Return the address under which the household reaches this machine, or loopback without one.

    Connecting a datagram socket sends nothing: it only asks the kernel which way it would go
    (192.0.2.1 is reserved for documentation, RFC 5737).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


@contextmanager
def _address_file(data_dir: Path, listening: Listening) -> Iterator[None]:
    """Tell the command line where the server listens, for as long as it does."""
    path = data_dir / "server.json"
    draft = path.with_suffix(".new")
    text = json.dumps({"url": listening.url, "port": listening.port, "pid": os.getpid()})
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _health(inference: Inference) -> Health:
    now = inference.capabilities
    return Health("ok", __version__, now.asr, now.llm, now.tts)
