"""A sentence as it is to be read aloud: what has no sound left out, years in words, by language.

Pure. Nothing is read that a person would not read: no markup, no addresses, no pictures.
"""

import re
import unicodedata
from dataclasses import dataclass

from lifeecho_server.interview.markup import clean

CHINESE = "zh"
ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one language, ``zh`` or ``en``."""

    text: str
    language: str


_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,80}>")
_BULLET = re.compile(r"^[ \t]*[-+•·*#>]+[ \t]+", re.MULTILINE)
_SOUNDLESS = frozenset("*_#`~|\\^{}[]<>@=/+")
_WIDE = {wide: chr(wide - 0xFEE0) for wide in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B),
                                               *range(0xFF41, 0xFF5B))}  # fmt: skip
"""Full-width letters and digits, and the ordinary ones that are read."""

_HAN = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORDS = re.compile(rf"[{_HAN}〇]+|[^\W\d_{_HAN}〇]+|[^{_HAN}〇A-Za-z]")


def runs(text: str, language: str) -> tuple[Run, ...]:
    """Cut a sentence of somebody who speaks ``language`` (BCP 47) into stretches of one language.

    Figures belong to the word they count: to Hanzi that follow, else to what came before. Empty
    when there is nothing to read.
    """
    base = CHINESE if is_chinese(language) else ENGLISH
    joined: list[Run] = []
    for word, spoken in _by_language(audible(text), base):
        if joined and joined[-1].language == spoken:
            joined[-1] = Run(joined[-1].text + word, spoken)
        else:
            joined.append(Run(word, spoken))
    read = (Run(_in_words(run), run.language) for run in joined)
    return tuple(run for run in read if any(map(str.isalnum, run.text)))


def is_chinese(language: str) -> bool:
    """Whether a language (BCP 47) is written in Hanzi."""
    return language.lower().partition("-")[0] in ("zh", "yue", "cmn")


def audible(text: str) -> str:
    """Return a text without markup, addresses, pictures and what cannot be seen."""
    text = unicodedata.normalize("NFC", clean(text))
    text = _ADDRESS.sub(" ", _LINK.sub(r"\1", text))
    text = _BULLET.sub("", _TAG.sub(" ", text)).translate(_WIDE)
    return " ".join("".join(map(_heard, text)).split())


def _heard(character: str) -> str:
    """A character that is read, or the space or the nothing in its place."""
    if character in _SOUNDLESS:
        return " "
    match unicodedata.category(character):
        case "Cc" | "Zl" | "Zp" | "Zs":
            return " "
        case "Cf" | "Cn" | "Co" | "Cs" | "Me" | "Sk" | "So":
            return ""
        case "Mn" if unicodedata.name(character, "").startswith("VARIATION"):
            return ""
        case _:
            return character


def _by_language(text: str, base: str) -> list[tuple[str, str]]:
    words = _WORDS.findall(text)
    kinds = [_language_of(word) for word in words]
    found: list[tuple[str, str]] = []
    for place, word in enumerate(words):
        spoken = kinds[place]
        if spoken is None:
            before = found[-1][1] if found else None
            spoken = _of_the_neutral(word, before, _next(kinds, place)) or base
        found.append((word, spoken))
    return found


def _next(kinds: list[str | None], place: int) -> str | None:
    return next((kind for kind in kinds[place:] if kind is not None), None)


def _of_the_neutral(word: str, before: str | None, after: str | None) -> str | None:
    if word.isdigit() and after == CHINESE:
        return CHINESE
    return before or after


def _language_of(word: str) -> str | None:
    """The language of a word by its first letter; None for digits and marks."""
    if not word[0].isalpha() and word[0] != "〇":
        return None
    return CHINESE if re.match(f"[{_HAN}〇]", word) else ENGLISH


_CHINESE_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
_CHINESE_YEAR = re.compile(r"(?<![\d.,])[12]\d{3}(?=\s*(?:年|[至到]\s*[12]\d{3}\s*年))")
_CHINESE_RANGE = re.compile(r"(?<=\d)\s*[-–—~～]\s*(?=\d+\s*年)")
_CHINESE_MARKS = str.maketrans(",;:?!", "，；：？！")
_ASCII_MARKS = re.compile(rf"(?<=[{_HAN}])[,;:?!]")


def _in_words(run: Run) -> str:
    text = run.text.strip()
    return _chinese(text) if run.language == CHINESE else _english(text)


def _chinese(text: str) -> str:
    """Years digit by digit; half-width marks, at which espeak-ng makes no pause, in full width."""
    text = _CHINESE_RANGE.sub("到", text.replace("〇", "零"))
    text = _CHINESE_YEAR.sub(lambda year: year[0].translate(_CHINESE_DIGITS), text)
    return _ASCII_MARKS.sub(lambda mark: mark[0].translate(_CHINESE_MARKS), text)


_ENGLISH_YEAR = re.compile(r"(?<![\w.,$£€¥-])(1[1-9]|20)(\d\d)(s?)(?![\w%]|[.,:]\d)")
_ENGLISH_RANGE = re.compile(r"(?<=\b\d{4})\s*[-–—]\s*(?=(?:\d\d){1,2}\b)")
_ENGLISH_MARKS = str.maketrans("，。；：？！（）", ",.;:?!()")
_ONES = (
    "", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def _english(text: str) -> str:
    """Years as people say them: nineteen fifty-eight, nineteen oh five, the nineteen fifties."""
    text = _ENGLISH_RANGE.sub(" to ", text.translate(_ENGLISH_MARKS))
    return _ENGLISH_YEAR.sub(_english_year, text)


def _english_year(year: re.Match[str]) -> str:
    century, rest, plural = int(year[1]), int(year[2]), year[3]
    if century == 20 and rest < 10:
        words = "two thousand" + (f" and {_ONES[rest]}" if rest else "")
    else:
        words = f"{_below_hundred(century)} {_second_half(rest)}"
    return _plural(words) if plural else words


def _second_half(rest: int) -> str:
    if rest == 0:
        return "hundred"
    return f"oh {_ONES[rest]}" if rest < 10 else _below_hundred(rest)


def _below_hundred(number: int) -> str:
    if number < len(_ONES):
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return f"{_TENS[tens]}-{_ONES[ones]}" if ones else _TENS[tens]


def _plural(words: str) -> str:
    return f"{words[:-1]}ies" if words.endswith("ty") else f"{words}s"
