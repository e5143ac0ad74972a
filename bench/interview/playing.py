"""Plays interviews by a narrator's name, each with an interviewer of its own, several at once."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from bench.interview.interviewer import Scripted
from bench.interview.player import Interview, play
from bench.interview.served import Served
from bench.interview.sheet import load
from bench.interview.tables import tell_counts


def scripted(name: str, turns: int, seed: int = 0) -> Interview:
    """Play one interview without a model."""
    sheet = load(name)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Scripted(Path(folder), sheet.language) as interviewer,
    ):
        return play(sheet, interviewer, turns, seed)


def played(name: str, turns: int, seed: int, model: Path | None) -> Interview:
    """Play one interview, worded by a model if there is one."""
    if model is None:
        return scripted(name, turns, seed)
    sheet = load(name)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Served(Path(folder), sheet.language, model) as interviewer,
    ):
        interview = play(sheet, interviewer, turns, seed)
        tell_counts(name, interviewer.counts)
        return interview


def played_all(
    names: Sequence[str], turns: int, seed: int = 0, model: Path | None = None
) -> dict[str, Interview]:
    """Play several interviews, as many at once as there are processors."""
    one = partial(played, turns=turns, seed=seed, model=model)
    # A server of its own has threads, which a forked process would not.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return dict(zip(names, pool.map(one, names), strict=True))
