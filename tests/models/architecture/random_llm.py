"""A GGUF of Qwen2.5-0.5B's shape with random 4-bit weights, as it is published but for sense."""

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
from tokenizers import pre_tokenizers

from tests.models.llama.file import draft_of, write_out
from tests.models.llama.tokens import CHATML, END, END_OF_TEXT, SPECIAL

Q4_0, Q8_0 = gguf.GGMLQuantizationType.Q4_0, gguf.GGMLQuantizationType.Q8_0
BLOCK = 32  # weights that share a scale
SPREAD = 0.02  # of the weights, as they are at the start of a training
SEED = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """The published sizes of Qwen2.5-0.5B."""

    width: int = 896
    layers: int = 24
    heads: int = 14
    key_value_heads: int = 2
    hidden: int = 4864
    vocabulary: int = 151_936
    context: int = 32_768

    @property
    def key_value_width(self) -> int:
        """The width of the keys of one layer."""
        return self.width // self.heads * self.key_value_heads


QWEN = Shape()


def write(path: Path, shape: Shape = QWEN) -> None:
    """Write the model (350 MB); the file is put in place whole."""
    writer = gguf.GGUFWriter(draft_of(path), "qwen2")
    _describe(writer, shape)
    _vocabulary(writer, shape.vocabulary)
    weights = _Weights(writer)
    # Kept at 8 bits in the published 4-bit files; it is the output matrix as well.
    weights.matrix("token_embd.weight", shape.vocabulary, shape.width, Q8_0)
    weights.vector("output_norm.weight", shape.width, 1)
    for layer in range(shape.layers):
        _layer(weights, f"blk.{layer}", shape)
    write_out(writer, path)


class _Weights:
    """Adds random tensors to a file."""

    def __init__(self, writer: gguf.GGUFWriter) -> None:
        self._writer, self._rng = writer, np.random.default_rng(SEED)

    def matrix(
        self, name: str, rows: int, columns: int, kind: gguf.GGMLQuantizationType = Q4_0
    ) -> None:
        blocks = self._blocks(rows * columns // BLOCK, kind).reshape(rows, -1)
        self._writer.add_tensor(name, blocks, raw_dtype=kind)

    def vector(self, name: str, length: int, value: float) -> None:
        self._writer.add_tensor(name, np.full(length, value, np.float32))

    def _blocks(self, count: int, kind: gguf.GGMLQuantizationType) -> npt.NDArray[np.uint8]:
        """Draw quantised blocks as they lie in the file: a float16 scale, then the weights."""
        if kind == Q4_0:
            body, unit = self._rng.integers(0, 256, (count, BLOCK // 2), np.uint8), 4.6
        else:
            drawn = self._rng.integers(-127, 128, (count, BLOCK), np.int8)
            body, unit = drawn.view(np.uint8), 73.0
        scale = np.full((count, 1), SPREAD / unit, np.float16).view(np.uint8)
        return np.concatenate([scale, body], 1)


def _layer(weights: _Weights, prefix: str, shape: Shape) -> None:
    width, hidden = shape.width, shape.hidden
    for norm in ("attn_norm", "ffn_norm"):
        weights.vector(f"{prefix}.{norm}.weight", width, 1)
    for name, rows in (("q", width), ("k", shape.key_value_width), ("v", shape.key_value_width)):
        weights.matrix(f"{prefix}.attn_{name}.weight", rows, width)
        weights.vector(f"{prefix}.attn_{name}.bias", rows, 0)
    weights.matrix(f"{prefix}.attn_output.weight", width, width)
    weights.matrix(f"{prefix}.ffn_gate.weight", hidden, width)
    weights.matrix(f"{prefix}.ffn_up.weight", hidden, width)
    weights.matrix(f"{prefix}.ffn_down.weight", width, hidden)


def _describe(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_name("random-qwen2.5-0.5b-shape")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.key_value_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_vocab_size(shape.vocabulary)


def _vocabulary(writer: gguf.GGUFWriter, size: int) -> None:
    """Add bytes, two- and three-letter pieces, fillers and ChatML's special tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    letters = "abcdefghijklmnopqrstuvwxyz"
    pairs = [(a, b) for a in f"Ġ{letters}" for b in letters]
    triples = [(a + b, c) for a in letters for b in letters for c in letters]
    pieces = [*alphabet, *("".join(parts) for parts in (*pairs, *triples))]
    fillers = [f"[PAD{i}]" for i in range(size - len(pieces) - len(SPECIAL))]
    normal, control = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([*pieces, *fillers, *SPECIAL])
    writer.add_token_types([normal] * (size - len(SPECIAL)) + [control] * len(SPECIAL))
    writer.add_token_merges([" ".join(parts) for parts in (*pairs, *triples)])
    first_special = size - len(SPECIAL)
    writer.add_bos_token_id(first_special + SPECIAL.index(END_OF_TEXT))
    writer.add_eos_token_id(first_special + SPECIAL.index(END))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHATML)
