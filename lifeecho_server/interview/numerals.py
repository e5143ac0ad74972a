"""Numbers said in words become figures: 一九四三年, 八十二, nineteen forty-three, eighty-two."""

import re

from lifeecho_server.interview.bank import Numerals


def figures(text: str, numerals: Numerals) -> str:
    """Return ``text`` with its number words as figures; what is no clear number stays as it is."""
    if numerals.style == "positional":
        return _positional(text, numerals)
    return _spoken(text, numerals)


def _positional(text: str, numerals: Numerals) -> str:
    return numerals.run.sub(lambda run: _characters(run.group(), numerals), text)


def _characters(run: str, numerals: Numerals) -> str:
    """Read digits one by one (四三 → 43), or by place where a multiplier is among them."""
    if all(character in numerals.digits for character in run):
        return "".join(str(numerals.digits[character]) for character in run)
    total, digit, after_digit = 0, 0, False
    for character in run:
        if character in numerals.multipliers:
            total += (digit or 1) * numerals.multipliers[character]
            digit, after_digit = 0, False
        elif character in numerals.tens:
            total += numerals.tens[character]
        else:
            value = numerals.digits[character]
            if after_digit and value:
                return run  # 三四十: "thirty or forty" is no number
            digit, after_digit = value, value > 0
    return str(total + digit)


def _spoken(text: str, numerals: Numerals) -> str:
    small = text.lower()
    if len(small) != len(text):  # a letter that is two in small ones
        small = text
    pieces, start = [], 0
    for run in numerals.run.finditer(small):
        pieces += [text[start : run.start()], _words(run.group(), numerals)]
        start = run.end()
    return "".join((*pieces, text[start:]))


def _words(run: str, numerals: Numerals) -> str:
    """Read a run of number words: groups below a hundred, joined when they make a year."""
    groups: list[int] = []
    open_tens = False
    for word in re.split(r"[\s-]+", run):
        if word in numerals.joiners:
            continue
        if word in numerals.multipliers:
            scaled = (groups.pop() if groups else 1) * numerals.multipliers[word]
            groups.append(scaled)
            open_tens = False
            continue
        value = numerals.digits.get(word, numerals.tens.get(word, 0))
        if groups and (_fits(groups[-1], value) or (open_tens and 0 < value < 10)):
            groups[-1] += value
        else:
            groups.append(value)
        open_tens = word in numerals.tens
    return _joined(groups)


def _fits(group: int, value: int) -> bool:
    return group >= 100 and group % 100 == 0 and value < 100


def _joined(groups: list[int]) -> str:
    if len(groups) == 2 and 18 <= groups[0] <= 20 and 10 <= groups[1] <= 99:
        return str(groups[0] * 100 + groups[1])
    if len(groups) == 3 and 18 <= groups[0] <= 20 and groups[1] == 0:  # nineteen oh five
        return str(groups[0] * 100 + groups[2])
    return " ".join(map(str, groups))
