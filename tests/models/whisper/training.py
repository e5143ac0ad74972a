"""Training of a micro Whisper, on one thread of a CPU."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.models.whisper.examples import Batch, Composer
from tests.models.whisper.network import Whisper
from tests.models.whisper.recipe import Recipe, Stage
from tests.models.whisper.tokens import Tokens, train_tokens

SEED = 0
CTC_SHARE, TIMED_SHARE = 0.3, 1.0  # of the encoder's loss
LOG_EVERY = 25
ALIKE = 6  # steps whose examples are sorted by length


def train(recipe: Recipe, folder: Path) -> Iterator[tuple[Whisper, Tokens]]:
    """Train from scratch, keeping the clips and a checkpoint after each stage in ``folder``.

    Yields the network after each stage. A stage whose checkpoint is there already is not run
    again: a training that was stopped goes on.
    """
    torch.set_num_threads(1)  # with more, spinning threads collapse when the cores are shared
    torch.manual_seed(SEED)
    tokens = train_tokens(recipe.pieces)
    clips = recipe.clips(folder)
    model = Whisper(recipe.shape, len(tokens.vocabulary), tokens.text_size)
    for number, stage in enumerate(recipe.stages):
        checkpoint = folder / f"{recipe.name}-{stage.name}-{stage.steps}.pt"
        if checkpoint.exists():
            model.load_state_dict(torch.load(checkpoint))
        else:
            composer = Composer(recipe, clips, tokens, SEED + number)
            _run(stage, model, composer, blank=tokens.text_size)
            torch.save(model.state_dict(), checkpoint)
        yield model, tokens


def _run(stage: Stage, model: Whisper, composer: Composer, blank: int) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    started, losses = time.monotonic(), []
    for step, batch in enumerate(_batches(stage, composer)):
        for group in optimizer.param_groups:
            group["lr"] = stage.rate(step)
        written, aligned = _losses(model, batch, blank, stage.spread)
        optimizer.zero_grad()
        (written + aligned).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append((written.item(), aligned.item()))
        if (step + 1) % LOG_EVERY == 0:
            text, sound = np.mean(losses[-LOG_EVERY:], 0)
            spent = time.monotonic() - started
            print(
                f"{stage.name} {step + 1}: {spent:.0f} s, text {text:.3f}, sound {sound:.3f}",
                flush=True,
            )


def _batches(stage: Stage, composer: Composer) -> Iterator[Batch]:
    return _alike(stage, composer) if stage.spread else _cropped_or_full(stage, composer)


def _alike(stage: Stage, composer: Composer) -> Iterator[Batch]:
    """Sort the examples of some steps by length."""
    for step in range(0, stage.steps, ALIKE):
        count = min(ALIKE, stage.steps - step)
        yield from composer.batches_alike(stage.size, count, _most_phrases(stage, step))


def _cropped_or_full(stage: Stage, composer: Composer) -> Iterator[Batch]:
    """Spread the full windows evenly, so that stages of one shape cost the same."""
    owed = 0.0
    for step in range(stage.steps):
        owed += stage.full_windows
        full = owed >= 1
        owed -= full
        if full:
            yield composer.batch(12, 6, "window")
        else:
            yield composer.batch(stage.size, _most_phrases(stage, step), "some")


def _most_phrases(stage: Stage, step: int) -> int:
    return 1 if step < stage.singles * stage.steps else stage.phrases


def _losses(model: Whisper, batch: Batch, blank: int, spread: int) -> tuple[Tensor, Tensor]:
    """Return the decoder's cross entropy and the encoder's: CTC, unless words are timed."""
    memory = model.encode(batch.mel, spread)
    logits = model.decode(batch.tokens, memory)
    each = F.cross_entropy(logits.transpose(1, 2), batch.targets, reduction="none")
    written = (each * batch.weights).sum() / batch.weights.sum()
    if batch.places is not None:
        words = model.ctc(memory.states[:, : batch.places.shape[1]])
        return written, TIMED_SHARE * F.cross_entropy(words.transpose(1, 2), batch.places)
    aligned = F.ctc_loss(
        model.ctc(memory.states).log_softmax(-1).transpose(0, 1),
        torch.tensor([token for text in batch.texts for token in text]),
        batch.lengths,
        torch.tensor([len(text) for text in batch.texts]),
        blank=blank,
        zero_infinity=True,
    )
    return written, CTC_SHARE * aligned
