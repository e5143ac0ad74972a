"""The peer of ``text_turn`` and ``audio_message``: the same on FastAPI, uvicorn and SQLAlchemy.

Runs in an environment of its own (``requirements.txt``). A socket is let in by its access token; a
text turn is inserted and committed, acknowledged, then answered with the next question of a list,
which is committed before it is sent. SQLite is as durable as ours: WAL, ``synchronous=FULL``. An
audio message is decoded from base64 and answered with its length; nothing of it is stored.
"""

import argparse
import base64
import json
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from sqlalchemy import ForeignKey, UniqueConstraint, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

QUESTIONS = (
    "Thank you for telling me. What did the house look like?",
    "I can almost see it. Who else was there with you?",
    "And what happened then?",
    "How did that feel at the time?",
)
BUSY_SECONDS = 30
MESSAGE_BYTES = 16 * 1024 * 1024


class Base(DeclarativeBase):
    """The tables."""


class Conversation(Base):
    """A conversation of a user."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]


class Turn(Base):
    """What somebody said in it."""

    __tablename__ = "turns"
    __table_args__ = (UniqueConstraint("conversation_id", "client_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    client_id: Mapped[str | None]
    speaker: Mapped[str]
    text: Mapped[str]
    said_at: Mapped[datetime]


def configure(connection: Any, _: Any) -> None:
    """Make each new connection durable."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


class Talk:
    """One open conversation."""

    def __init__(
        self, socket: WebSocket, sessions: async_sessionmaker[AsyncSession], conversation_id: str
    ) -> None:
        self.socket = socket
        self.sessions = sessions
        self.conversation_id = conversation_id
        self.replies = 0

    async def send(self, kind: str, data: dict[str, Any]) -> None:
        """Send a message."""
        envelope = {
            "type": kind,
            "conversation_id": self.conversation_id,
            "data": data,
            "timestamp": datetime.now(UTC).isoformat(),
        }
        await self.socket.send_text(json.dumps(envelope))

    async def begin(self, user_id: str) -> None:
        """Open or create the conversation."""
        async with self.sessions() as session:
            if await session.get(Conversation, self.conversation_id) is None:
                session.add(Conversation(id=self.conversation_id, user_id=user_id))
                await session.commit()
        await self.send("connect", {"status": "connected"})

    async def text(self, client_id: str | None, text: str) -> None:
        """Take a turn, acknowledge it, answer it."""
        async with self.sessions() as session:
            turn_id = await self.store(session, "narrator", text, client_id)
            ack = {"id": client_id, "message_id": turn_id, "status": "stored"}
            await self.send("message_ack", ack)
            answer = QUESTIONS[self.replies % len(QUESTIONS)]
            self.replies += 1
            reply_id = await self.store(session, "interviewer", answer)
        response = {"text": answer, "index": 0, "total": 1, "final": True}
        await self.send("agent_response", {**response, "assistant_message_id": reply_id})

    async def store(
        self, session: AsyncSession, speaker: str, text: str, client_id: str | None = None
    ) -> str:
        """Commit a turn; return its id."""
        turn_id = uuid.uuid4().hex
        session.add(
            Turn(
                id=turn_id,
                conversation_id=self.conversation_id,
                client_id=client_id,
                speaker=speaker,
                text=text,
                said_at=datetime.now(UTC),
            )
        )
        await session.commit()
        return turn_id

    async def audio(self, client_id: str | None, audio_base64: str) -> None:
        """Decode a recording."""
        audio = base64.b64decode(audio_base64, validate=True)
        await self.send("message_ack", {"id": client_id, "bytes": len(audio), "status": "decoded"})

    async def run(self) -> None:
        """Take messages until the client goes."""
        while True:
            message = json.loads(await self.socket.receive_text())
            data = message["data"]
            match message["type"]:
                case "text":
                    await self.text(message.get("id"), data["text"])
                case "audio_message":
                    await self.audio(message.get("id"), data["audio_base64"])


def build(database: Path, secret: bytes, pool: int) -> FastAPI:
    """Return the application."""
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{database}",
        pool_size=pool,
        connect_args={"timeout": BUSY_SECONDS},
    )
    event.listen(engine.sync_engine, "connect", configure)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.websocket("/ws/conversation/{conversation_id}")
    async def conversation(websocket: WebSocket, conversation_id: str, token: str) -> None:
        await websocket.accept()
        try:
            claims = jwt.decode(token, secret, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            await websocket.close(1008, "invalid token")
            return
        talk = Talk(websocket, sessions, conversation_id)
        try:
            await talk.begin(claims["sub"])
            await talk.run()
        except WebSocketDisconnect:
            pass

    return app


def main() -> None:
    """Serve on a free port; print where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path, help="holds the database, and the file `secret`")
    parser.add_argument("--pool", type=int, default=5, help="connections kept (SQLAlchemy's own 5)")
    given = parser.parse_args()
    secret = (given.data_dir / "secret").read_bytes()
    app = build(given.data_dir / "peer.db", secret, given.pool)
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(json.dumps({"url": f"http://127.0.0.1:{listening.getsockname()[1]}"}), flush=True)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        ws_max_size=MESSAGE_BYTES,
        ws_per_message_deflate=False,
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
