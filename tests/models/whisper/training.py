"""Training of the micro Whisper, on one thread of a CPU."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.models.whisper.examples import Batch, Composer
from tests.models.whisper.network import Shape, Whisper
from tests.models.whisper.speech import TRAINING, load_clips
from tests.models.whisper.tokens import Tokens, train_tokens

SEED = 0
CTC_SHARE = 0.3
WARM_UP = 100
LOG_EVERY = 25


@dataclass(frozen=True, slots=True)
class Stage:
    """A run of steps whose learning rate rises for WARM_UP steps and falls to nothing."""

    name: str
    steps: int
    peak: float
    full_windows: float  # the share of batches in true 30 s windows, which cost eight times more
    singles: float  # the share of steps, at the start, of one phrase each
    phrases: int  # most in a cropped example after that

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        return self.peak * min(1.0, (step + 1) / WARM_UP) * (1 - step / self.steps) + 1e-5


# Most is learnt on audio cropped to its own length, first on single phrases.
STAGES = (
    Stage("cropped", 850, 2e-3, full_windows=0.0, singles=0.25, phrases=3),
    Stage("mixed", 650, 1.2e-3, full_windows=0.35, singles=0.0, phrases=4),
    Stage("settled", 380, 1e-3, full_windows=0.35, singles=0.0, phrases=4),
)


def train(folder: Path, stages: tuple[Stage, ...] = STAGES) -> tuple[Whisper, Tokens]:
    """Train from scratch, keeping the clips and a checkpoint after each stage in ``folder``.

    A stage whose checkpoint is there already is not run again: a training that was stopped goes on.
    """
    torch.set_num_threads(1)  # with more, spinning threads collapse when the cores are shared
    torch.manual_seed(SEED)
    tokens = train_tokens()
    clips = load_clips(TRAINING, folder)
    model = Whisper(Shape(), len(tokens.vocabulary), tokens.text_size)
    for number, stage in enumerate(stages):
        checkpoint = folder / f"whisper-{stage.name}-{stage.steps}.pt"
        if checkpoint.exists():
            model.load_state_dict(torch.load(checkpoint))
            continue
        _run(stage, model, Composer(clips, tokens, SEED + number), blank=tokens.text_size)
        torch.save(model.state_dict(), checkpoint)
    return model, tokens


def _run(stage: Stage, model: Whisper, composer: Composer, blank: int) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    started, losses = time.monotonic(), []
    for step, batch in enumerate(_batches(stage, composer)):
        for group in optimizer.param_groups:
            group["lr"] = stage.rate(step)
        written, aligned = _losses(model, batch, blank)
        optimizer.zero_grad()
        (written + CTC_SHARE * aligned).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append((written.item(), aligned.item()))
        if (step + 1) % LOG_EVERY == 0:
            text, ctc = np.mean(losses[-LOG_EVERY:], 0)
            spent = time.monotonic() - started
            print(
                f"{stage.name} {step + 1}: {spent:.0f} s, text {text:.3f}, ctc {ctc:.3f}",
                flush=True,
            )


def _batches(stage: Stage, composer: Composer) -> Iterator[Batch]:
    """Spread the full windows evenly, so that stages of one shape cost the same."""
    owed = 0.0
    for step in range(stage.steps):
        owed += stage.full_windows
        full = owed >= 1
        owed -= full
        most = 1 if step < stage.singles * stage.steps else stage.phrases
        yield composer.batch(12, 6, True) if full else composer.batch(32, most, False)


def _losses(model: Whisper, batch: Batch, blank: int) -> tuple[Tensor, Tensor]:
    """Return the decoder's cross entropy and the encoder's CTC loss."""
    memory = model.encode(batch.mel)
    logits = model.decode(batch.tokens, memory)
    each = F.cross_entropy(logits.transpose(1, 2), batch.targets, reduction="none")
    written = (each * batch.weights).sum() / batch.weights.sum()
    aligned = F.ctc_loss(
        model.ctc(memory).log_softmax(-1).transpose(0, 1),
        torch.tensor([token for text in batch.texts for token in text]),
        batch.lengths,
        torch.tensor([len(text) for text in batch.texts]),
        blank=blank,
        zero_infinity=True,
    )
    return written, aligned
