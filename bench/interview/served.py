"""The interviewer as it is served: a whole server in this process with a model, by its socket."""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trio
from websockets.sync.client import ClientConnection, connect

from bench.interview.interviewer import BETWEEN, NARRATOR, START, Reply, values_of
from lifeecho_server.accounts.secret import load_secret
from lifeecho_server.accounts.tokens import issue
from lifeecho_server.app import Listening, Server
from lifeecho_server.inference.metrics import ReplyMetrics
from lifeecho_server.interview.decision import Intent
from lifeecho_server.interview.questions import follows_up
from lifeecho_server.settings import Settings
from lifeecho_server.store import narrators, people
from lifeecho_server.store.database import Connection, Database

PATIENCE = 120.0
"""Seconds after which a reply will not come any more."""
GREETINGS = (Intent.PROFILE_GREETING, Intent.RE_GREETING)


@dataclass
class MovedClock:
    """A clock that is moved on by whoever holds it, and a millisecond by each look."""

    moment: datetime = START
    ids: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        """Return the time, which moves on."""
        with self.lock:
            self.moment += timedelta(milliseconds=1)
            return self.moment

    def forward(self, span: timedelta) -> None:
        """Let time pass."""
        with self.lock:
            self.moment += span

    def new_id(self) -> str:
        """Return an id that was never given before."""
        with self.lock:
            self.ids += 1
            return f"{self.ids:032x}"


class Served:
    """A server with one narrator and one conversation; replies come from its socket."""

    def __init__(self, folder: Path, language: str, model: Path) -> None:
        """Prepare a server whose language engine is the model's file."""
        self._clock = MovedClock()
        self._language = language
        self._settings = Settings(
            data_dir=folder / "data",
            models_dir=model.resolve().parent,
            llm_model=model.name,
            asr_model="none",
            speech_engine="none",
            host="127.0.0.1",
            port=0,
            part_pause=0.0,
            log_level="error",
        )
        self._server = Server(self._settings, self._clock)
        self._thread = threading.Thread(target=self._run, name="served")
        self._up, self._url = threading.Event(), ""
        self._token: trio.lowlevel.TrioToken | None = None
        self._socket: ClientConnection | None = None
        self._asked = 0

    @property
    def counts(self) -> ReplyMetrics:
        """Whose words were said, and what the guards kept back."""
        return self._server.metrics.replies

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._up.wait(PATIENCE) or not self._url:
            raise RuntimeError("the server did not start")
        self._change(self._settle_in)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._token is not None:
            self._token.run_sync_soon(self._server.stop)
        self._thread.join(PATIENCE)

    def begin(self) -> Reply:
        """Speak first, as soon as the model is there."""
        self._open("waiting").close()  # a conversation of nobody's: its greeting loads the model
        return self._reply(Intent.PROFILE_GREETING, opens=True)

    def answer(self, text: str) -> Reply:
        """Answer what the narrator says."""
        self._clock.forward(BETWEEN)
        assert self._socket is not None
        self._socket.send(json.dumps({"type": "text", "data": {"text": text}}))
        return self._reply()

    def come_back(self, idle: timedelta) -> Reply:
        """Greet the narrator who comes back after ``idle``."""
        assert self._socket is not None
        self._socket.close()
        self._clock.forward(idle)
        return self._reply(Intent.RE_GREETING, opens=True, idle=idle)

    def _reply(
        self, intent: Intent | None = None, *, opens: bool = False, idle: timedelta | None = None
    ) -> Reply:
        scripted = self.counts.by_script
        if opens:
            self._socket = self._open("talk")
        parts = self._parts()
        asked, profile, complete = self._change(self._known)
        follow = bool(asked) and follows_up(asked[0][0])
        meant = intent or (Intent.FOLLOW_UP if follow else Intent.NEXT_SLOT)
        return Reply(
            parts=tuple(parts),
            intent=(meant if asked or intent else Intent.ACKNOWLEDGE).value,
            asked=tuple(key for key, _ in asked),
            slots=tuple(slot for _, slot in asked if slot is not None),
            profile=profile,
            complete=complete,
            scripted=self.counts.by_script > scripted,
            idle=idle,
        )

    def _parts(self) -> list[str]:
        """Read the next reply to its end."""
        assert self._socket is not None
        parts: list[str] = []
        while True:
            message: dict[str, Any] = json.loads(self._socket.recv(timeout=PATIENCE))
            if message["type"] == "error":
                raise RuntimeError(f"the server said {message['data']['code']}")
            if message["type"] == "reply_cancelled":
                parts = []
            elif message["type"] == "agent_response":
                parts.append(message["data"]["text"])
                if message["data"]["final"]:
                    return parts

    def _open(self, conversation: str) -> ClientConnection:
        """Open a conversation, and wait there until the model is ready."""
        token = issue(
            load_secret(self._settings.data_dir), NARRATOR, now=self._clock.now(), ttl=3600, jti="b"
        )
        address = self._url.replace("http://", "ws://")
        socket = connect(
            f"{address}/ws/conversation/{conversation}?token={token}&speech=0",
            compression=None,
            max_size=None,
            proxy=None,
            ping_interval=None,
        )
        while conversation == "waiting":
            message = json.loads(socket.recv(timeout=PATIENCE))
            told = message["data"].get("capabilities", message["data"])
            if message["type"] in ("connect", "capabilities") and told["llm"] == "ready":
                break
            if told.get("llm") in ("failed", "none"):
                raise RuntimeError("the model does not load")
        return socket

    def _run(self) -> None:
        def announce(listening: Listening) -> None:
            self._url = listening.url
            self._up.set()

        async def live() -> None:
            self._token = trio.lowlevel.current_trio_token()
            await self._server.run(announce)

        try:
            trio.run(live)
        finally:
            self._up.set()

    def _change(self, work: Any) -> Any:
        with Database.open(self._settings.data_dir / "lifeecho.db") as db, db.transaction() as rows:
            return work(rows)

    def _settle_in(self, db: Connection) -> None:
        now, role = START.astimezone(UTC), people.Role.ELDER
        people.add_user(
            db, user_id=NARRATOR, name=NARRATOR, role=role, language=self._language, at=now
        )
        narrators.add_narrator(
            db, narrator_id=NARRATOR, name=NARRATOR, language=self._language, at=now
        )
        people.set_access(db, NARRATOR, NARRATOR, people.Level.TALK)

    def _known(
        self, db: Connection
    ) -> tuple[list[tuple[str, str | None]], dict[str, str | int | None], bool]:
        """Return what was asked since the last look, and what is known of the person."""
        rows = db.execute("SELECT question, slot FROM asked ORDER BY seq").fetchall()
        new, self._asked = rows[self._asked :], len(rows)
        profile = narrators.find_narrator(db, NARRATOR).profile
        return new, values_of(profile), profile.complete
