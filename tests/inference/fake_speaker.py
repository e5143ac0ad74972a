"""A speech engine that does as a test tells it: blocks, fails, keeps a log."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from lifeecho_server.engines.speaker import Take, Voice


@dataclass
class FakeSpeaker:
    """Speaks a sentence as its own bytes, ``pieces`` times, and logs whose each piece was."""

    pieces: int = 3
    hook: Callable[[str], None] = lambda _: None
    sample_rate: int = 8000
    log: list[str] = field(default_factory=list)
    voices: list[Voice] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def speak(self, sentence: str, voice: Voice, take: Take) -> None:
        assert not self.closed.is_set()
        self.voices.append(voice)
        sound = sentence.encode()
        for _ in range(self.pieces):
            self.log.append(sentence)
            self.hook(sentence)
            if not take(sound + bytes(len(sound) % 2)):
                return

    def close(self) -> None:
        self.closed.set()
