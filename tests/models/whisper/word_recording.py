"""The recordings whose every word has its time made anew, checked with the micro Whisper."""

import random
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

from tests.models import wav
from tests.models.recorded_words import RecordedWords, save_index
from tests.models.timed_voice import Timed, speak_timed
from tests.models.voice import SAMPLE_RATE, Word
from tests.models.whisper.listening import PLAIN, hear, load
from tests.models.whisper.recording import MARGIN, NotRecognised, is_recognised
from tests.models.whisper.word_speech import HELD_OUT

SEED = 4
TRIES = 4
STEP = 0.2  # seconds between the instants at which each recording is cut to be checked

CHOSEN = (
    ("father-worked-market", "My father worked in the market."),
    ("mother-worked-garden", "My mother worked in the garden."),
    ("father-sang-garden", "My father sang in the garden."),
    ("mother-sang-evening", "My mother sang every evening."),
    ("family-lived-harbour", "Our family lived near the harbour."),
    ("teacher-wrote-stories", "Our teacher wrote stories every evening."),
    ("bought-bread-morning", "We bought bread every morning."),
    ("sold-apples-market", "We sold apples in the market."),
    ("waited-river", "They waited beside the river."),
    ("cousin-played-factory", "His cousin played behind the factory."),
)


def record(model: Path, folder: Path) -> None:
    """Write the recordings and their index. Raises NotRecognised."""
    whisper = load(model)
    folder.mkdir(exist_ok=True)
    rng = random.Random(SEED)
    save_index(
        [_record(whisper, folder / f"{name}.wav", text, rng) for name, text in CHOSEN], folder
    )


def _record(whisper: WhisperModel, path: Path, text: str, rng: random.Random) -> RecordedWords:
    """Keep, of some takes that are recognised, the one that survives most cuts."""
    best: tuple[float, RecordedWords, Timed] | None = None
    for _ in range(TRIES):
        voice = HELD_OUT.draw(rng)
        timed = _with_margins(speak_timed(text, voice))
        wav.write(path, timed.samples)
        recording = RecordedWords(path, timed.words)
        if not is_recognised(whisper, recording.samples(), text, "en"):
            continue
        share = _share_of_cuts(whisper, recording)
        if best is None or share > best[0]:
            best = share, recording, timed
            print(f"{path.name}: {voice.name} at {voice.speed}, pitch {voice.pitch}, {share:.0%}")
        if share == 1:
            break
    if best is None:
        raise NotRecognised(text)
    wav.write(path, best[2].samples)
    return best[1]


def _with_margins(timed: Timed) -> Timed:
    words = (Word(text, start + MARGIN, end + MARGIN) for text, start, end in timed.words)
    return Timed(np.pad(timed.samples, int(MARGIN * SAMPLE_RATE)), tuple(words))


def _share_of_cuts(whisper: WhisperModel, recording: RecordedWords) -> float:
    """Return how many clear cuts, of the begin or of the end, are recognised exactly."""
    seconds = len(recording.samples()) / SAMPLE_RATE
    instants = np.arange(2 * MARGIN, seconds - 2 * MARGIN, STEP).tolist()
    cuts = [cut for instant in instants for cut in ((0.0, instant), (instant, seconds))]
    exact = [
        wanted == hear_cut(whisper, recording, *cut)
        for cut in cuts
        if (wanted := recording.heard(*cut)) is not None
    ]
    return sum(exact) / len(exact)


def hear_cut(whisper: WhisperModel, recording: RecordedWords, begin: float, end: float) -> str:
    """Return what the model hears between two instants, with the server's silence around it."""
    samples = np.pad(recording.samples(begin, end), int(MARGIN * SAMPLE_RATE))
    return hear(whisper, samples, language="en", **PLAIN)[0]
