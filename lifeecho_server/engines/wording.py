"""The wording of a transcript: pieces joined, loops collapsed, a prompt cut from the end."""

import re
from collections.abc import Iterable

_CHINESE = re.compile(r"[⺀-鿿豈-﫿︰-﹏＀-￯]")
_ENDS_CHINESE = re.compile(_CHINESE.pattern + r"\Z")

# Five of the same in a row is a loop of the decoder: people say "no, no, no, no". What repeats
# must hold a letter, or "1,000,000,000" would lose its noughts.
_LOOP = re.compile(r"(?P<unit>\S.{0,59}?)(?P<again>(?:[\s,.，。、]*(?P=unit)){4,})")
_LETTER = re.compile(r"[^\W\d_]")


def joined(pieces: Iterable[str]) -> str:
    """Join pieces of text: with a space, but without one on either side of Chinese."""
    text = ""
    for piece in (piece.strip() for piece in pieces):
        seamless = not text or _ENDS_CHINESE.search(text) or _CHINESE.match(piece)
        if piece:
            text += piece if seamless else " " + piece
    return text


def without_loops(text: str) -> str:
    """Leave one of what a decoder in a loop repeats five times or more."""
    return _LOOP.sub(_once, text)


def _once(loop: re.Match[str]) -> str:
    return loop["unit"] if _LETTER.search(loop["unit"]) else loop[0]


def last_words(text: str, characters: int) -> str:
    """Return at most the last ``characters`` of ``text``, not beginning inside a word."""
    if len(text) <= characters:
        return text
    tail = text[-characters:]
    if text[-characters - 1].isspace() or _CHINESE.match(tail):
        return tail.lstrip()
    return tail.partition(" ")[2] or ""


def first_fitting(words: Iterable[str], characters: int) -> str:
    """List the first of ``words`` that together take at most ``characters``, with commas."""
    text = ""
    for word in words:
        longer = f"{text}, {word}" if text else word
        if len(longer) > characters:
            break
        text = longer
    return text
