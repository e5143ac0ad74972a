"""The numbers that a text tells, in figures or in words, for the judge."""

import re
from collections.abc import Iterator

_FIGURES = re.compile(r"\d+")
_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {word: value for value, word in enumerate(_UNITS)} | {
    word: 10 * place for place, word in enumerate(_TENS, 2)
}
_SPELT = re.compile(
    rf"\b(?:(?:{'|'.join(_VALUES)}|hundred|oh|aught|ought)(?:[\s-]+(?:and\s+)?|\b))+", re.I
)
_HAN_DIGITS = {each: value for value, each in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
}
_HAN = re.compile(r"[〇零一二两三四五六七八九十百]+")
_REPUBLIC = re.compile(r"民国([〇零一二三四五六七八九十]+)年")
_REPUBLIC_BEGAN = 1911
_SMALL = 12
"""Up to here a number in words may be a manner of speaking: "one thing", 一个."""


def numbers(text: str) -> set[int]:
    """Return every number of a text; a year of two figures is also one of the last century."""
    found = {int(one) for one in _FIGURES.findall(text)}
    found |= {value for run in _spelt(text) for value in (*run, *_year(run))}
    found |= {value for run in _HAN.findall(text) for value in _han(run)}
    found |= {_REPUBLIC_BEGAN + v for run in _REPUBLIC.findall(text) for v in _han(run)}
    return found | {1900 + value for value in found if 10 <= value < 100}


def claimed(text: str) -> list[int]:
    """Return the numbers that a text asserts: all in figures, in words only the greater ones."""
    found = [int(one) for one in _FIGURES.findall(text)]
    spoken = [value for run in _spelt(text) for value in (_year(run) or run)]
    found += [value for value in spoken if value > _SMALL]
    spelt = [max(_han(run), default=0) for run in _HAN.findall(text) if len(run) > 1]
    return found + [value for value in spelt if value > _SMALL and value % 100]


def _spelt(text: str) -> Iterator[list[int]]:
    """Read number words that stand in a row: "nineteen fifty-eight" is 19, 58."""
    for run in _SPELT.findall(text):
        pieces: list[int] = []
        for word in re.split(r"[\s-]+", run.casefold()):
            if word == "hundred" and pieces:
                pieces[-1] *= 100
            elif word in _VALUES or word in ("oh", "aught", "ought"):
                value = _VALUES.get(word, 0)
                joins = bool(pieces) and pieces[-1] % 10 == 0 and pieces[-1] > 10 and value < 10
                joins = joins or (bool(pieces) and pieces[-1] >= 100 and pieces[-1] % 100 == 0)
                if joins:
                    pieces[-1] += value
                else:
                    pieces.append(value)
        yield pieces


def _year(run: list[int]) -> list[int]:
    """Return the year that such numbers are, if they are one."""
    return [100 * run[0] + sum(run[1:])] if len(run) > 1 and 18 <= run[0] <= 20 else []


def _han(run: str) -> list[int]:
    """Read Chinese numerals, by place and by figures."""
    if "十" not in run and "百" not in run:
        return [int("".join(str(_HAN_DIGITS[each]) for each in run))]
    value, digit = 0, 0
    for each in run:
        if each in "十百":
            value += (digit or 1) * (10 if each == "十" else 100)
            digit = 0
        else:
            digit = _HAN_DIGITS[each]
    return [value + digit]
