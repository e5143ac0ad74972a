"""A byte-level BPE tokenizer over the phrases, with Whisper's special tokens in Whisper's order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from faster_whisper.tokenizer import _LANGUAGE_CODES as LANGUAGE_CODES
from faster_whisper.tokenizer import Tokenizer as WhisperTokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.models.phrases import PHRASES

TEXT_VOCABULARY = 480
TIMESTAMPS = 1501  # 0.00 to 30.00 s in steps of 0.02 s

# CTranslate2 counts on this order and finds the ids by it.
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    *(f"<|{code}|>" for code in LANGUAGE_CODES),
    *("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>"),
    *("<|nospeech|>", "<|notimestamps|>"),
    *(f"<|{step * 0.02:.2f}|>" for step in range(TIMESTAMPS)),
)
NEVER_SAID = (
    *("<|startoftranscript|>", "<|translate|>", "<|transcribe|>"),
    *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>"),
)
"""Tokens that a decoder must not write."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A tokenizer, as its JSON and as what it encodes and decodes with."""

    definition: dict[str, Any]
    tokenizer: Tokenizer
    vocabulary: tuple[str, ...]

    def encode(self, text: str) -> list[int]:
        """Return the ids of plain text."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def id(self, token: str) -> int:
        """Return the id of a token. Raises ValueError for one that does not exist."""
        return self.vocabulary.index(token)

    @property
    def text_size(self) -> int:
        """How many ids are text; the empty string and the special tokens come after them."""
        return self.id("<|endoftext|>") - 1

    @property
    def language_ids(self) -> list[int]:
        """The ids of the language tokens."""
        return list(range(self.id("<|startoftranscript|>") + 1, self.id("<|translate|>")))


def train_tokens(pieces: Sequence[str]) -> Tokens:
    """Build the tokenizer of a micro Whisper that writes these texts."""
    tokens = _with_special_tokens(_train_text(pieces), fillers=0)
    _check(tokens, pieces)
    return tokens


def padded_tokens(size: int) -> Tokens:
    """Build one with fillers among its text, so that its vocabulary has ``size``."""
    definition = _train_text([phrase.piece for phrase in PHRASES])
    fillers = size - len(definition["model"]["vocab"]) - 1 - len(SPECIAL)
    return _with_special_tokens(definition, fillers)


def _train_text(pieces: Sequence[str]) -> dict[str, Any]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=TEXT_VOCABULARY,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(pieces, trainer)
    definition: dict[str, Any] = json.loads(tokenizer.to_str())
    return definition


def _with_special_tokens(text: dict[str, Any], fillers: int) -> Tokens:
    pieces = [*text["model"]["vocab"], *(f"w{i}" for i in range(fillers))]
    # CTranslate2 takes a model for multilingual if the empty string is in its vocabulary.
    vocabulary = (*pieces, "", *SPECIAL)
    numbers = {piece: i for i, piece in enumerate((*pieces, ""))}
    added = [_special(len(numbers) + i, token) for i, token in enumerate(SPECIAL)]
    definition = {**text, "model": {**text["model"], "vocab": numbers}, "added_tokens": added}
    return Tokens(definition, Tokenizer.from_str(json.dumps(definition)), vocabulary)


def _special(number: int, token: str) -> dict[str, Any]:
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": token, **plain, "special": True}


def _check(tokens: Tokens, pieces: Sequence[str]) -> None:
    """Every text must survive encoding, in tokens that faster-whisper does not suppress."""
    known = WhisperTokenizer(tokens.tokenizer, multilingual=True, task="transcribe", language="en")
    suppressed = set(known.non_speech_tokens)
    for piece in pieces:
        ids = tokens.encode(piece)
        if tokens.tokenizer.decode(ids) != piece or suppressed & set(ids):
            raise ValueError(f"the tokenizer cannot write {piece!r}")
