"""The interface of generation: sequences that are opened, extended, stepped together and closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lifeecho_server.errors import LifeEchoError
from lifeecho_server.interview.message import Message as Message


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is picked. A ``temperature`` of 0 is greedy."""

    temperature: float = 0.7
    top_p: float = 0.9
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Advance:
    """One sequence's share of a batched step.

    ``tokens`` are appended to the sequence; with ``sample`` a next token is drawn after the last
    of them (with ``sampling``), else nothing is.
    """

    sequence: int
    tokens: Sequence[int]
    sample: bool
    sampling: Sampling = Sampling()


class ContextFull(LifeEchoError):
    """No room is left in the model's context for what was asked."""


class ChatModel(Protocol):
    """A loaded language model with one context that holds several sequences.

    A sequence is the list of tokens evaluated so far under one number. Every call blocks and is
    made from one thread at a time; ``step`` is one decode.
    """

    @property
    def max_sequences(self) -> int:
        """How many sequences may be open at once."""
        ...

    @property
    def context_size(self) -> int:
        """Tokens that all sequences together may hold."""
        ...

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Render the model's chat template, up to where the assistant begins, as tokens."""
        ...

    def tokens_of(self, sequence: int) -> Sequence[int]:
        """Return the tokens a sequence has evaluated."""
        ...

    def open(self) -> int:
        """Open an empty sequence. Raises ContextFull when all are taken."""
        ...

    def fork(self, source: int, target: int, length: int) -> None:
        """Give ``target`` (emptied first) the first ``length`` tokens of ``source``, uncopied."""
        ...

    def truncate(self, sequence: int, length: int) -> None:
        """Forget what a sequence holds after its first ``length`` tokens."""
        ...

    def close_sequence(self, sequence: int) -> None:
        """Forget a sequence; its number may be given out again."""
        ...

    def step(self, work: Sequence[Advance]) -> list[int | None]:
        """Evaluate all shares in one batch; return the drawn token of each (or ``None``).

        Raises ContextFull when the cells do not suffice; then nothing has changed.
        """
        ...

    def is_end(self, token: int) -> bool:
        """Whether a token ends the assistant's turn."""
        ...

    def piece(self, token: int) -> bytes:
        """Return a token's bytes (a character may be split over several tokens)."""
        ...

    def close(self) -> None:
        """Free the context and the weights."""
        ...
