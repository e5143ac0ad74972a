"""The simulated narrators: sane, and of another hand than the interviewer's data."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.interview import narrator
from bench.interview.likeness import terms
from bench.interview.sheet import Manner, load, names
from bench.interview.spoken import written

HERE = Path(narrator.__file__).parent
NARRATING = ("narrator", "ear", "likeness", "manners", "sheet")
SHARED = {"en": 7, "zh": 12}
"""Words or characters in a row that two hands do not write by chance."""
UNSAID = frozenset({"about", "manner", "language", "seed", "id", "turn", "kind", "after", "means"})


def texts(value: Any) -> Iterator[str]:
    """Every text of a sheet that a narrator may say or listens for."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in UNSAID:
                yield from texts(each)


def runs(text: str, language: str) -> set[str]:
    """Every stretch of so many words or characters."""
    units = text.casefold().split() if language == "en" else [c for c in text if c.isalnum()]
    size = SHARED[language]
    return {" ".join(units[i : i + size]) for i in range(len(units) - size + 1)}


def shared(sheet: dict[str, Any], language: str) -> set[str]:
    """What a sheet has in common with the interviewer's data."""
    theirs = {run for text in written(language) for run in runs(text, language)}
    whole = {text.casefold() for text in written(language) if len(terms(text)) > 2}
    own = list(texts(sheet))
    return {run for text in own for run in runs(text, language) & theirs} | {
        text for text in own if text.casefold() in whole
    }


def raw(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / "sheets" / f"{name}.toml").read_text("utf-8"))


def test_there_are_enough_of_them_in_both_languages_and_all_manners() -> None:
    sheets = [load(name) for name in names()]
    assert len(sheets) >= 12
    for language in ("en", "zh"):
        assert {sheet.manner for sheet in sheets if sheet.language == language} == set(Manner)


@pytest.mark.parametrize("name", names())
def test_a_sheet_holds_a_life(name: str) -> None:
    sheet = load(name)
    assert len(sheet.facts) >= 30
    assert len(sheet.by_id) == len(sheet.facts)
    assert all(len(fact.asks) >= 2 for fact in sheet.facts)
    assert set(sheet.profile) == {
        *("nickname", "birth_year", "birth_place", "grew_up_place", "occupation"),
    }
    assert bool(sheet.taboos) == (sheet.manner is Manner.REFUSING)


@pytest.mark.parametrize("name", names())
def test_a_sheet_shares_nothing_with_the_interviewers_data(name: str) -> None:
    assert shared(raw(name), load(name).language) == set()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_text_taken_from_the_data_would_be_found(language: str) -> None:
    longest = max(written(language), key=lambda text: len(runs(text, language)))
    assert shared({"tell": longest}, language)
    some = next(text for text in written(language) if 3 < len(terms(text)) < 8)
    assert shared({"says": [some]}, language)


@pytest.mark.parametrize("module", NARRATING)
def test_narrators_know_nothing_of_the_interviewer(module: str) -> None:
    tree = ast.parse((HERE / f"{module}.py").read_text("utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or "", *(a.name for a in node.names)]
    }
    assert not [name for name in imported if name.startswith("lifeecho_server")]
    assert "bench.interview.spoken" not in imported
