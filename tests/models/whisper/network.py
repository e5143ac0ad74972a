"""Whisper's architecture in plain PyTorch, shaped so that it exports one to one to CTranslate2."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a Whisper network."""

    width: int = 96
    heads: int = 3
    layers: int = 2  # of the encoder, and as many of the decoder
    mels: int = 80
    audio_positions: int = 1500
    text_positions: int = 448


class Attention(nn.Module):
    """Pre-norm residual attention: to itself, or to ``memory`` if that is given."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.norm = nn.LayerNorm(width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, memory: Tensor | None = None, causal: bool = False) -> Tensor:
        """Map (batch, positions, width) to the same shape."""
        normed = self.norm(x)
        key, value = self.key_value(normed if memory is None else memory).chunk(2, -1)
        mixed = F.scaled_dot_product_attention(
            self._split(self.query(normed)), self._split(key), self._split(value), is_causal=causal
        )
        return x + self.out(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Pre-norm residual layer of two matrices with GELU between."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.width)
        self.up = nn.Linear(shape.width, 4 * shape.width)
        self.down = nn.Linear(4 * shape.width, shape.width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, positions, width) to the same shape."""
        return x + self.down(F.gelu(self.up(self.norm(x))))


class EncoderLayer(nn.Module):
    """Attention within the audio, then the feed-forward layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention, self.feed_forward = Attention(shape), FeedForward(shape)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, frames, width) to the same shape."""
        return self.feed_forward(self.attention(x))


class DecoderLayer(nn.Module):
    """Attention within the text, attention to the audio, then the feed-forward layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention, self.cross = Attention(shape), Attention(shape)
        self.feed_forward = FeedForward(shape)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """Map (batch, tokens, width) to the same shape."""
        return self.feed_forward(self.cross(self.attention(x, causal=True), memory))


def sinusoids(positions: int, width: int) -> Tensor:
    """Return Whisper's fixed positions of the audio, (positions, width)."""
    rates = torch.exp(-math.log(10_000) / (width // 2 - 1) * torch.arange(width // 2))
    angles = torch.arange(positions)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)


class Whisper(nn.Module):
    """Encoder, decoder, and a CTC head on the encoder that is only there for training."""

    audio_positions: Tensor

    def __init__(self, shape: Shape, vocabulary: int, text_vocabulary: int) -> None:
        super().__init__()
        width = shape.width
        self.shape = shape
        self.conv1 = nn.Conv1d(shape.mels, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.register_buffer("audio_positions", sinusoids(shape.audio_positions, width))
        self.encoder = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.layers))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.embedding = nn.Embedding(vocabulary, width)
        self.text_positions = nn.Embedding(shape.text_positions, width)
        self.decoder = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.layers))
        self.ctc = nn.Linear(width, text_vocabulary + 1)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        nn.init.normal_(self.text_positions.weight, std=0.02)

    def encode(self, mel: Tensor) -> Tensor:
        """Map log-mels (batch, mels, frames) to memory (batch, frames / 2, width)."""
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.audio_positions[: x.shape[1]]
        for layer in self.encoder:
            x = layer(x)
        return self.encoder_norm(x)

    def decode(self, tokens: Tensor, memory: Tensor) -> Tensor:
        """Map tokens (batch, n) to the logits of each next token, (batch, n, vocabulary)."""
        x = self.embedding(tokens) + self.text_positions.weight[: tokens.shape[1]]
        for layer in self.decoder:
            x = layer(x, memory)
        return self.decoder_norm(x) @ self.embedding.weight.T
