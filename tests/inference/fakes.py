"""Engines that do as a test tells them: fail, hang, take turns, keep a log."""

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import trio

from lifeecho_server.engines.chat_model import Advance, ContextFull, Message
from lifeecho_server.engines.transcriber import Hearing, Samples, Transcript
from lifeecho_server.inference.decoding import Audio, AudioSource
from lifeecho_server.inference.schedule import Priority
from tests.engines.whole import Whole

END = 256


class Obstacle:
    """Something in a thread's way, until a test clears it."""

    def __init__(self) -> None:
        self._clear = threading.Event()
        self.reached = trio.Event()

    def block(self) -> None:
        """Say that the thread is here, and wait (in an engine's thread)."""
        trio.from_thread.run_sync(self.reached.set)
        self._clear.wait()

    def clear(self) -> None:
        """Let the thread go on, and those that come later."""
        self._clear.set()


def nothing_in_the_way(_: Sequence[Advance]) -> None:
    """The hook of a step that just works."""


@dataclass
class FakeChatModel:
    """A chat model whose tokens are bytes and which answers every prompt with ``reply``.

    Cells are shared between forked sequences as in llama.cpp.
    """

    reply: bytes = b"Tell me more."
    max_sequences: int = 4
    context_size: int = 4096
    hook: Callable[[Sequence[Advance]], None] = nothing_in_the_way
    steps: list[list[Advance]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    _sequences: dict[int, list[tuple[int, object]]] = field(default_factory=dict)

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        lines = "".join(f"{message.role}:{message.content}\n" for message in messages)
        return list(f"{lines}>".encode())

    def tokens_of(self, sequence: int) -> list[int]:
        return [token for token, _ in self._sequences[sequence]]

    def open(self) -> int:
        free = set(range(self.max_sequences)) - set(self._sequences)
        if not free:
            raise ContextFull("all sequences are taken")
        sequence = min(free)
        self._sequences[sequence] = []
        return sequence

    def fork(self, source: int, target: int, length: int) -> None:
        self._sequences[target] = self._sequences[source][:length]

    def truncate(self, sequence: int, length: int) -> None:
        del self._sequences[sequence][length:]

    def close_sequence(self, sequence: int) -> None:
        del self._sequences[sequence]

    def step(self, work: Sequence[Advance]) -> list[int | None]:
        assert not self.closed.is_set()
        self.steps.append(list(work))
        self.hook(work)
        used = {id(cell) for cells in self._sequences.values() for _, cell in cells}
        if len(used) + sum(len(advance.tokens) for advance in work) > self.context_size:
            raise ContextFull("no cells are left")
        for advance in work:
            assert advance.tokens
            self._sequences[advance.sequence] += [(token, object()) for token in advance.tokens]
        return [self._next(advance.sequence) if advance.sample else None for advance in work]

    def is_end(self, token: int) -> bool:
        return token == END

    def piece(self, token: int) -> bytes:
        return bytes([token])

    def close(self) -> None:
        assert not self.closed.is_set()
        self.closed.set()

    @property
    def evaluated(self) -> int:
        """Tokens evaluated in all steps."""
        return sum(len(advance.tokens) for step in self.steps for advance in step)

    def _next(self, sequence: int) -> int:
        said = bytes(self.tokens_of(sequence)).rsplit(b"\n>", 1)[1]
        return self.reply[len(said)] if len(said) < len(self.reply) else END


@dataclass
class FakeTranscriber:
    """Recognises anything as the first hotword, in ``windows`` steps, and logs whose they were."""

    windows: int = 3
    hook: Callable[[str], None] = lambda _: None
    log: list[str] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def begin(self, hearing: Hearing) -> "FakeRecognition":
        return FakeRecognition(self, hearing.hotwords[0])

    def close(self) -> None:
        self.closed.set()


@dataclass
class FakeRecognition(Whole):
    """One recording, known by its name."""

    transcriber: FakeTranscriber
    name: str
    done: int = 0

    def recognise(self) -> Transcript | None:
        self.transcriber.log.append(self.name)
        self.transcriber.hook(self.name)
        self.done += 1
        if self.done < self.transcriber.windows:
            return None
        return Transcript(self.name, "en", (), self.duration, speech=True)


class FakeDecoding:
    """A second of silence for every recording, at once."""

    @asynccontextmanager
    async def opened(self, source: AudioSource, priority: Priority) -> AsyncIterator[Audio]:
        del source, priority
        yield Pieces(np.zeros(16_000, np.float32))


class Pieces:
    """Sound that is there already, piece by piece."""

    def __init__(self, *pieces: Samples) -> None:
        self._pieces = list(pieces)

    async def read(self, seconds: float) -> Samples | None:
        del seconds
        await trio.lowlevel.checkpoint()
        return self._pieces.pop(0) if self._pieces else None
