"""The interviewer's own texts, as the judge and the test of separateness read them.

Nothing that narrates may import this: it is the one place where the two sides meet.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

DATA = "lifeecho_server.interview.data"

UNSPOKEN = frozenset({
    *("recognise", "detail", "guard", "numerals", "measure", "facts", "prompt", "words"),
    *("occupation", "mentions", "places", "strong", "weak", "stop", "same", "piece", "id"),
    *("language", "script", "label", "chip", "slot", "voices", "swap"),
})  # fmt: skip
"""Keys of the data files under which nothing stands that is said aloud."""

_LITERAL = re.compile(r"[\u4e00-\u9fff]+|[A-Za-z'’]+(?: [A-Za-z'’]+)+")


@cache
def spoken(language: str) -> tuple[str, ...]:
    """Return every text that the interviewer may say, placeholders as they stand."""
    return tuple(_texts(_data(language), UNSPOKEN))


@cache
def written(language: str) -> tuple[str, ...]:
    """Return every text of the data file, patterns and words included."""
    return tuple(_texts(_data(language), frozenset()))


@cache
def event_years(language: str) -> tuple[int, ...]:
    """Return the years of the public events that the interviewer knows."""
    events = _data(language).get("events", [])
    return tuple(year for event in events for year in event["years"])


def literals(pattern: str) -> list[str]:
    """Return the stretches of a pattern that are plain words."""
    return _LITERAL.findall(pattern)


def _data(language: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(DATA).joinpath(f"{language}.toml").read_text("utf-8"))


def _texts(value: Any, without: frozenset[str]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, without)
    elif isinstance(value, dict):
        for key, each in value.items():
            # A voice's occupation is a list of patterns, the profile's a table with questions.
            # Background voices are tables with words of their own, those of a variant are names.
            own = key == "occupation" and isinstance(each, dict)
            own = own or (key == "voices" and each and isinstance(each[0], dict))
            if key not in without or own:
                yield from _texts(each, without)
