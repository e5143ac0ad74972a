"""A real Chromium whose microphone plays a recording."""

import os
import shutil
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.browser.page import TALK_AFTER

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
SAMPLE_RATE = 16_000

OpenContext = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def chromium() -> str:
    """The system's Chromium; without one there is nothing to test, but CI has to have it."""
    path = shutil.which("chromium")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("CI has no chromium")
    if path is None:
        pytest.skip("there is no chromium here")
    return path


@pytest.fixture(scope="module")
def playwright(chromium: str) -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def launch(playwright: Playwright, chromium: str) -> Iterator[Callable[..., Browser]]:
    """Start browsers, one for each recording that a microphone shall play."""
    running: dict[str, Browser] = {}

    def start(microphone: Path | None = None) -> Browser:
        plays = f"--use-file-for-fake-audio-capture={microphone}%noloop"
        flags = [*FLAGS, *([plays] if microphone else [])]
        key = str(microphone)
        if key not in running:
            running[key] = playwright.chromium.launch(executable_path=chromium, args=flags)
        return running[key]

    yield start
    for browser in running.values():
        browser.close()


@pytest.fixture
def open_context(launch: Callable[..., Browser]) -> Iterator[OpenContext]:
    """Open browser contexts, each with a storage of its own; closed after the test."""
    contexts: list[BrowserContext] = []

    def start(microphone: Path | None = None, locale: str = "en-GB") -> BrowserContext:
        context = launch(microphone).new_context(locale=locale)
        contexts.append(context)
        return context

    yield start
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a recording with quiet before and after it, as somebody talks who has just tapped."""

    def write(path: Path, before: float = TALK_AFTER, after: float = 1.5) -> Path:
        with wave.open(str(path)) as file:
            pcm = file.readframes(file.getnframes())
        longer = tmp_path_factory.mktemp("microphone") / path.name
        with wave.open(str(longer), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            quiet = [bytes(2 * round(seconds * SAMPLE_RATE)) for seconds in (before, after)]
            file.writeframes(quiet[0] + pcm + quiet[1])
        return longer

    return write
