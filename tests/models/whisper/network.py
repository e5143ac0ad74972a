"""Whisper's architecture in plain PyTorch, shaped so that it exports one to one to CTranslate2."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a Whisper network."""

    width: int = 96
    heads: int = 3
    encoder_layers: int = 2
    decoder_layers: int = 2
    mels: int = 80
    audio_positions: int = 1500
    text_positions: int = 448
    nearby: int = 0  # positions away that the encoder's outer heads look at to begin with


SMALLEST = Shape()


class Attention(nn.Module):
    """Pre-norm residual attention: to itself, or to ``memory`` if that is given."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.norm = nn.LayerNorm(width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def look_nearby(self, offsets: Sequence[int]) -> None:
        """Let each head begin with looking so many positions away, by the sinusoids of its input.

        A small network takes long to find out by itself that sounds close by belong together.
        """
        width = len(self.query.weight)
        pairs = width // self.heads // 2
        rates = _rates(width)[:pairs]
        sines, cosines = torch.eye(width)[:pairs], torch.eye(width)[width // 2 :][:pairs]
        for head, offset in enumerate(offsets):
            rows = slice(2 * pairs * head, 2 * pairs * (head + 1))
            cos, sin = (rates * offset).cos()[:, None], (rates * offset).sin()[:, None]
            turned = [sines * cos + cosines * sin, cosines * cos - sines * sin]
            with torch.no_grad():
                self.key_value.weight[rows] += torch.cat([sines, cosines])
                self.query.weight[rows] += torch.cat(turned)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        causal: bool = False,
        bias: Tensor | None = None,
    ) -> Tensor:
        """Map (batch, positions, width) to the same shape.

        ``bias`` is added to every query's scores, (positions attended to,).
        """
        normed = self.norm(x)
        key, value = self.key_value(normed if memory is None else memory).chunk(2, -1)
        mixed = F.scaled_dot_product_attention(
            *(self._split(self.query(normed)), self._split(key), self._split(value)),
            attn_mask=None if bias is None else bias.expand(1, 1, x.shape[1], -1),
            is_causal=causal,
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

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """Map (batch, frames, width) to the same shape."""
        return self.feed_forward(self.attention(x, bias=bias))


class DecoderLayer(nn.Module):
    """Attention within the text, attention to the audio, then the feed-forward layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention, self.cross = Attention(shape), Attention(shape)
        self.feed_forward = FeedForward(shape)

    def forward(self, x: Tensor, memory: "Memory") -> Tensor:
        """Map (batch, tokens, width) to the same shape."""
        heard = self.cross(self.attention(x, causal=True), memory.states, bias=memory.bias)
        return self.feed_forward(heard)


class Memory(NamedTuple):
    """What the encoder made of the audio."""

    states: Tensor  # (batch, positions, width)
    bias: Tensor | None = None  # for attention to them, where some stand for many: (positions,)


def _rates(width: int) -> Tensor:
    return torch.exp(-math.log(10_000) / (width // 2 - 1) * torch.arange(width // 2))


def sinusoids(positions: int, width: int) -> Tensor:
    """Return Whisper's fixed positions of the audio, (positions, width)."""
    angles = torch.arange(positions)[:, None] * _rates(width)
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
        self.encoder = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.encoder_layers))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.embedding = nn.Embedding(vocabulary, width)
        self.text_positions = nn.Embedding(shape.text_positions, width)
        self.decoder = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.decoder_layers))
        self.ctc = nn.Linear(width, text_vocabulary + 1)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        nn.init.normal_(self.text_positions.weight, std=0.02)
        if shape.nearby:
            self._look_nearby()

    def _look_nearby(self) -> None:
        """Start the encoder with heads that look back, here and ahead, farther layer by layer."""
        for number, layer in enumerate(self.encoder, 1):
            offsets = torch.linspace(-1, 1, self.shape.heads) * self.shape.nearby * number
            layer.attention.look_nearby(offsets.round().int().tolist())

    def encode(self, mel: Tensor, spread: int = 0) -> Memory:
        """Map log-mels (batch, mels, frames) to a memory of half as many positions.

        ``spread`` positions are added at random places among those up to the end of the window,
        each attended to as if it were all of its share of them: empty windows at a small price.
        """
        x = self._convolved(mel)
        heard = x.shape[1]
        x = x + self.audio_positions[:heard]
        bias = None
        if spread:
            x = torch.cat([x, self._empty(heard, spread).expand(len(x), -1, -1)], 1)
            bias = torch.zeros(x.shape[1])
            bias[heard:] = math.log((self.shape.audio_positions - heard) / spread)
        for layer in self.encoder:
            x = layer(x, bias)
        return Memory(self.encoder_norm(x), bias)

    def _convolved(self, mel: Tensor) -> Tensor:
        return F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)

    def _empty(self, heard: int, count: int) -> Tensor:
        """Return some of the positions after those ``heard``, of the zeros that are there."""
        places = heard + torch.randperm(self.shape.audio_positions - heard)[:count]
        inside = self._convolved(torch.zeros(1, self.shape.mels, 6))[:, 1:2]
        return inside + self.audio_positions[places]

    def decode(self, tokens: Tensor, memory: Memory) -> Tensor:
        """Map tokens (batch, n) to the logits of each next token, (batch, n, vocabulary)."""
        x = self.embedding(tokens) + self.text_positions.weight[: tokens.shape[1]]
        for layer in self.decoder:
            x = layer(x, memory)
        return self.decoder_norm(x) @ self.embedding.weight.T
