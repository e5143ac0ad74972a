"""A recognition that waits for the whole recording, for engines that tests make up."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from lifeecho_server.engines.transcriber import Samples, SoFar, Transcript


@dataclass
class Whole(ABC):
    """Takes all sound in, then is recognised step by step; ``duration`` is in seconds."""

    duration: float = field(default=0.0, init=False)
    over: bool = field(default=False, init=False)

    def hear(self, samples: Samples) -> None:
        self.duration += len(samples) / 16_000

    def finish(self) -> None:
        self.over = True

    @property
    def idle(self) -> bool:
        return not self.over

    def step(self) -> Transcript | None:
        return self.recognise() if self.over else None

    @abstractmethod
    def recognise(self) -> Transcript | None:
        """Do a step; the last one returns the transcript."""

    @property
    def guess_due(self) -> bool:
        return False

    def guess(self) -> None:
        raise AssertionError("nothing was due")

    def so_far(self) -> SoFar:
        return SoFar("", 0)
