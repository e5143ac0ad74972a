"""Engines that fail, hang or wait on a test's word, for a whole server."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from lifeecho_server.engines.chat_model import ChatModel
from lifeecho_server.engines.faults import ModelBroken, RecognitionFailed
from lifeecho_server.engines.speaker import Speaker
from lifeecho_server.engines.transcriber import Hearing, Segment, Transcriber, Transcript
from tests.engines.whole import Whole

PATIENCE = 20.0


@dataclass
class Gate:
    """Something an engine waits at until the test opens it."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Say that the engine is here, and wait."""
        self.reached.set()
        assert self.opened.wait(PATIENCE)


@dataclass
class ScriptedTranscriber:
    """Hears ``text`` in everything, after ``before`` has let it."""

    text: str = "We lived by the river."
    speech: bool = True
    unsure: bool = False
    before: Callable[[], None] = lambda: None
    heard: int = 0
    hearings: list[Hearing] = field(default_factory=list)

    def begin(self, hearing: Hearing) -> "ScriptedRecognition":
        assert "en" in hearing.languages
        self.hearings.append(hearing)
        return ScriptedRecognition(self)

    def close(self) -> None:
        pass


@dataclass
class ScriptedRecognition(Whole):
    """One window in which everything is heard."""

    transcriber: ScriptedTranscriber

    def recognise(self) -> Transcript:
        self.transcriber.before()
        self.transcriber.heard += 1
        text = self.transcriber.text
        return Transcript(
            text=text,
            language="en",
            segments=(Segment(0.0, self.duration, text),) if text else (),
            duration=self.duration,
            speech=self.transcriber.speech,
            unsure=self.transcriber.unsure,
        )


def failing() -> None:
    """Give up, as an engine does."""
    raise RecognitionFailed("the engine gave up")


@dataclass
class Engines:
    """The engines of a test; a broken one fails to load.

    ``new_chat_model`` makes a fresh one at each load, for a test in which one is given up.
    """

    transcriber: Transcriber | None = None
    chat_model: ChatModel | None = None
    speaker: Speaker | None = None
    new_chat_model: Callable[[], ChatModel] | None = None
    loading: Callable[[], None] = lambda: None
    broken: bool = False
    version: int = 0

    def load_transcriber(self) -> Transcriber | None:
        self.loading()
        if self.broken:
            raise ModelBroken("the model is broken")
        return self.transcriber

    def load_chat_model(self) -> ChatModel | None:
        if self.broken:
            raise ModelBroken("the model is broken")
        return self.new_chat_model() if self.new_chat_model else self.chat_model

    def load_speaker(self) -> Speaker | None:
        return self.speaker

    def fingerprint(self) -> object:
        return self.version
