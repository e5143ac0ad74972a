"""The models that can be pulled by name, and what each asks of a machine."""

from dataclasses import dataclass
from typing import Literal

ModelKind = Literal["whisper", "llm"]

_MANY = ("zh", "en", "and about 97 more")
_QWEN = ("zh", "en", "and about 27 more")
_WHISPER_FILES = (
    "config.json",
    "model.bin",
    "tokenizer.json",
    "vocabulary.*",
    "preprocessor_config.json",
)


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model that can be pulled.

    ``megabytes`` is what is downloaded, ``memory`` what it takes when loaded (MB, recognition as
    int8, generation with a context of 8192). ``speed`` is rough, for two desktop cores: seconds
    of talk recognised a second, or tokens a second. ``files`` are names in ``repo`` and may hold
    a ``*``. ``revision`` is the commit the model is pinned to, where one is known.
    """

    name: str
    kind: ModelKind
    repo: str
    files: tuple[str, ...]
    megabytes: int
    memory: int
    speed: float
    languages: tuple[str, ...]
    licence: str
    revision: str | None = None


def _whisper(name: str, repo: str, megabytes: int, memory: int, speed: float) -> CatalogueEntry:
    return CatalogueEntry(
        name, "whisper", repo, _WHISPER_FILES, megabytes, memory, speed, _MANY, "MIT"
    )


def _qwen(
    path: str, megabytes: int, memory: int, speed: float, licence: str = "Apache-2.0"
) -> CatalogueEntry:
    repo, _, file = path.rpartition("/")
    name = repo.removeprefix("Qwen/").removesuffix("-GGUF").lower()
    return CatalogueEntry(name, "llm", repo, (file,), megabytes, memory, speed, _QWEN, licence)


# Recognition speeds follow from the one measured (base: 0.7 s to encode 30 s, 0.6 s to decode) by
# the number of weights; generation is bound by reading the weights, at about 12 GB/s.
CATALOGUE: tuple[CatalogueEntry, ...] = (
    _whisper("whisper-tiny", "Systran/faster-whisper-tiny", 78, 200, 40.0),
    _whisper("whisper-base", "Systran/faster-whisper-base", 148, 280, 22.0),
    _whisper("whisper-small", "Systran/faster-whisper-small", 486, 550, 7.0),
    _whisper("whisper-medium", "Systran/faster-whisper-medium", 1530, 1200, 2.2),
    _whisper(
        "whisper-large-v3-turbo",
        "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
        *(1620, 1300, 1.4),
    ),
    _qwen("Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf", 491, 700, 24.0),
    _qwen("Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf", 1120, 1500, 11.0),
    _qwen(
        "Qwen/Qwen2.5-3B-Instruct-GGUF/qwen2.5-3b-instruct-q4_k_m.gguf",
        2100,
        2600,
        6.0,
        "Qwen-Research",
    ),
    _qwen("Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf", 640, 1700, 18.0),
    _qwen("Qwen/Qwen3-1.7B-GGUF/Qwen3-1.7B-Q8_0.gguf", 1830, 2900, 6.5),
    _qwen("Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf", 2500, 3900, 4.8),
)
"""In the order in which they are shown: recognition, then generation, each from small to large."""


def find(name: str) -> CatalogueEntry | None:
    """Return the entry of that name; upper and lower case are the same."""
    return next((entry for entry in CATALOGUE if entry.name == name.casefold()), None)
