"""The two micro Whispers: one of a closed set of phrases, one that hears word by word."""

from tests.models import phrases_words
from tests.models.phrases import PHRASES
from tests.models.whisper.network import Shape
from tests.models.whisper.recipe import Mix, Recipe, Stage
from tests.models.whisper.speech import training_clips
from tests.models.whisper.word_speech import training_clips as training_word_clips

# Most is learnt on audio cropped to its own length, first on single phrases.
CLOSED_SET = Recipe(
    name="whisper",
    pieces=tuple(phrase.piece for phrase in PHRASES),
    clips=training_clips,
    stages=(
        Stage("cropped", 850, 2e-3, full_windows=0.0, singles=0.25, phrases=3),
        Stage("mixed", 650, 1.2e-3, full_windows=0.35, singles=0.0, phrases=4),
        Stage("settled", 380, 1e-3, full_windows=0.35, singles=0.0, phrases=4),
    ),
)


def _timed_stage(name: str, steps: int, peak: float, singles: float = 0.0) -> Stage:
    return Stage(name, steps, peak, 0.0, singles, phrases=3, spread=48, size=20)


WORD_BY_WORD = Recipe(
    name="whisper-words",
    pieces=tuple(f" {text}" for text in phrases_words.PHRASES),
    clips=training_word_clips,
    stages=(
        _timed_stage("heard", 450, 3e-3, singles=0.6),
        _timed_stage("strung", 600, 2.5e-3),
        _timed_stage("settled", 750, 2e-3),
        _timed_stage("polished", 600, 1.2e-3),
        _timed_stage("last", 560, 1.5e-3),
    ),
    shape=Shape(encoder_layers=3, nearby=6),
    mix=Mix(
        chinese=0.0, loudest=-1.5, blanked=6, quiet=2.0, tones=0.4, timed=True, cut=0.6, longest=6.0
    ),
)
