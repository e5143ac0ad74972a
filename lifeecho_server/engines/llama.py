"""Generation by llama.cpp, through llama-cpp-python's low-level bindings.

One copy of the weights and one context whose cells all sequences share (``kv_unified``).
"""

import ctypes
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lifeecho_server.engines.chat_model import Advance, ContextFull, Message
from lifeecho_server.engines.chat_template import ChatTemplate, Part, TemplateError
from lifeecho_server.engines.sampling import draw
from lifeecho_server.errors import LifeEchoError


class EngineMissing(LifeEchoError):
    """A library that an engine needs is not installed."""


class ModelUnusable(LifeEchoError):
    """A model file is there but cannot be used; the text says why."""


class DecodeFailed(LifeEchoError):
    """llama.cpp could not do what was asked; the sequences are as they were before."""


def load_llama(
    path: Path, *, context: int, sequences: int, batch: int, threads: int | None
) -> "LlamaChatModel":
    """Load a GGUF file.

    ``context`` is in tokens for all ``sequences`` together; ``batch`` is the most tokens one step
    may evaluate; ``threads`` ``None`` takes ``default_threads``. Raises EngineMissing and
    ModelUnusable.
    """
    llama = _bindings()
    # The bindings install their own log callback when imported and keep it alive as long as they
    # are; it prints what this logger lets through, and CRITICAL is the most it ever logs at.
    logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL + 1)
    llama.llama_backend_init()
    if not path.is_file():
        raise ModelUnusable(f"there is no model file {path.name}")
    model = llama.llama_model_load_from_file(os.fsencode(path), llama.llama_model_default_params())
    if not model:
        raise ModelUnusable(f"{path.name} is damaged or not a GGUF model that llama.cpp knows")
    try:
        template = _template(llama, model, path.name)
        handle = _context(llama, model, path.name, context, sequences, batch, threads)
    except ModelUnusable:
        llama.llama_model_free(model)
        raise
    return LlamaChatModel(llama, model, handle, template, sequences=sequences, batch=batch)


def default_threads(cores: int) -> int:
    """Return how many threads to evaluate with: one core stays free for everything else.

    llama.cpp's threads wait for each other after every layer. On as many threads as cores a single
    other busy thread (recognition, the event loop) holds all of them up: measured on two busy
    cores with a 0.5B model, 28 tokens/s with one thread and 1 to 3 with two.
    """
    return max(1, cores - 1)


def _cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _bindings() -> Any:
    try:
        import llama_cpp
    except ImportError:
        raise EngineMissing(
            "llama-cpp-python is not installed; install it to use a GGUF model"
        ) from None
    except (OSError, RuntimeError) as error:
        raise EngineMissing(f"llama-cpp-python cannot be loaded: {error}") from error
    return llama_cpp


def _context(
    llama: Any,
    model: Any,
    name: str,
    context: int,
    sequences: int,
    batch: int,
    threads: int | None,
) -> Any:
    wanted = llama.llama_context_default_params()
    wanted.n_ctx = context
    wanted.n_batch = wanted.n_ubatch = batch
    wanted.n_seq_max = sequences
    wanted.kv_unified = True
    wanted.n_threads = threads or default_threads(_cores())
    wanted.n_threads_batch = wanted.n_threads
    handle = llama.llama_init_from_model(model, wanted)
    if not handle:
        raise ModelUnusable(f"there is not enough memory for {name} with {context} tokens")
    return handle


def _template(llama: Any, model: Any, name: str) -> ChatTemplate:
    if llama.llama_model_is_recurrent(model) or llama.llama_model_is_hybrid(model):
        raise ModelUnusable(f"{name} is a recurrent model, whose prompts cannot be shared or cut")
    source = llama.llama_model_chat_template(model, None)
    if not source:
        raise ModelUnusable(f"{name} has no chat template; choose an instruct (chat) model")
    vocab = llama.llama_model_get_vocab(model)
    try:
        return ChatTemplate(
            source.decode("utf-8", "replace"),
            begin=_spelled(llama, vocab, llama.llama_vocab_bos(vocab)),
            end=_spelled(llama, vocab, llama.llama_vocab_eos(vocab)),
        )
    except TemplateError as error:
        raise ModelUnusable(f"the chat template of {name} cannot be used: {error}") from error


def _spelled(llama: Any, vocab: Any, token: int) -> str:
    if token < 0:
        return ""
    text: bytes = llama.llama_vocab_get_text(vocab, token)
    return text.decode("utf-8", "replace")


