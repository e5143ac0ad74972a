"""A CTranslate2 Whisper of OpenAI's "base" shape with random int8 weights."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ctranslate2.specs.attention_spec import MultiHeadAttentionSpec
from ctranslate2.specs.common_spec import Conv1DSpec, LayerNormSpec, LinearSpec
from ctranslate2.specs.transformer_spec import FeedForwardSpec
from ctranslate2.specs.whisper_spec import WhisperSpec

from tests.models.whisper.folder import save
from tests.models.whisper.tokens import padded_tokens

SPREAD = 0.02
SEED = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """The published sizes of Whisper base."""

    width: int = 512
    layers: int = 6
    heads: int = 8
    vocabulary: int = 51_865
    mels: int = 80
    audio_positions: int = 1500
    text_positions: int = 448


BASE = Shape()


def write(folder: Path, shape: Shape = BASE) -> None:
    """Write the model (78 MB)."""
    spec = WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    _Weights(shape).fill(spec)
    spec.config.alignment_heads = [[shape.layers - 1, 0]]
    # Its text is noise: let it not end before it has begun.
    save(spec, padded_tokens(shape.vocabulary), folder, may_be_empty=False)


class _Weights:
    """Fills a specification with random matrices."""

    def __init__(self, shape: Shape) -> None:
        self._shape, self._rng = shape, np.random.default_rng(SEED)

    def fill(self, spec: WhisperSpec) -> None:
        shape, width = self._shape, self._shape.width
        self._convolution(spec.encoder.conv1, shape.mels)
        self._convolution(spec.encoder.conv2, width)
        spec.encoder.position_encodings.encodings = self._draw(shape.audio_positions, width)
        spec.decoder.position_encodings.encodings = self._draw(shape.text_positions, width)
        embedding = self._draw(shape.vocabulary, width)
        spec.decoder.embeddings.weight = spec.decoder.projection.weight = embedding
        self._norm(spec.encoder.layer_norm)
        self._norm(spec.decoder.layer_norm)
        for layer in spec.encoder.layer:
            self._self_attention(layer.self_attention)
            self._feed_forward(layer.ffn)
        for layer in spec.decoder.layer:
            self._self_attention(layer.self_attention)
            self._cross_attention(layer.attention)
            self._feed_forward(layer.ffn)

    def _draw(self, *sizes: int) -> npt.NDArray[np.float32]:
        return self._rng.standard_normal(sizes, np.float32) * np.float32(SPREAD)

    def _norm(self, target: LayerNormSpec) -> None:
        target.gamma = np.ones(self._shape.width, np.float32)
        target.beta = np.zeros(self._shape.width, np.float32)

    def _convolution(self, target: Conv1DSpec, channels: int) -> None:
        target.weight = self._draw(self._shape.width, channels, 3)
        target.bias = np.zeros(self._shape.width, np.float32)

    def _linear(self, target: LinearSpec, outputs: int, inputs: int) -> None:
        target.weight = self._draw(outputs, inputs)
        target.bias = np.zeros(outputs, np.float32)

    def _self_attention(self, target: MultiHeadAttentionSpec) -> None:
        width = self._shape.width
        self._norm(target.layer_norm)
        self._linear(target.linear[0], 3 * width, width)
        self._linear(target.linear[1], width, width)

    def _cross_attention(self, target: MultiHeadAttentionSpec) -> None:
        width = self._shape.width
        self._norm(target.layer_norm)
        self._linear(target.linear[0], width, width)
        self._linear(target.linear[1], 2 * width, width)
        self._linear(target.linear[2], width, width)

    def _feed_forward(self, target: FeedForwardSpec) -> None:
        width = self._shape.width
        self._norm(target.layer_norm)
        self._linear(target.linear_0, 4 * width, width)
        self._linear(target.linear_1, width, 4 * width)
