"""A Whisper model on disk, loaded by faster-whisper: what one window says, and in what language."""

import json
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lifeecho_server.engines.faults import ModelBroken, RecognitionFailed
from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples

if TYPE_CHECKING:
    from lifeecho_server.engines.whisper_encoding import OnceEncoding

REQUIRED_FILES = ("config.json", "model.bin", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")

_JSON_FILES = {"config.json": dict, "preprocessor_config.json": dict, "vocabulary.json": list}
_DEFAULT_MELS = 80
_MARGIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Heard:
    """One segment of a window; times in seconds from the window's beginning.

    ``confidence`` is the mean log probability of its tokens, ``no_speech`` the probability
    which the model gives to there being no speech at all.
    """

    start: float
    end: float
    text: str
    confidence: float
    no_speech: float


def missing_files(folder: Path) -> tuple[str, ...]:
    """Name what a folder lacks to be a CTranslate2 Whisper model."""
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in VOCABULARIES):
        missing.append(VOCABULARIES[0])
    return tuple(missing)


def threads_for(processors: int) -> int:
    """Choose the decoding threads for a machine: half of it, at most four.

    On 2 cores one thread decodes faster than two (218-297 against 158-163 tokens a second), and
    the other half is the event loop's and the language model's. Four is CTranslate2's default.
    """
    return max(1, min(4, processors // 2))


class WhisperModel:
    """A loaded model. One thread at a time.

    ``window_cost`` is what a window costs at least on this machine, in seconds: the encoder takes
    the same time for a word as for half a minute.
    """

    def __init__(self, model: "OnceEncoding", window_cost: float) -> None:
        self._model = model
        self.window_cost = window_cost

    @property
    def window_seconds(self) -> float:
        """How much the model hears at once: its own ``chunk_length`` (30 s), less a margin."""
        length: int = self._model.feature_extractor.chunk_length
        return length - _MARGIN_SECONDS

    def spoken(self, languages: Collection[str]) -> tuple[str, ...]:
        """Return those of ``languages`` that the model knows, or all of its own if none is.

        Cantonese is Chinese to the models that have no token for it.
        """
        if not self._model.model.is_multilingual:
            return ("en",)
        known = [code for code in languages if self._knows(code)]
        if "yue" in languages and "yue" not in known and "zh" not in known:
            known.append("zh")
        return tuple(known) or tuple(filter(self._knows, self._model.supported_languages))

    def _knows(self, code: str) -> bool:
        return self._model.hf_tokenizer.token_to_id(f"<|{code}|>") is not None

    def language_odds(self, window: Samples, languages: Collection[str]) -> Mapping[str, float]:
        """Tell how likely each of ``languages`` is, as if there were no others.

        Costs next to nothing when ``hear`` follows for the same array. Raises RecognitionFailed.
        """
        try:
            ranked = self._model.language_odds(window)
        except RuntimeError as error:
            raise _failed(error) from error
        odds = {code: p for code, p in ranked if code in languages}
        total = sum(odds.values())
        return {code: p / total if total else 1 / len(odds) for code, p in odds.items()}

    def hear(self, window: Samples, language: str, prompt: str, hotwords: str) -> tuple[Heard, ...]:
        """Recognise one window of speech. Raises RecognitionFailed."""
        try:
            segments, _ = self._model.transcribe(
                window,
                language=language,
                condition_on_previous_text=False,
                initial_prompt=prompt or None,
                hotwords=hotwords or None,
            )
            return tuple(
                Heard(s.start, s.end, s.text.strip(), s.avg_logprob, s.no_speech_prob)
                for s in segments
            )
        except RuntimeError as error:
            raise _failed(error) from error

    def close(self) -> None:
        """Free the weights."""
        self._model.model.unload_model()


def open_whisper(folder: Path, threads: int | None) -> WhisperModel:
    """Load a CTranslate2 Whisper folder, quantised to int8, on the processor.

    Raises ModelBroken, saying what is wrong. Never goes to the network: faster-whisper would, for
    what is missing, so that is looked at first.
    """
    if missing := missing_files(folder):
        raise ModelBroken(
            f"the Whisper model {folder.name!r} is incomplete: {', '.join(missing)} is missing;"
            " copy the whole folder again"
        )
    _check_json(folder)
    from lifeecho_server.engines.whisper_encoding import OnceEncoding

    try:
        model = OnceEncoding(str(folder), threads or threads_for(os.cpu_count() or 1))
    except (RuntimeError, ValueError, OSError) as error:
        raise _broken(folder, error) from error
    _check_mels(folder, model)
    return WhisperModel(model, _encoding_seconds(model))


def _encoding_seconds(model: "OnceEncoding") -> float:
    """Encode a window of silence and return how long it took; it warms the model up as well."""
    features = model.feature_extractor(np.zeros(SAMPLE_RATE, np.float32))[..., :-1]
    padded = np.zeros((features.shape[0], model.feature_extractor.nb_max_frames), np.float32)
    begun = time.perf_counter()
    model.encode(padded)
    return time.perf_counter() - begun


def _check_json(folder: Path) -> None:
    """Read the small files first.

    The tokenizer's own reader raises a bare Exception, and CTranslate2 takes an empty vocabulary.
    """
    import tokenizers

    try:
        tokenizers.Tokenizer.from_buffer((folder / "tokenizer.json").read_bytes())
        for name, kind in _JSON_FILES.items():
            path = folder / name
            content = json.loads(path.read_bytes()) if path.exists() else None
            if path.exists() and (not isinstance(content, kind) or content == []):
                raise ModelBroken(f"{name} of the Whisper model {folder.name!r} is damaged")
    except (ValueError, OSError) as error:
        raise _broken(folder, error) from error


def _check_mels(folder: Path, model: "OnceEncoding") -> None:
    given = model.feat_kwargs.get("feature_size", _DEFAULT_MELS)
    if given != model.model.n_mels:
        raise ModelBroken(
            f"the Whisper model {folder.name!r} needs {model.model.n_mels} mel bands and is given"
            f" {given}: its preprocessor_config.json is missing or another model's"
        )


def _broken(folder: Path, error: Exception) -> ModelBroken:
    return ModelBroken(f"the Whisper model {folder.name!r} cannot be loaded: {error}")


def _failed(error: RuntimeError) -> RecognitionFailed:
    return RecognitionFailed(f"the recording could not be recognised: {error}")
