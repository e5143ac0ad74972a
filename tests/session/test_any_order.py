"""Whatever a client does in whatever order: nothing is lost, doubled, or left unanswered."""

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lifeecho_server.session.wording import joined
from tests.house import PATIENCE, House, Talker

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=60
).filter(str.strip)


class Client(RuleBasedStateMachine):
    """One person in one conversation, with one or no connection at a time."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        self.talker: Talker | None = None
        self.talkers: list[Talker] = []
        self.said: dict[str, str] = {}
        self.ended = False
        self.epoch = 0

    @initialize(number=st.integers(0, 10**9), deltas=st.booleans(), speech=st.booleans())
    def begin(self, number: int, deltas: bool, speech: bool) -> None:
        self.conversation = f"c-{number}-{id(self)}"
        self.wishes = {"deltas": str(int(deltas)), "speech": str(int(speech))}
        self.connect()

    def connect(self) -> None:
        self.talker = self.house.talker("rose", self.conversation, **self.wishes)
        self.talkers.append(self.talker)
        self.epoch = 0
        assert self.talker.seen[0]["data"]["ended"] is self.ended

    @property
    def on(self) -> Talker:
        assert self.talker is not None
        return self.talker

    @precondition(lambda self: self.talker is None)
    @rule()
    def come_back(self) -> None:
        self.connect()

    @precondition(lambda self: self.talker is not None)
    @rule()
    def go(self) -> None:
        self.on.socket.close()
        self.talker = None

    @precondition(lambda self: self.talker is not None)
    @rule()
    def open_elsewhere(self) -> None:
        older = self.on
        self.connect()
        assert older.closed().code == 4000

    @precondition(lambda self: self.talker is not None)
    @rule(words=WORDS, hurried=st.booleans())
    def say(self, words: str, hurried: bool) -> None:
        id_ = f"m-{len(self.said)}"
        self.on.text(words, id_)
        if self.ended:
            assert self.on.until("error")["code"] == "ENDED"
            return
        assert self.on.until("message_ack")["status"] == "stored"
        self.said[id_] = words
        if not hurried:
            self.on.reply()

    @precondition(lambda self: self.talker is not None and self.said and not self.ended)
    @rule(number=st.integers(0, 99))
    def say_again(self, number: int) -> None:
        id_ = f"m-{number % len(self.said)}"
        self.on.text("something else", id_)
        assert self.on.until("message_ack")["status"] == "duplicate"

    @precondition(lambda self: self.talker is not None)
    @rule(frame=st.sampled_from(["", "{", "[]", "{}", '{"type": "text"}', '{"type": 1}']))
    def blunder(self, frame: str) -> None:
        self.on.socket.send(frame)
        assert self.on.until("error")["code"] in ("BAD_MESSAGE", "MISSING_FIELD", "BAD_FIELD")

    @precondition(lambda self: self.talker is not None)
    @rule()
    def ping(self) -> None:
        self.on.say("ping")
        self.on.until("pong")

    @precondition(lambda self: self.talker is not None)
    @rule()
    def hush(self) -> None:
        self.on.say("tts_cancel")
        if self.ended:
            assert self.on.until("error")["code"] == "ENDED"
            return
        assert self.on.until("tts_cancelled") == {"epoch": self.epoch}
        self.epoch += 1

    @precondition(lambda self: self.talker is not None)
    @rule()
    def end(self) -> None:
        self.on.say("end_conversation")
        assert self.on.until("end_conversation") == {"status": "ended"}
        assert self.on.closed().code == 1000
        self.talker, self.ended = None, True

    def wait_for_answers(self) -> None:
        """Wait until every turn has a whole answer; the test's patience ends it otherwise."""
        open_ends = (
            "SELECT count(*) FROM turns WHERE conversation_id = ?1"
            " AND ((answered_by IS NULL AND speaker = 'narrator')"
            " OR (finished = 0 AND seq = (SELECT max(seq) FROM turns WHERE conversation_id = ?1)))"
        )
        deadline = time.monotonic() + PATIENCE
        while self.house.ask(open_ends, self.conversation) != [(0,)]:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def teardown(self) -> None:
        if self.talker is not None:
            self.talker.socket.close()
        if not self.ended:
            self.connect()
            self.wait_for_answers()
            self.on.socket.close()
        stored = self.house.ask(
            "SELECT client_id, text FROM turns WHERE conversation_id = ?"
            " AND speaker = 'narrator' ORDER BY seq",
            self.conversation,
        )
        assert stored == list(self.said.items())
        for talker in self.talkers:
            check_voice(talker, self.wishes)


def check_voice(talker: Talker, wishes: dict[str, str]) -> None:
    """Whatever came on a connection: deltas before parts, sounds in order, none too late."""
    epoch = 0
    sounds: dict[str, int] = {}
    gathered: dict[tuple[str, int], list[str]] = {}
    for message in talker.seen:
        data = message["data"]
        match message["type"]:
            case "tts_cancelled":
                epoch = data["epoch"] + 1
            case "tts_audio":
                assert wishes["speech"] == "1"
                assert data["epoch"] == epoch
                assert data["sequence"] == sounds.get(data["assistant_message_id"], 0)
                sounds[data["assistant_message_id"]] = data["sequence"] + 1
            case "agent_response_delta":
                assert wishes["deltas"] == "1"
                of = (data["assistant_message_id"], data["index"])
                gathered.setdefault(of, []).append(data["text"])
            case "agent_response" if wishes["deltas"] == "1":
                of = (data["assistant_message_id"], data["index"])
                assert joined(gathered.pop(of)) == data["text"]


@pytest.fixture
def lively_house(build_house: Callable[..., House]) -> House:
    house = build_house(re_greeting=False, speech_engine="espeak")
    house.elder("rose")
    return house


def test_any_order(lively_house: House) -> None:
    Client.house = lively_house
    run_state_machine_as_test(
        Client,
        settings=settings(
            max_examples=20,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    unanswered = lively_house.ask(
        "SELECT count(*) FROM turns t JOIN conversations c ON c.id = t.conversation_id"
        " WHERE t.answered_by IS NULL AND t.speaker = 'narrator' AND c.ended_at IS NULL"
    )
    assert unanswered == [(0,)]
