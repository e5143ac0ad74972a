"""Understanding what a person tells about themselves, without a model.

Nothing is invented: a name, a place or an occupation is a piece of what was said, a birth year is a
number that was said, or follows from an age that was said.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from lifeecho_server.interview.bank import Bank, FieldGuide, Patterns
from lifeecho_server.interview.numerals import figures
from lifeecho_server.interview.recognise import TITLES
from lifeecho_server.interview.situation import Profile

_SENTENCE_END = re.compile(rf"{TITLES}\.+|[。!！?？;；\n]+")
_CLAUSE_END = re.compile(rf"{TITLES}\.+|[,，。!！?？;；\n]+")
_MINGUO = 1911  # 民国元年 is 1912
_OLDEST, _YOUNGEST = 115, 18  # ages between which a birth year is believed
_AGES = frozenset({"age", "next", "nominal"})  # readings that reckon from an age
_ELDER = 55  # from this age on, a bare two-digit number is read as this person's age or year


def understand(
    text: str, asked: str | None, profile: Profile, now: datetime, bank: Bank, *, insist: bool
) -> dict[str, str | int]:
    """Return the profile fields that an answer tells, beyond what ``profile`` holds.

    ``asked`` is the field that the last question was about; only there is a bare answer enough.
    With ``insist`` (asked a second time) a bare number that could be a year or an age is a year.
    """
    told: dict[str, str | int] = {}
    for field in profile.missing:
        value = _value(field, text, now, bank, bare=field == asked, insist=insist)
        if value is not None:
            told[field] = value
    if "grew_up_place" in profile.missing and "grew_up_place" not in told:
        told.update(_same_place(text, asked, told, profile, bank))
    return told


def follows_from_age(text: str, asked: str | None, year: int, bank: Bank) -> bool:
    """Whether a birth year was reckoned from an age, so that it may be a year off.

    The animal of the Chinese year, where it was named, settles it.
    """
    guide, said = bank.profile["birth_year"], figures(text, bank.numerals)
    patterns = guide.strong + guide.weak if asked == "birth_year" else guide.strong
    if _of_animal(text, year, bank):
        return False
    kinds = {
        kind: int(number)
        for pattern in patterns
        for found in pattern.finditer(said)
        for kind, number in found.groupdict().items()
        if number is not None and number.isdecimal()
    }
    told_so = kinds.get("year") == year or 1900 + kinds.get("short", 0) == year
    as_age = "number" in kinds and 1900 + kinds["number"] != year
    return not told_so and "minguo" not in kinds and (as_age or bool(kinds.keys() & _AGES))


def by_animal(text: str, year: int, bank: Bank) -> int:
    """Return the birth year next to a reckoned one that the named animal points to, if one does."""
    near = (year, year + 1, year - 1)
    return next((one for one in near if _of_animal(text, one, bank)), year)


def _of_animal(text: str, year: int, bank: Bank) -> bool:
    return any(word in text and year % 12 == rest for word, rest in bank.zodiac.items())


def _value(
    field: str, text: str, now: datetime, bank: Bank, *, bare: bool, insist: bool
) -> str | int | None:
    guide = bank.profile[field]
    if field == "birth_year":
        return _birth_year(figures(text, bank.numerals), guide, now, bare=bare, insist=insist)
    strong = next(_words_found(text, guide.strong, guide), None)
    if strong is not None or not bare:
        return strong
    return next(_bare_words(text, guide, bank), None)


def _words_found(text: str, patterns: Patterns, guide: FieldGuide) -> Iterator[str]:
    for pattern in patterns:
        for found in pattern.finditer(text):
            value = found.group("value").strip()
            if value and not guide.stop.fullmatch(value):
                yield value


def _bare_words(text: str, guide: FieldGuide, bank: Bank) -> Iterator[str]:
    """Look for a bare answer in the first few pieces that are no yes, greeting or shrug.

    A whole sentence is tried before its clauses: "Birmingham, Alabama" is one place.
    """
    recognise = bank.recognise
    noise = (recognise.assent, recognise.greeting, recognise.unknown)
    sentences = [one for one in _SENTENCE_END.split(text) if one.strip()][:2]
    for piece in (part for one in sentences for part in (one, *_CLAUSE_END.split(one)[:3])):
        said = piece.strip()
        if said and not any(pattern.fullmatch(said) for pattern in noise):
            yield from _words_found(said, guide.weak, guide)


def _same_place(
    text: str, asked: str | None, told: Mapping[str, str | int], profile: Profile, bank: Bank
) -> dict[str, str | int]:
    """Read "there too" as the birth place, where that is known."""
    place = told.get("birth_place", profile.birth_place)
    patterns = bank.profile["grew_up_place"].same
    loose = patterns if asked == "grew_up_place" else patterns[1:]
    if place is None or not any(pattern.search(text.strip()) for pattern in loose):
        return {}
    return {"grew_up_place": place}


def _birth_year(
    text: str, guide: FieldGuide, now: datetime, *, bare: bool, insist: bool
) -> int | None:
    patterns = guide.strong + guide.weak if bare else guide.strong
    for pattern in patterns:
        for found in pattern.finditer(text):
            years = [
                year
                for kind, number in found.groupdict().items()
                if number is not None
                for year in _years(kind, number, now, insist)
                if now.year - _OLDEST <= year <= now.year - _YOUNGEST
            ]
            if len(years) == 1:
                return years[0]
    return None


def _years(kind: str, number: str, now: datetime, insist: bool) -> list[int]:
    """Return the birth years that a number can mean; several when it is unclear."""
    if kind == "minguo":
        return [_MINGUO + (int(number) if number.isdecimal() else 1)]
    value = int(number)
    readings = {
        "year": [value],
        "short": [1900 + value],
        "age": [now.year - value],
        "next": [now.year - value, now.year + 1 - value],
        "nominal": [now.year - value + 1],  # 虚岁: one at birth
    }
    return readings.get(kind) or _bare_number(value, now, insist)


def _bare_number(value: int, now: datetime, insist: bool) -> list[int]:
    """Read a bare "forty-three" or "eighty-two": whichever of year and age makes an elder."""
    as_year, as_age = 1900 + value, now.year - value
    elder = [year for year in (as_year, as_age) if _ELDER <= now.year - year <= _OLDEST]
    return [as_year] if insist and as_year in elder else elder
