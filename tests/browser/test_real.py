"""The page in a real browser, talking with a real server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenContext
from tests.browser.page import PATIENCE, Visitor
from tests.faults.serving import Process, household
from tests.house import House
from tests.models.recorded import Recording, recordings

MODELS = Path(__file__).parent.parent / "models"
QUIETLY = {"LIFEECHO_LOG_LEVEL": "warning", "LIFEECHO_LLM_MODEL": "none"}
HEARING = QUIETLY | {"LIFEECHO_ASR_MODEL": "micro-whisper"}
DEAF = QUIETLY | {"LIFEECHO_ASR_MODEL": "none"}
PHRASE = next(one for one in recordings() if one.language == "en")


class Home:
    """A server in a process of its own in which Rose lives, and can be stopped and started."""

    def __init__(self, data_dir: Path, environment: dict[str, str]) -> None:
        self._data_dir = data_dir
        self._environment = environment
        self._process: Process | None = Process(data_dir, MODELS, port=0, **environment)
        self.url = self._process.url
        self.house: House = household(data_dir, self.url)
        self.house.elder("rose")

    def link(self, **more: str) -> dict[str, str]:
        return {"token": self.house.token("rose"), "conversation": "c-1", **more}

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
        self._process = None

    def restart(self) -> None:
        port = urlsplit(self.url).port
        assert port is not None
        self._process = Process(self._data_dir, MODELS, port=port, **self._environment)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Home]]:
    homes: list[Home] = []

    def build(environment: dict[str, str]) -> Home:
        homes.append(Home(tmp_path / "data", environment))
        return homes[-1]

    yield build
    for one in homes:
        one.kill()


def test_greets_and_answers_what_is_typed(
    home: Callable[..., Home], open_context: OpenContext
) -> None:
    here = home(DEAF)
    visitor = Visitor(open_context())
    visitor.open(here.url, **here.link())
    visitor.expect_replies(1)
    expect(visitor.page.locator("#chips button")).not_to_have_count(0, timeout=PATIENCE)
    before = visitor.page.locator("#history .said.interviewer").count()
    visitor.type("We lived by the river.")
    visitor.expect_said("me", "We lived by the river.")
    visitor.expect_replies(before + 1)
    expect(visitor.page.locator("#speaking")).not_to_be_empty(timeout=PATIENCE)
    visitor.expect_delivered()
    expect(visitor.page.locator("#chips button")).to_have_count(0)
    assert here.house.ask("SELECT text FROM turns WHERE speaker = 'narrator'") == [
        ("We lived by the river.",)
    ]
    assert visitor.foreign_requests(here.url) == []
    assert visitor.problems == []


def test_chip_is_said_as_ones_own_words(
    home: Callable[..., Home], open_context: OpenContext
) -> None:
    here = home(DEAF)
    visitor = Visitor(open_context())
    visitor.open(here.url, **here.link())
    visitor.page.locator("#chips button").first.click(timeout=PATIENCE)
    expect(visitor.page.locator("#chips button")).to_have_count(0)
    visitor.expect_delivered()
    chip = visitor.messages("topic_suggestions")[0]["suggestions"][0]
    visitor.expect_said("me", chip["text"])
    assert here.house.ask("SELECT text FROM turns WHERE speaker = 'narrator'") == [(chip["text"],)]


def test_recognises_a_recording(
    home: Callable[..., Home], open_context: OpenContext, spoken: Callable[..., Path]
) -> None:
    here = home(HEARING)
    visitor = Visitor(open_context(spoken(PHRASE.path)))
    visitor.open(here.url, **here.link(slice="1"))
    visitor.page.locator("#chips button").first.wait_for()
    visitor.tap()
    expect(visitor.page.locator("#coming .me")).to_contain_text(PHRASE.text, timeout=PATIENCE)
    expect(visitor.page.locator("#recording")).to_contain_text("Recording")
    visitor.tap()
    visitor.expect_said("me", PHRASE.text)
    assert [one["text"] for one in visitor.messages("transcript")][-1] == PHRASE.text
    slices = [data for data, _ in visitor.slices()]
    assert [data["segment_index"] for data in slices] == list(range(len(slices)))
    assert [data["is_last"] for data in slices] == [False] * (len(slices) - 1) + [True]
    assert {(data["format"], data["sample_rate"]) for data in slices} == {("pcm_s16le", 16_000)}
    assert len(slices) > 2
    visitor.expect_delivered()
    answered(visitor)
    assert visitor.problems == []


def test_recording_without_a_speech_model_is_kept_and_shown(
    home: Callable[..., Home], open_context: OpenContext, spoken: Callable[..., Path]
) -> None:
    here = home(DEAF)
    visitor = Visitor(open_context(spoken(PHRASE.path)))
    visitor.open(here.url, **here.link())
    visitor.page.locator("#chips button").first.wait_for()
    visitor.record(1)
    visitor.tap()
    visitor.expect_said("me", "it is kept")
    expect(visitor.page.get_by_role("alert")).to_have_text("no speech model installed")
    visitor.expect_delivered()


def test_nothing_is_lost_when_the_server_is_killed_in_the_middle(
    home: Callable[..., Home], open_context: OpenContext, spoken: Callable[..., Path]
) -> None:
    here = home(HEARING)
    visitor = Visitor(open_context(spoken(PHRASE.path)))
    visitor.open(here.url, **here.link(slice="0.5"))
    visitor.page.locator("#chips button").first.wait_for()
    visitor.record(2)
    here.kill()
    expect(visitor.page.locator("#connection")).to_contain_text("trying again")
    expect(visitor.page.locator("#recording")).to_contain_text("Recording")
    expect(visitor.page.locator("#clock")).to_have_text("0:05", timeout=PATIENCE)
    here.restart()
    expect(visitor.page.locator("#connection")).to_contain_text("Connected", timeout=PATIENCE)
    visitor.tap()
    visitor.expect_said("me", PHRASE.text)
    visitor.expect_delivered()
    sent = {data["segment_index"] for data, _ in visitor.slices()}
    assert sent == set(range(len(sent)))
    answered(visitor)


def test_recording_of_the_browsers_own_making(
    home: Callable[..., Home], open_context: OpenContext, spoken: Callable[..., Path]
) -> None:
    here = home(HEARING)
    visitor = Visitor(open_context(spoken(PHRASE.path)))
    visitor.open(here.url, **here.link(slice="1", recorder="media"))
    visitor.page.locator("#chips button").first.wait_for()
    talk(visitor, PHRASE)
    visitor.expect_said("me", PHRASE.text)
    slices = visitor.slices()
    assert {data["format"] for data, _ in slices} == {"webm"}
    assert [audio[:4] == b"\x1aE\xdf\xa3" for _, audio in slices] == [
        index == 0 for index in range(len(slices))
    ]
    visitor.expect_delivered()
    answered(visitor)


def talk(visitor: Visitor, recording: Recording) -> None:
    """Tap, say it all, tap."""
    seconds = len(recording.samples()) / 16_000
    visitor.record(round(seconds) + 2)
    visitor.tap()


def answered(visitor: Visitor) -> None:
    """Wait for a reply below the person's words."""
    reply = visitor.page.locator("#history .said.me ~ .said.interviewer")
    expect(reply.first).to_be_visible(timeout=PATIENCE)