class LlamaChatModel:
    """A ``ChatModel`` over one llama.cpp context. Blocking; one thread at a time.

    It has no finaliser: a context whose step hangs must never be freed under that step.
    """

    def __init__(
        self,
        llama: Any,
        model: Any,
        context: Any,
        template: ChatTemplate,
        *,
        sequences: int,
        batch: int,
    ) -> None:
        self._llama = llama
        self._model = model
        self._context = context
        self._template = template
        self._vocab = llama.llama_model_get_vocab(model)
        self._vocab_size: int = llama.llama_vocab_n_tokens(self._vocab)
        self._memory = llama.llama_get_memory(context)
        self._batch_size = batch
        self._batch = llama.llama_batch_init(batch, 0, 1)
        self._tokens: dict[int, list[int]] = {}
        self._free = list(range(sequences))
        self._sequences = sequences
        self._context_size: int = llama.llama_n_ctx(context)

    @property
    def max_sequences(self) -> int:
        """How many sequences may be open at once."""
        return self._sequences

    @property
    def context_size(self) -> int:
        """Tokens that all sequences together may hold."""
        return self._context_size

    @property
    def batch_size(self) -> int:
        """Tokens that one step may evaluate."""
        return self._batch_size

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Render the chat template as tokens.

        Control tokens are recognised in the template's own text only: what people said is
        tokenised as plain text, whatever it spells. Raises TemplateError.
        """
        tokens: list[int] = []
        for part in self._template.render(messages):
            tokens += self._tokenize(part)
        if self._llama.llama_vocab_get_add_bos(self._vocab):
            begin = self._llama.llama_vocab_bos(self._vocab)
            return tokens if tokens[:1] == [begin] else [begin, *tokens]
        return tokens

    def tokens_of(self, sequence: int) -> Sequence[int]:
        """Return the tokens a sequence has evaluated."""
        return self._tokens[sequence]

    def open(self) -> int:
        """Open an empty sequence. Raises ContextFull when all are taken."""
        if not self._free:
            raise ContextFull("all sequences of the language model are taken")
        sequence = self._free.pop()
        self._tokens[sequence] = []
        return sequence

    def fork(self, source: int, target: int, length: int) -> None:
        """Give ``target`` the first ``length`` tokens of ``source``; the cells are shared."""
        self.truncate(target, 0)
        if length:
            self._llama.llama_memory_seq_cp(self._memory, source, target, 0, length)
            self._tokens[target] = list(self._tokens[source][:length])

    def truncate(self, sequence: int, length: int) -> None:
        """Forget what comes after the first ``length`` tokens. Raises DecodeFailed."""
        if not self._llama.llama_memory_seq_rm(self._memory, sequence, length, -1):
            raise DecodeFailed("llama.cpp could not cut a sequence")
        del self._tokens[sequence][length:]

    def close_sequence(self, sequence: int) -> None:
        """Forget a sequence; its number may be given out again."""
        self.truncate(sequence, 0)
        del self._tokens[sequence]
        self._free.append(sequence)

    def step(self, work: Sequence[Advance]) -> list[int | None]:
        """Evaluate all shares in one decode and draw the tokens asked for.

        Raises ContextFull and DecodeFailed; then every sequence is as it was.
        """
        size = sum(len(advance.tokens) for advance in work)
        if not all(advance.tokens for advance in work) or size > self._batch_size:
            raise ValueError(f"a step takes 1 to {self._batch_size} tokens, not {size}")
        ends = self._fill(work)
        code = self._llama.llama_decode(self._context, self._batch)
        if code != 0:
            self._undo(work)
            if code == 1:
                raise ContextFull("the context of the language model is full")
            raise DecodeFailed(f"llama.cpp could not evaluate a batch (code {code})")
        for advance in work:
            self._tokens[advance.sequence].extend(advance.tokens)
        return [
            self._draw(end, advance) if advance.sample else None
            for end, advance in zip(ends, work, strict=True)
        ]

    def is_end(self, token: int) -> bool:
        """Whether a token ends the assistant's turn."""
        return bool(self._llama.llama_vocab_is_eog(self._vocab, token))

    def piece(self, token: int) -> bytes:
        """Return a token's bytes; control tokens have none."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = self._llama.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def close(self) -> None:
        """Free the context and the weights."""
        self._llama.llama_batch_free(self._batch)
        self._llama.llama_free(self._context)
        self._llama.llama_model_free(self._model)

    def _tokenize(self, part: Part) -> list[int]:
        text = part.text.encode("utf-8", "replace")
        room = len(text) + 8  # a token is at least a byte, but for the few a tokenizer adds
        found = (self._llama.llama_token * room)()
        count = self._llama.llama_tokenize(
            self._vocab, text, len(text), found, room, False, not part.said
        )
        return list(found[:count])

    def _fill(self, work: Sequence[Advance]) -> list[int]:
        """Lay the shares one after another into the batch; return each one's last place."""
        batch = self._batch
        place = 0
        ends = []
        for advance in work:
            start = len(self._tokens[advance.sequence])
            for position, token in enumerate(advance.tokens, start):
                batch.token[place] = token
                batch.pos[place] = position
                batch.n_seq_id[place] = 1
                batch.seq_id[place][0] = advance.sequence
                batch.logits[place] = 0
                place += 1
            ends.append(place - 1)
            batch.logits[place - 1] = advance.sample
        batch.n_tokens = place
        return ends

    def _undo(self, work: Sequence[Advance]) -> None:
        """Take out what a failed decode may have left of its shares."""
        for advance in work:
            start = len(self._tokens[advance.sequence])
            self._llama.llama_memory_seq_rm(self._memory, advance.sequence, start, -1)

    def _draw(self, place: int, advance: Advance) -> int:
        row = self._llama.llama_get_logits_ith(self._context, place)
        logits = np.ctypeslib.as_array(row, shape=(self._vocab_size,))
        return draw(logits, advance.sampling, len(self._tokens[advance.sequence]))
