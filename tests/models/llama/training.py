"""Training of the micro llama, on one thread of a CPU."""

import random
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from tests.models.llama.conversations import Size, conversation
from tests.models.llama.network import Llama, Shape
from tests.models.llama.tokens import VOCABULARY, encode, train_tokenizer

SEED = 0
STEPS = 2600
PEAK = 3e-3
WARM_UP = 100
TOKENS = 4000  # in a batch, padding included
POOL = 128  # conversations that are sorted by length before they are cut into batches
LOG_EVERY = 50

# How conversations grow, as (from this share of the steps, sizes drawn from equally).
CURRICULUM = (
    (0.0, (Size(0, 0), Size(1, 10))),
    (0.25, (Size(0, 10), Size(2, 30), Size(3, 60))),
    (0.6, (Size(0, 10), Size(2, 30), Size(3, 60), Size(3, 60), Size(6, 200), Size(12, 400))),
)


class Batch(NamedTuple):
    """Conversations side by side: ids (batch, n), and which of them are to be learnt."""

    ids: Tensor
    learnt: Tensor


def train(steps: int = STEPS) -> tuple[Llama, Tokenizer]:
    """Train from scratch."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    tokenizer = train_tokenizer(SEED)
    model = Llama(Shape(VOCABULARY))
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), weight_decay=0.05)
    rng = random.Random(SEED)
    started, figures = time.monotonic(), []
    for step, batch in enumerate(_batches(rng, tokenizer, steps)):
        for group in optimizer.param_groups:
            group["lr"] = PEAK * min(1.0, (step + 1) / WARM_UP) * (1 - step / steps) + 1e-5
        loss, right = _learn(model, batch, rng)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        figures.append((loss.item(), right))
        if (step + 1) % LOG_EVERY == 0:
            mean, share = np.mean(figures[-LOG_EVERY:], 0)
            spent = time.monotonic() - started
            print(f"{step + 1}: {spent:.0f} s, loss {mean:.4f}, right {share:.4f}", flush=True)
    return model, tokenizer


def _learn(model: Llama, batch: Batch, rng: random.Random) -> tuple[Tensor, float]:
    """Return the loss over what is to be learnt, and the share of it that was right."""
    spare = model.shape.context - batch.ids.shape[1]
    # At any position of the context, so that long prompts are not new to it.
    first = rng.randrange(spare) if rng.random() < 0.4 else 0
    wanted = batch.learnt[:, 1:]
    logits = model.logits(model(batch.ids[:, :-1], first)[wanted])
    targets = batch.ids[:, 1:][wanted]
    right = (logits.argmax(-1) == targets).float().mean().item()
    return F.cross_entropy(logits, targets), right


def _batches(rng: random.Random, tokenizer: Tokenizer, steps: int) -> Iterator[Batch]:
    done = 0
    while done < steps:
        sizes = next(each for since, each in reversed(CURRICULUM) if done >= since * steps)
        drawn = [encode(tokenizer, conversation(rng, rng.choice(sizes))) for _ in range(POOL)]
        batches = list(_cut(drawn))[: steps - done]
        rng.shuffle(batches)
        yield from batches
        done += len(batches)


def _cut(drawn: list[tuple[list[int], list[bool]]]) -> Iterator[Batch]:
    """Cut into batches of like length, so that little is padding."""
    rows: list[tuple[list[int], list[bool]]] = []
    for row in sorted(drawn, key=lambda each: len(each[0])):
        if rows and len(row[0]) * (len(rows) + 1) > TOKENS:
            yield _stack(rows)
            rows = []
        rows.append(row)
    yield _stack(rows)


def _stack(rows: list[tuple[list[int], list[bool]]]) -> Batch:
    width = len(rows[-1][0])  # the longest: they are sorted
    return Batch(
        torch.tensor([[*ids, *[0] * (width - len(ids))] for ids, _ in rows]),
        torch.tensor([[*learnt, *[False] * (width - len(learnt))] for _, learnt in rows]),
    )
