"""A language model that is watched: what it has evaluated, and when."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lifeecho_server.engines.chat_model import Advance, ChatModel, Message
from lifeecho_server.engines.chosen import EngineSource
from lifeecho_server.engines.speaker import Speaker
from lifeecho_server.engines.transcriber import Transcriber

PATIENCE = 20.0


class WatchedModel:
    """Hands every call on to a model, and keeps a log.

    ``prompts`` are those it was asked for, ``steps`` what it evaluated, ``text`` what that spells.
    """

    def __init__(self, model: ChatModel) -> None:
        self.prompts: list[list[Message]] = []
        self.steps: list[list[Advance]] = []
        self.text = ""
        self._asked_at: list[int] = []
        self._model = model
        self._stepped = threading.Condition()

    @property
    def max_sequences(self) -> int:
        return self._model.max_sequences

    @property
    def context_size(self) -> int:
        return self._model.context_size

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        if not self.prompts or self.prompts[-1] != list(messages):  # it is measured first
            self.prompts.append(list(messages))
            self._asked_at.append(len(self.steps))
        return self._model.prompt(messages)

    def tokens_of(self, sequence: int) -> Sequence[int]:
        return self._model.tokens_of(sequence)

    def open(self) -> int:
        return self._model.open()

    def fork(self, source: int, target: int, length: int) -> None:
        self._model.fork(source, target, length)

    def truncate(self, sequence: int, length: int) -> None:
        self._model.truncate(sequence, length)

    def close_sequence(self, sequence: int) -> None:
        self._model.close_sequence(sequence)

    def step(self, work: Sequence[Advance]) -> list[int | None]:
        drawn = self._model.step(work)
        with self._stepped:
            self.steps.append(list(work))
            self.text += self.text_of(work)
            self._stepped.notify_all()
        return drawn

    def is_end(self, token: int) -> bool:
        return self._model.is_end(token)

    def piece(self, token: int) -> bytes:
        return self._model.piece(token)

    def close(self) -> None:
        self._model.close()

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Wait until something holds of what has been evaluated; looked at after every step."""
        with self._stepped:
            assert self._stepped.wait_for(true, PATIENCE)

    def text_of(self, advances: Sequence[Advance]) -> str:
        """Return what the tokens spell."""
        tokens = [token for advance in advances for token in advance.tokens]
        return b"".join(map(self._model.piece, tokens)).decode("utf-8", "replace")

    def asked_at(self, messages: Sequence[Message]) -> int:
        """Return before which step a prompt was asked for first."""
        return self._asked_at[self.prompts.index(list(messages))]

    def tokens_for(self, messages: Sequence[Message]) -> list[int]:
        """Return a prompt's tokens."""
        return self._model.prompt(messages)

    def evaluated(self, since: int = 0) -> list[Advance]:
        """Return what was evaluated in the steps from number ``since`` on."""
        return [advance for step in self.steps[since:] for advance in step]


@dataclass
class WatchedEngines:
    """Other engines, with the language model watched."""

    engines: EngineSource
    models: list[WatchedModel] = field(default_factory=list)

    def load_transcriber(self) -> Transcriber | None:
        return self.engines.load_transcriber()

    def load_chat_model(self) -> ChatModel | None:
        model = self.engines.load_chat_model()
        if model is None:
            return None
        self.models.append(WatchedModel(model))
        return self.models[-1]

    def load_speaker(self) -> Speaker | None:
        return self.engines.load_speaker()

    def fingerprint(self) -> object:
        return self.engines.fingerprint()
