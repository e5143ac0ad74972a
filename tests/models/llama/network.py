"""The LLaMA architecture in plain PyTorch, its parameters named as GGUF names them."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a LLaMA network."""

    vocabulary: int
    width: int = 96
    heads: int = 3
    layers: int = 4
    hidden: int = 256
    context: int = 4096
    rope_base: float = 10_000.0
    epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        """The width of one head."""
        return self.width // self.heads


class RMSNorm(nn.Module):
    """Scaling to unit root mean square."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(shape.width)), shape.epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, width) to the same shape."""
        return F.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Turn ADJACENT pairs, as llama.cpp does for this architecture (others turn halves)."""
    even, odd = x[..., ::2], x[..., 1::2]
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


class Block(nn.Module):
    """Causal self-attention and a gated feed-forward layer, both residual."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        width, hidden = shape.width, shape.hidden
        self.attn_norm, self.ffn_norm = RMSNorm(shape), RMSNorm(shape)
        self.attn_q, self.attn_k, self.attn_v, self.attn_output = (
            nn.Linear(width, width, bias=False) for _ in range(4)
        )
        self.ffn_gate, self.ffn_up = (nn.Linear(width, hidden, bias=False) for _ in range(2))
        self.ffn_down = nn.Linear(hidden, width, bias=False)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, angles: Tensor) -> Tensor:
        """Map (batch, n, width) to the same shape."""
        h = self.attn_norm(x)
        query, key = (rotate(self._split(part(h)), angles) for part in (self.attn_q, self.attn_k))
        value = self._split(self.attn_v(h))
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.attn_output(mixed.transpose(1, 2).flatten(2))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Llama(nn.Module):
    """A LLaMA whose output matrix is its embedding."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = RMSNorm(shape)
        nn.init.normal_(self.token_embd.weight, std=shape.width**-0.5)

    def forward(self, ids: Tensor, first: int = 0) -> Tensor:
        """Map ids (batch, n) at positions from ``first`` to hidden states (batch, n, width)."""
        pairs = torch.arange(0, self.shape.head_width, 2) / self.shape.head_width
        positions = torch.arange(first, first + ids.shape[1])
        angles = positions[:, None] * self.shape.rope_base**-pairs
        x = self.token_embd(ids)
        for block in self.blk:
            x = block(x, angles)
        return self.output_norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """Map hidden states (…, width) to logits (…, vocabulary)."""
        return hidden @ self.token_embd.weight.T
