"""A trained network written as a CTranslate2 folder with int8 weights."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ctranslate2.specs.attention_spec import MultiHeadAttentionSpec
from ctranslate2.specs.common_spec import Conv1DSpec, LayerNormSpec, LinearSpec
from ctranslate2.specs.transformer_spec import FeedForwardSpec, TransformerDecoderSpec
from ctranslate2.specs.whisper_spec import WhisperEncoderSpec, WhisperSpec
from torch import Tensor, nn

from tests.models.whisper.folder import save
from tests.models.whisper.network import Attention, FeedForward, Whisper
from tests.models.whisper.tokens import Tokens

CHUNK_SECONDS = 5
"""What the model hears at once, and says of itself: one or two of its phrases."""


def export(model: Whisper, tokens: Tokens, folder: Path) -> None:
    """Write the model into ``folder``, each file put in place whole."""
    shape = model.shape
    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    _encoder(spec.encoder, model)
    _decoder(spec.decoder, model)
    spec.config.alignment_heads = [[shape.decoder_layers - 1, head] for head in range(shape.heads)]
    save(spec, tokens, folder)
    hears = json.dumps({"chunk_length": CHUNK_SECONDS})
    (folder / "preprocessor_config.json").write_text(f"{hears}\n", encoding="utf-8")


def _array(tensor: Tensor) -> npt.NDArray[np.float32]:
    return tensor.detach().float().numpy().copy()


def _weights(target: LinearSpec | Conv1DSpec, source: nn.Linear | nn.Conv1d) -> None:
    target.weight, target.bias = _array(source.weight), _array(source.bias)


def _norm(target: LayerNormSpec, source: nn.LayerNorm) -> None:
    target.gamma, target.beta = _array(source.weight), _array(source.bias)


def _self_attention(target: MultiHeadAttentionSpec, source: Attention) -> None:
    """CTranslate2 wants query, key and value in one matrix where all come from one place."""
    _norm(target.layer_norm, source.norm)
    parts = (source.query, source.key_value)
    target.linear[0].weight = np.concatenate([_array(part.weight) for part in parts])
    target.linear[0].bias = np.concatenate([_array(part.bias) for part in parts])
    _weights(target.linear[1], source.out)


def _cross_attention(target: MultiHeadAttentionSpec, source: Attention) -> None:
    _norm(target.layer_norm, source.norm)
    for linear, part in zip(
        target.linear, (source.query, source.key_value, source.out), strict=True
    ):
        _weights(linear, part)


def _feed_forward(target: FeedForwardSpec, source: FeedForward) -> None:
    _norm(target.layer_norm, source.norm)
    _weights(target.linear_0, source.up)
    _weights(target.linear_1, source.down)


def _encoder(target: WhisperEncoderSpec, model: Whisper) -> None:
    _weights(target.conv1, model.conv1)
    _weights(target.conv2, model.conv2)
    target.position_encodings.encodings = _array(model.audio_positions)
    _norm(target.layer_norm, model.encoder_norm)
    for layer, source in zip(target.layer, model.encoder, strict=True):
        _self_attention(layer.self_attention, source.attention)
        _feed_forward(layer.ffn, source.feed_forward)


def _decoder(target: TransformerDecoderSpec, model: Whisper) -> None:
    target.embeddings.weight = _array(model.embedding.weight)
    target.projection.weight = _array(model.embedding.weight)  # tied: optimize() finds it
    target.position_encodings.encodings = _array(model.text_positions.weight)
    _norm(target.layer_norm, model.decoder_norm)
    for layer, source in zip(target.layer, model.decoder, strict=True):
        _self_attention(layer.self_attention, source.attention)
        _cross_attention(layer.attention, source.cross)
        _feed_forward(layer.ffn, source.feed_forward)
