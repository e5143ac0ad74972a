"""Recordings of known phrases, and sounds in which nobody speaks; float32, mono, 16 kHz."""

import random
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.slice_client import SAMPLE_RATE

Samples = npt.NDArray[np.float32]

MODELS = Path(__file__).parents[1] / "tests" / "models"
RECORDINGS = MODELS / "recordings"


def phrases(language: str = "en") -> list[tuple[str, Samples]]:
    """Return the test recordings of a language with their texts."""
    lines = (RECORDINGS / "index.tsv").read_text("utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    return [(text, _read(RECORDINGS / file)) for file, lang, text in rows if lang == language]


def talk(seconds: float, seed: int = 1, language: str = "en") -> tuple[str, Samples]:
    """Return at least so many seconds of phrases with pauses, and what is said in them."""
    rng, known = random.Random(seed), phrases(language)
    said: list[str] = []
    parts: list[Samples] = []
    length = 0
    while length < seconds * SAMPLE_RATE:
        text, samples = rng.choice(known)
        said.append(text)
        parts += [samples, np.zeros(round(rng.uniform(0.3, 1.2) * SAMPLE_RATE), np.float32)]
        length += len(parts[-1]) + len(samples)
    return (" " if language == "en" else "").join(said), np.concatenate(parts)


def pcm(samples: Samples) -> bytes:
    """Return samples as raw ``pcm_s16le``."""
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def silence(seconds: float) -> Samples:
    """Return silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def white_noise(seconds: float, level: float = 0.05) -> Samples:
    """Return white noise."""
    noise = np.random.default_rng(2).standard_normal(round(seconds * SAMPLE_RATE))
    return (level * noise).astype(np.float32)


def music(seconds: float) -> Samples:
    """Return a tune of plucked strings (Karplus and Strong, 1983) over slow chords."""
    rng = np.random.default_rng(3)
    total = round(seconds * SAMPLE_RATE)
    mixed = np.zeros(total + 4 * SAMPLE_RATE, np.float32)
    scale = 220.0 * 2 ** (np.array([0, 2, 4, 7, 9, 12, 14, 16]) / 12)
    at = 0
    while at < total:
        note = _plucked(float(rng.choice(scale)), 1.6, rng)
        mixed[at : at + len(note)] += 0.25 * note
        at += int(rng.choice([0.25, 0.5, 0.5, 1.0]) * SAMPLE_RATE)
    for start in range(0, total, 2 * SAMPLE_RATE):
        root = float(rng.choice(scale[:4])) / 2
        span = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
        swell = np.sin(np.pi * span / 2) ** 2
        for ratio in (1.0, 1.26, 1.5):
            chord = 0.06 * swell * np.sin(2 * np.pi * root * ratio * span)
            mixed[start : start + len(span)] += chord.astype(np.float32)
    return mixed[:total]


def _plucked(pitch: float, seconds: float, rng: np.random.Generator) -> Samples:
    period = round(SAMPLE_RATE / pitch)
    string = rng.uniform(-1, 1, period)
    rounds = []
    for _ in range(round(seconds * SAMPLE_RATE / period)):
        rounds.append(string)
        string = 0.498 * (string + np.roll(string, 1))
    return np.concatenate(rounds).astype(np.float32)


def _read(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return sound.astype(np.float32) / 32768
