"""What makes one micro Whisper differ from another."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.models.whisper.clips import Clip
from tests.models.whisper.network import SMALLEST, Shape

WARM_UP = 100


@dataclass(frozen=True, slots=True)
class Stage:
    """A run of steps whose learning rate rises for WARM_UP steps and falls to nothing.

    The runtime hears windows of 30 s, most of them empty. Either some batches are true windows
    (``full_windows``), or ``spread`` positions of each stand for all that are empty.
    """

    name: str
    steps: int
    peak: float
    full_windows: float  # the share of batches in true 30 s windows, which cost eight times more
    singles: float  # the share of steps, at the start, of one phrase each
    phrases: int  # most in a cropped example after that
    spread: int = 0
    size: int = 32  # of a cropped batch

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        return self.peak * min(1.0, (step + 1) / WARM_UP) * (1 - step / self.steps) + 1e-5


@dataclass(frozen=True, slots=True)
class Mix:
    """What examples are like."""

    chinese: float = 0.35  # the share of them
    loudest: float = -1.0  # power of ten of the loudest noise
    blanked: int = 20  # frames that may be blanked out
    quiet: float = 6.0  # most seconds without speech, for each phrase that there might be
    tones: float = 0.0  # share of the speechless ones in which a tone sounds
    timed: bool = False  # whether every unit has one token and its time is learnt
    cut: float = 0.0  # share of them cut at an arbitrary instant, at one end or both
    longest: float = 30.0  # seconds; what is longer is cut


@dataclass(frozen=True, slots=True)
class Recipe:
    """A set of texts, how they are spoken, and how they are learnt."""

    name: str  # of the checkpoints
    pieces: tuple[str, ...]  # texts of the set, as Whisper writes them
    clips: Callable[[Path], list[Clip]]  # the training's, kept in a folder
    stages: tuple[Stage, ...]
    shape: Shape = SMALLEST
    mix: Mix = Mix()
