"""What a test does with the page, in a person's words."""

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import BrowserContext, Page, Request, WebSocket, expect

TALK_AFTER = 1.0
"""Seconds of quiet before somebody who has tapped begins to talk."""
PATIENCE = 20_000
"""Milliseconds that the page has for anything."""


class Visitor:
    """Somebody in front of the page; everything that leaves or comes is written down."""

    def __init__(self, context: BrowserContext) -> None:
        context.set_default_timeout(PATIENCE)
        self.page: Page = context.new_page()
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.sent: list[str | bytes] = []
        self.came: list[str | bytes] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        context.on("request", self._note_request)
        self.page.on("websocket", self._note_socket)

    def open(self, url: str, query: str = "", **fragment: str) -> None:
        """Open the page as its link says."""
        self.page.goto(f"{url}/{query}#{urlencode(fragment)}")

    def foreign_requests(self, url: str) -> list[str]:
        """Return what was asked of any other host."""
        return [one for one in self.requests if urlsplit(one).netloc != urlsplit(url).netloc]

    def tap(self) -> None:
        """Tap the one big button."""
        self.page.locator("#talk").click()

    def type(self, text: str) -> None:
        """Type something and send it."""
        self.page.get_by_role("textbox").fill(text)
        self.page.get_by_role("button", name="Send").click()

    def record(self, seconds: int) -> None:
        """Tap, and wait until so much was recorded."""
        self.tap()
        expect(self.page.locator("#clock")).to_have_text(f"0:{seconds:02}", timeout=PATIENCE)

    def expect_said(self, who: str, text: str) -> None:
        """Wait until somebody's last words are these."""
        expect(self.page.locator(f"#history .said.{who}").last).to_contain_text(
            text, timeout=PATIENCE
        )

    def expect_replies(self, count: int) -> None:
        """Wait until the interviewer has spoken in at least so many parts."""
        part = self.page.locator("#history .said.interviewer").nth(count - 1)
        expect(part).to_be_visible(timeout=PATIENCE)

    def expect_delivered(self) -> None:
        """Wait until nothing is being recorded and nothing waits to be sent."""
        expect(self.page.locator("#recording")).to_have_text("", timeout=PATIENCE)
        expect(self.page.locator("#waiting")).to_have_attribute("data-count", "0", timeout=PATIENCE)

    def slices(self) -> list[tuple[dict[str, Any], bytes]]:
        """Return the slices that were sent as binary frames: their data, and their audio."""
        return [read_slice(frame) for frame in self.sent if isinstance(frame, bytes)]

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of all messages of a type that came."""
        read = [json.loads(frame) for frame in self.came]
        return [message["data"] for message in read if message["type"] == kind]

    def _note_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _note_socket(self, socket: WebSocket) -> None:
        self.requests.append(socket.url)
        socket.on("framesent", lambda frame: self.sent.append(frame))
        socket.on("framereceived", lambda frame: self.came.append(frame))


def read_slice(frame: bytes) -> tuple[dict[str, Any], bytes]:
    """Read a binary frame of the protocol."""
    length = int.from_bytes(frame[:2], "big")
    message = json.loads(frame[2 : 2 + length])
    assert message["type"] == "audio_segment"
    return message["data"], frame[2 + length :]
