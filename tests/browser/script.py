"""A server that says what a test tells it to: for what a real one does not do on demand."""

import base64
import io
import json
import wave
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

from tests.browser.page import read_slice

CAPABILITIES = {"asr": "ready", "llm": "none", "tts": "ready", "languages": ["zh", "en"]}


class Script:
    """The other end of the page's socket; everything it gets is written down."""

    def __init__(self, page: Page) -> None:
        self.routes: list[WebSocketRoute] = []
        self.got: list[dict[str, Any]] = []
        self.slices: dict[tuple[str, int], dict[str, Any]] = {}
        self.acknowledging = True
        self.sessions: list[dict[str, Any]] = []
        page.route_web_socket("**/ws/**", self._serve)

    def say(self, kind: str, **data: Any) -> None:
        """Send a message on the newest connection."""
        self._send(self.routes[-1], kind, data)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of what came of a type."""
        return [message["data"] for message in self.got if message["type"] == kind]

    def cut(self, code: int = 1001, reason: str = "server going away") -> None:
        """Close the newest connection."""
        self.routes[-1].close(code=code, reason=reason)

    def _serve(self, route: WebSocketRoute) -> None:
        self.routes.append(route)
        route.on_message(lambda frame: self._hear(route, frame))
        resume = {"last_message_id": None, "voice_sessions": self.sessions}
        connect = {"status": "connected", "protocol": 1, "ended": False}
        connect |= {"narrator": {"id": "n", "name": "Rose"}, "resume": resume}
        self._send(route, "connect", connect | {"capabilities": CAPABILITIES})

    def _hear(self, route: WebSocketRoute, frame: str | bytes) -> None:
        if isinstance(frame, str):
            message = json.loads(frame)
            self.got.append(message)
            if message["type"] == "text" and self.acknowledging:
                ack = {"id": message["id"], "message_id": "m", "status": "stored"}
                self._send(route, "message_ack", ack)
            return
        data, _ = read_slice(frame)
        place = (data["voice_session_id"], data["segment_index"])
        self.got.append({"type": "audio_segment", "data": data})
        if self.acknowledging:
            status = "duplicate" if place in self.slices else "stored"
            self.slices[place] = data
            ack = {"voice_session_id": place[0], "segment_index": place[1], "status": status}
            self._send(route, "segment_ack", ack)

    def _send(self, route: WebSocketRoute, kind: str, data: dict[str, Any]) -> None:
        stamp = "2026-03-01T09:00:00.000Z"
        message = {"type": kind, "conversation_id": "c-1", "data": data, "timestamp": stamp}
        route.send(json.dumps(message))


def speech(message: str, sequence: int, epoch: int = 0, seconds: float = 0.2) -> dict[str, Any]:
    """Return a sentence of spoken reply: quiet of some length."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(22_050)
        sound.writeframes(bytes(2 * round(seconds * 22_050)))
    return {
        "assistant_message_id": message,
        "epoch": epoch,
        "sequence": sequence,
        "format": "wav",
        "sample_rate": 22_050,
        "audio_base64": base64.b64encode(file.getvalue()).decode(),
        "text": f"{message} {sequence}.",
        "last": False,
    }
