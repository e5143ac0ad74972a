"""The simulated narrators: sane, and of another hand than the interviewer's data."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.interview import narrator
from bench.interview.sheet import INTRODUCTIONS, Manner, load, names
from bench.interview.spoken import literals, spoken, written

HERE = Path(narrator.__file__).parent
NARRATING = ("narrator", "ear", "likeness", "manners", "sheet")
SHARED = {"en": 5, "zh": 9}
"""Words or characters in a row that two hands do not write by chance."""
WHOLE = {"en": 3, "zh": 5}
"""Words or characters from which a text must not be one of the interviewer's."""
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


def units(text: str, language: str) -> list[str]:
    """The words of an English text, the characters of a Chinese one; punctuation is nothing."""
    folded = text.casefold()
    return re.findall(r"[\w'’]+", folded) if language == "en" else re.findall(r"\w", folded)


def runs(text: str, language: str) -> set[str]:
    """Every stretch of so many words or characters."""
    found, size = units(text, language), SHARED[language]
    return {" ".join(found[i : i + size]) for i in range(len(found) - size + 1)}


def theirs(language: str) -> list[str]:
    """What the interviewer may say, and what the patterns of their data hold of plain words."""
    plain = [piece for text in written(language) for piece in literals(text)]
    return [*spoken(language), *plain]


def shared(sheet: dict[str, Any], language: str) -> set[str]:
    """What a sheet has in common with the interviewer's data."""
    every = [(text, units(text, language)) for text in theirs(language)]
    stretches = {run for text, _ in every for run in runs(text, language)}
    whole = {tuple(found) for _, found in every if len(found) >= WHOLE[language]}
    own = list(texts(sheet))
    return {run for text in own for run in runs(text, language) & stretches} | {
        text for text in own if tuple(units(text, language)) in whole
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
    assert all(len(fact.asks) >= 3 for fact in sheet.facts)
    assert set(sheet.profile) == {
        *("nickname", "birth_year", "birth_place", "grew_up_place", "occupation"),
    }
    assert bool(sheet.taboos) == (sheet.manner is Manner.REFUSING)


@pytest.mark.parametrize("name", names())
def test_a_sheet_shares_nothing_with_the_interviewers_data(name: str) -> None:
    assert shared(raw(name), load(name).language) == set()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_how_people_are_asked_who_they_are_is_their_own_too(language: str) -> None:
    every = tomllib.loads(INTRODUCTIONS.read_text("utf-8"))
    assert shared(every[language], language) == set()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_text_taken_from_the_data_would_be_found(language: str) -> None:
    longest = max(spoken(language), key=lambda text: len(runs(text, language)))
    assert shared({"tell": f"So {longest} and so on"}, language)
    short = next(t for t in spoken(language) if WHOLE[language] <= len(units(t, language)) < 6)
    assert shared({"says": [short]}, language)
    pattern = max((p for t in written(language) for p in literals(t)), key=len)
    assert shared({"facts": [{"asks": [pattern]}]}, language)


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
