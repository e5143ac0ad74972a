"""A whole server on a thread of its own, and people who talk to it through another library."""

import base64
import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trio
import trio.lowlevel
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from lifeecho_server.accounts.secret import load_secret
from lifeecho_server.accounts.tokens import issue
from lifeecho_server.app import Listening, Server
from lifeecho_server.engines.chosen import EngineSource
from lifeecho_server.inference import Metrics
from lifeecho_server.interview.situation import Profile
from lifeecho_server.settings import Settings
from lifeecho_server.store import narrators, people
from lifeecho_server.store.database import Connection, Database

PATIENCE = 20.0
"""Seconds after which a test gives up waiting for a message that should come at once."""

KNOWN = Profile("Rose", 1943, "Leeds", "Leeds", "weaver")
"""A complete profile, so that the interview opens."""


class SteppedClock:
    """A clock that stands where a test puts it, and moves a millisecond at each look."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
        self._ids = 0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            self._now += timedelta(milliseconds=1)
            return self._now

    def forward(self, **span: float) -> None:
        with self._lock:
            self._now += timedelta(**span)

    def new_id(self) -> str:
        with self._lock:
            self._ids += 1
            return f"{self._ids:032x}"


@dataclass
class Closed:
    """How the server closed a socket."""

    code: int
    reason: str


class Talker:
    """One client of the socket. ``seen`` holds every message that came, in order."""

    def __init__(self, opened: AbstractContextManager[ClientConnection]) -> None:
        self._stack = ExitStack()
        self.socket = self._stack.enter_context(opened)
        self.seen: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def say(self, kind: str, id_: str | None = None, **data: Any) -> None:
        """Send a message."""
        message: dict[str, Any] = {"type": kind, "data": data}
        if id_ is not None:
            message["id"] = id_
        self.socket.send(json.dumps(message))

    def text(self, words: str, id_: str | None = None, **more: Any) -> None:
        """Send a text turn."""
        self.say("text", id_, text=words, **more)

    def audio(self, sound: bytes, id_: str | None = None, **more: Any) -> None:
        """Send a whole recording."""
        self.say("audio_message", id_, audio_base64=base64.b64encode(sound).decode(), **more)

    def next(self) -> dict[str, Any]:
        """Return the next message, whatever it is but a change of capabilities."""
        while True:
            message: dict[str, Any] = json.loads(self.socket.recv(timeout=PATIENCE))
            self.seen.append(message)
            if message["type"] != "capabilities":
                return message

    def expect(self, *kinds: str) -> dict[str, Any]:
        """Return the data of the next message, which is of one of these types."""
        message = self.next()
        assert message["type"] in kinds, message
        data: dict[str, Any] = message["data"]
        return data

    def until(self, kind: str) -> dict[str, Any]:
        """Return the data of the next message of a type, reading over others."""
        while (message := self.next())["type"] != kind:
            pass
        data: dict[str, Any] = message["data"]
        return data

    def until_capability(self, engine: str, state: str) -> None:
        """Wait until an engine is in a state, by ``connect`` or by ``capabilities``."""
        for message in self.seen:
            told = message["data"].get("capabilities", message["data"])
            if message["type"] in ("connect", "capabilities") and told[engine] == state:
                return
        while True:
            message = json.loads(self.socket.recv(timeout=PATIENCE))
            self.seen.append(message)
            if message["type"] == "capabilities" and message["data"][engine] == state:
                return

    def reply(self) -> list[dict[str, Any]]:
        """Return the parts of the next reply that is finished; one that is cut off is none."""
        parts: list[dict[str, Any]] = []
        while not parts or not parts[-1]["final"]:
            message = self.next()
            if message["type"] == "reply_cancelled":
                parts = []
            elif message["type"] == "agent_response":
                parts.append(message["data"])
        return parts

    def error(self) -> dict[str, Any]:
        """Return the next message, which is an error."""
        return self.expect("error")

    def closed(self) -> Closed:
        """Read to the end of the socket, and return how it was closed."""
        while True:
            try:
                self.next()
            except ConnectionClosed as end:
                assert end.rcvd is not None, "the socket ended without a close frame"
                return Closed(end.rcvd.code, end.rcvd.reason)

    def quiet(self) -> None:
        """Assert that nothing was on its way: the answer to a ping comes next."""
        self.say("ping")
        assert self.next()["type"] == "pong", self.seen[-1]


@dataclass
class House:
    """A server that runs, with its data folder and its clock."""

    data_dir: Path
    settings: Settings
    clock: SteppedClock = field(default_factory=SteppedClock)
    engines: EngineSource | None = None
    url: str = ""
    _server: Server | None = None
    _thread: threading.Thread | None = None
    _token: trio.lowlevel.TrioToken | None = None
    _failure: BaseException | None = None

    def start(self) -> None:
        """Start the server; it listens on return."""
        up = threading.Event()
        self._failure = None

        def announce(listening: Listening) -> None:
            self.url = listening.url
            up.set()

        async def live() -> None:
            self._token = trio.lowlevel.current_trio_token()
            await server.run(announce)

        def run() -> None:
            try:
                trio.run(live)
            except BaseException as error:  # noqa: BLE001 - told to the test's own thread
                self._failure = error
            finally:
                up.set()

        self._server = server = Server(self.settings, self.clock, self.engines)
        self._thread = threading.Thread(target=run, name="house")
        self._thread.start()
        assert up.wait(PATIENCE)
        self._raise_failure()

    def stop(self) -> None:
        """Stop the server gracefully; it has ended on return."""
        if self._thread is None or self._server is None or self._token is None:
            return
        if self._thread.is_alive():
            self._token.run_sync_soon(self._server.stop)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the server does not stop"
        self._thread = None
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    @property
    def metrics(self) -> Metrics:
        """What the running server has counted."""
        assert self._server is not None
        return self._server.metrics

    def change(self, work: Callable[[Connection], Any]) -> Any:
        """Do something to the database as the command line would: from a connection apart."""
        with Database.open(self.data_dir / "lifeecho.db") as db, db.transaction() as connection:
            return work(connection)

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.change(lambda db: db.execute(query, values).fetchall())  # type: ignore[no-any-return]

    def elder(self, name: str, language: str = "en", profile: Profile = KNOWN) -> str:
        """Add an elder with a narrator of the same id, and return the id."""

        def add(db: Connection) -> None:
            now = self.clock.now()
            role = people.Role.ELDER
            people.add_user(db, user_id=name, name=name, role=role, language=language, at=now)
            narrators.add_narrator(
                db, narrator_id=name, name=name, language=language, at=now, profile=profile
            )
            people.set_access(db, name, name, people.Level.TALK)

        self.change(add)
        return name

    def token(self, user: str, *, ttl: int = 3600, device: str | None = None) -> str:
        """Return an access token of a user."""
        return issue(
            load_secret(self.data_dir),
            user,
            now=self.clock.now(),
            ttl=ttl,
            jti="test",
            device=device,
        )

    def socket(
        self,
        conversation: str = "c-1",
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Talker:
        """Open a socket as it is asked for, without reading anything."""
        if token is not None:
            query["token"] = token
        pairs = "&".join(f"{name}={value}" for name, value in query.items())
        address = self.url.replace("http://", "ws://")
        opened = connect(
            f"{address}/ws/conversation/{conversation}?{pairs}",
            compression=None,
            additional_headers=headers,
            max_size=None,
            proxy=None,
            ping_interval=None,
        )
        return Talker(opened)

    def talker(self, user: str, conversation: str = "c-1", **query: str) -> Talker:
        """Open a conversation and read its ``connect``."""
        talker = self.socket(conversation, token=self.token(user), **query)
        talker.expect("connect")
        return talker

    def opened(self, user: str, conversation: str = "c-1", **query: str) -> Talker:
        """Open a new conversation and read its greeting and chips."""
        talker = self.talker(user, conversation, **query)
        talker.reply()
        talker.expect("topic_suggestions")
        return talker
