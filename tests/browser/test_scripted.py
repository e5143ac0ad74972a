"""The page in a real browser, talking with a server that does what a test says."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenContext
from tests.browser.page import PATIENCE, Visitor
from tests.browser.script import Script, speech
from tests.house import House

SPOKEN = """() => {
  window.spoken = [];
  const place = document.getElementById("speaking");
  new MutationObserver(() => place.textContent && window.spoken.push(place.textContent))
    .observe(place, { childList: true, characterData: true, subtree: true });
}"""


class Scene:
    """A visitor of the page, and the script that answers."""

    def __init__(self, house: House, open_context: OpenContext) -> None:
        self.house = house
        self.visitor = Visitor(open_context())
        self.page = self.visitor.page
        self.script = Script(self.page)

    def open(self, **fragment: str) -> None:
        link = {"token": "any", "conversation": "c-1", "slice": "0.25"}
        self.visitor.open(self.house.url, **(link | fragment))
        expect(self.page.locator("#connection")).to_contain_text("Connected", timeout=PATIENCE)

    def wait_for(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many messages of a type have come."""
        for _ in range(PATIENCE // 20):
            if len(self.script.of(kind)) >= count:
                return self.script.of(kind)
            self.page.wait_for_timeout(20)
        raise AssertionError(f"no {kind} came: {self.script.got}")

    def expect_spoken(self, *texts: str) -> None:
        self.page.wait_for_function(
            "count => window.spoken.length >= count", arg=len(texts), timeout=PATIENCE
        )
        assert self.page.evaluate("window.spoken") == list(texts)


@pytest.fixture
def scene(house: House, open_context: OpenContext) -> Scene:
    return Scene(house, open_context)


def test_typed_while_away_is_sent_on_return_once(scene: Scene) -> None:
    scene.open()
    scene.script.acknowledging = False
    scene.visitor.type("We had a garden.")
    scene.wait_for("text")
    scene.script.acknowledging = True
    scene.script.cut()
    expect(scene.page.locator("#waiting")).to_contain_text("1")
    scene.visitor.expect_delivered()
    sent = [message for message in scene.script.got if message["type"] == "text"]
    assert [message["data"]["text"] for message in sent] == ["We had a garden."] * 2
    assert len({message["id"] for message in sent}) == 1


def test_words_in_the_making_are_told_from_those_that_stay(scene: Scene) -> None:
    scene.open()
    partial = {"voice_session_id": "v", "segment_index": 0}
    scene.script.say("transcript_partial", **partial, text="𠀋好吗 maybe", stable_chars=2)
    expect(scene.page.locator("#coming .stable")).to_have_text("𠀋好")
    expect(scene.page.locator("#coming .unstable")).to_have_text("吗 maybe")
    transcript = {"voice_session_id": "v", "message_id": "m", "revision": 2, "text": "𠀋好吗。"}
    scene.script.say("transcript", **transcript)
    scene.visitor.expect_said("me", "𠀋好吗。")
    expect(scene.page.locator("#coming")).to_be_empty()
    scene.script.say("transcript", **(transcript | {"revision": 1, "text": "old"}))
    scene.script.say("transcript", **(transcript | {"revision": 3, "text": "newest"}))
    scene.visitor.expect_said("me", "newest")
    expect(scene.page.locator("#history .said")).to_have_count(1)


def test_sentences_come_before_their_part(scene: Scene) -> None:
    scene.open(deltas="1")
    assert "deltas=1" in scene.script.routes[-1].url
    reply = {"assistant_message_id": "a", "index": 0}
    for text in ("I see.", "And then?"):
        scene.script.say("agent_response_delta", **reply, text=text)
    expect(scene.page.locator("#coming .interviewer")).to_contain_text("I see. And then?")
    scene.script.say("agent_response", **reply, text="I see. And then?", total=1, final=True)
    scene.visitor.expect_said("interviewer", "I see. And then?")
    expect(scene.page.locator("#coming")).to_be_empty()
    scene.script.say("agent_response_delta", assistant_message_id="b", index=0, text="Cut.")
    expect(scene.page.locator("#coming")).to_contain_text("Cut.")
    scene.script.say("reply_cancelled", assistant_message_id="b")
    expect(scene.page.locator("#coming")).to_be_empty()


def test_speech_is_played_in_order_and_stops_at_a_tap(scene: Scene) -> None:
    scene.open()
    scene.page.evaluate(SPOKEN)
    for sentence in (speech("a", 1), speech("a", 0), speech("a", 2)):
        scene.script.say("tts_audio", **sentence)
    scene.page.locator("h1").click()  # a browser lets a page be heard only after a touch
    scene.expect_spoken("a 0.", "a 1.", "a 2.")
    scene.script.say("tts_audio", **speech("b", 0, seconds=60))
    expect(scene.page.locator("#speaking")).to_contain_text("b 0.")
    scene.visitor.tap()
    expect(scene.page.locator("#speaking")).to_be_empty(timeout=1000)
    scene.wait_for("tts_cancel")
    scene.script.say("tts_audio", **speech("b", 1))
    scene.script.say("tts_cancelled", epoch=0)
    scene.script.say("tts_audio", **speech("b", 2))
    scene.script.say("tts_audio", **speech("c", 0, epoch=1))
    scene.expect_spoken("a 0.", "a 1.", "a 2.", "b 0.", "c 0.")


def test_listening_feedback_and_errors_are_shown(scene: Scene) -> None:
    scene.open()
    scene.script.say("listening_feedback", text="I am listening.", voice_session_id="v")
    expect(scene.page.locator("#feedback")).to_have_text("I am listening.")
    scene.script.say("error", code="ASR_FAILED", message="try again or type", retryable=True)
    expect(scene.page.get_by_role("alert")).to_have_text("try again or type")


def test_recording_goes_on_while_away_and_only_what_is_missing_is_sent_again(scene: Scene) -> None:
    scene.open()
    scene.visitor.tap()
    scene.wait_for("audio_segment", 2)
    assert [message["type"] for message in scene.script.got if message["type"] != "ping"][:3] == [
        "tts_cancel",
        "recording_started",
        "audio_segment",
    ]
    scene.script.acknowledging = False
    scene.wait_for("audio_segment", 4)
    session = scene.script.of("recording_started")[0]["voice_session_id"]
    here = {index for _, index in scene.script.slices} | {2, 3}  # stored, but the acks were lost
    resume = {"voice_session_id": session, "received": sorted(here), "last": None, "closed": False}
    scene.script.sessions = [resume]
    before = len(scene.script.got)
    scene.script.cut()
    scene.script.acknowledging = True
    expect(scene.page.locator("#recording")).to_contain_text("Recording")
    for _ in range(PATIENCE // 20):
        if len(scene.script.routes) == 2 and len(scene.script.slices) > 8:
            break
        scene.page.wait_for_timeout(20)
    scene.visitor.tap()
    scene.visitor.expect_delivered()
    again = [
        message["data"]["segment_index"]
        for message in scene.script.got[before:]
        if message["type"] == "audio_segment"
    ]
    assert not here & set(again)
    indices = {index for _, index in scene.script.slices} | here
    assert indices == set(range(len(indices)))
    last = [index for (_, index), data in scene.script.slices.items() if data["is_last"]]
    assert last == [max(indices)]


def test_words_that_were_missed_are_asked_for_on_return(scene: Scene) -> None:
    scene.open()
    scene.visitor.tap()
    scene.wait_for("audio_segment")
    scene.visitor.tap()
    scene.visitor.expect_delivered()
    expect(scene.page.locator("#coming .unstable")).to_have_text("…")
    before = len(scene.script.of("audio_segment"))
    scene.script.cut()
    last = scene.wait_for("audio_segment", before + 1)[-1]
    assert last["is_last"]
    session = last["voice_session_id"]
    transcript = {"voice_session_id": session, "message_id": "m", "revision": 1, "text": "Words."}
    scene.script.say("transcript", **transcript)
    scene.visitor.expect_said("me", "Words.")
    scene.script.cut()
    expect(scene.page.locator("#connection")).to_contain_text("trying again")
    expect(scene.page.locator("#connection")).to_contain_text("Connected")
    scene.visitor.expect_delivered()
    assert len(scene.script.of("audio_segment")) == before + 1


@pytest.mark.parametrize("code", ["BAD_AUDIO", "ASR_FAILED", "ASR_UNAVAILABLE"])
def test_a_recording_that_has_no_words_is_not_asked_for_again(scene: Scene, code: str) -> None:
    scene.open()
    scene.visitor.tap()
    scene.wait_for("audio_segment")
    scene.visitor.tap()
    scene.visitor.expect_delivered()
    sent = scene.script.of("audio_segment")
    error = {"code": code, "message": "no words", "retryable": code != "BAD_AUDIO"}
    session = sent[-1]["voice_session_id"]
    if code == "BAD_AUDIO":  # one slice that cannot be read is not the end of the others
        scene.script.say("error", **error, voice_session_id=session, segment_index=0)
        expect(scene.page.get_by_role("alert")).to_contain_text("no words")
        expect(scene.page.locator("#history .said.me")).to_have_count(0)
    scene.script.say("error", **error, voice_session_id=session)
    expect(scene.page.locator("#history .said.me")).to_have_count(1)
    scene.script.cut()
    expect(scene.page.locator("#connection")).to_contain_text("trying again")
    expect(scene.page.locator("#connection")).to_contain_text("Connected")
    scene.visitor.expect_delivered()
    assert scene.script.of("audio_segment") == sent


def test_words_that_are_there_stay_when_they_cannot_be_made_anew(scene: Scene) -> None:
    scene.open()
    transcript = {"voice_session_id": "v", "message_id": "m", "revision": 1, "text": "Words."}
    scene.script.say("transcript", **transcript)
    scene.visitor.expect_said("me", "Words.")
    failed = {"code": "ASR_FAILED", "message": "could not transcribe", "retryable": True}
    scene.script.say("error", **failed, voice_session_id="v")
    expect(scene.page.get_by_role("alert")).to_contain_text("could not transcribe")
    scene.visitor.expect_said("me", "Words.")


def test_refused_for_now_is_sent_again(scene: Scene) -> None:
    scene.open()
    scene.script.acknowledging = False
    scene.visitor.tap()
    first = scene.wait_for("audio_segment")[0]
    scene.visitor.tap()
    place = {name: first[name] for name in ("voice_session_id", "segment_index")}
    busy = {"code": "BUSY", "message": "busy", "retryable": True, "retry_after": 0.1}
    scene.script.acknowledging = True
    scene.script.say("error", **busy, **place)
    scene.wait_for("audio_segment", 2)
    scene.page.wait_for_timeout(300)
    assert (first["voice_session_id"], 0) in scene.script.slices


def test_what_will_never_be_taken_is_given_back(scene: Scene) -> None:
    scene.open()
    scene.script.acknowledging = False
    scene.visitor.type("Too late.")
    scene.wait_for("text")
    refused = {"code": "ENDED", "message": "the conversation has ended", "retryable": False}
    scene.script.say("error", **refused, reply_to=scene.script.got[-1]["id"])
    expect(scene.page.get_by_role("textbox")).to_have_value("Too late.")
    expect(scene.page.locator("#history .said")).to_have_count(0)
    scene.visitor.expect_delivered()


def test_page_closed_while_recording_loses_nothing(scene: Scene) -> None:
    scene.open()
    scene.script.acknowledging = False
    scene.visitor.tap()
    scene.wait_for("audio_segment", 3)
    scene.script.acknowledging = True
    scene.page.reload()
    scene.visitor.expect_delivered()
    expect(scene.page.locator("#connection")).to_contain_text("Connected")
    slices = scene.script.slices
    assert sorted(index for _, index in slices) == list(range(len(slices)))
    assert len(slices) >= 4
    assert [data["is_last"] for data in slices.values()].count(True) == 1


def test_closed_for_good_is_told_and_not_tried_again(scene: Scene) -> None:
    scene.open()
    scene.script.cut(4000, "opened elsewhere")
    expect(scene.page.locator("#connection")).to_contain_text("opened elsewhere")
    scene.page.wait_for_timeout(1500)
    assert len(scene.script.routes) == 1
    scene.page.get_by_role("button", name="Connect again").click()
    expect(scene.page.locator("#connection")).to_contain_text("Connected")


def test_no_microphone_says_why_and_typing_works(scene: Scene) -> None:
    scene.page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'mediaDevices', {get: () => undefined})"
    )
    scene.open()
    expect(scene.page.locator("#talk")).to_be_disabled()
    scene.visitor.type("Then I type.")
    scene.wait_for("text")


def test_microphone_refused_is_told(scene: Scene) -> None:
    scene.page.add_init_script(
        "MediaDevices.prototype.getUserMedia = async () => {"
        " throw new DOMException('no', 'NotAllowedError') }"
    )
    scene.open()
    scene.visitor.tap()
    expect(scene.page.get_by_role("alert")).to_contain_text("not allowed")
    expect(scene.page.locator("#talk")).to_have_text("Talk")


def test_chinese_by_the_browser_or_the_address(house: House, open_context: OpenContext) -> None:
    for locale, query in (("zh-CN", ""), ("en-GB", "?lang=zh")):
        visitor = Visitor(open_context(locale=locale))
        visitor.open(house.url, query)
        expect(visitor.page.locator("#connection")).to_contain_text("缺少访问令牌")
        expect(visitor.page.locator("#talk")).to_have_text("说话")
        assert visitor.page.evaluate("document.documentElement.lang") == "zh-CN"


def test_talk_button_is_large_and_text_too(scene: Scene) -> None:
    scene.open()
    box = scene.page.locator("#talk").bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 96
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    for part in ("body", "#talk", "#text", "#connection"):
        assert scene.page.locator(part).evaluate(size) >= 20
