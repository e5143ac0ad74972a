"""Whether a sentence says something that nobody told: names, numbers, relations, events."""

import re
from collections.abc import Iterator

from lifeecho_server.interview.asking import asks
from lifeecho_server.interview.bank import Bank, Pattern, Patterns
from lifeecho_server.interview.evidence import Evidence, numbers_in
from lifeecho_server.interview.letters import plain, words_of
from lifeecho_server.interview.numerals import figures

_QUOTED = re.compile(r"[“\"「『《]([^”\"」』》]+)[”\"」』》]")
_QUOTED_LEAST = 4  # characters from which words in quotation marks must have been said


def invented(text: str, told: Evidence, bank: Bank) -> bool:
    """Whether a sentence names, counts, quotes or asserts something that nobody told."""
    return (
        any(plain(said) not in told.letters for said in _quotes(text))
        or _strange_number(text, told, bank)
        or any(not _is_told(name, told, bank) for name in _names(text, bank.guard.name, bank))
        or _strange_name(text, told, bank)
        or any(
            not (_is_ordinary(name, bank) or _is_told(name, told, bank))
            for name in _names(text, bank.guard.name_likely, bank)
        )
        or _strange_kin(text, told, bank)
        or _strange_claim(text, told, bank)
    )


def _quotes(text: str) -> list[str]:
    return [said for said in _QUOTED.findall(text) if len(said) >= _QUOTED_LEAST]


def _names(text: str, patterns: Patterns, bank: Bank) -> Iterator[str]:
    for pattern in patterns:
        for found in pattern.finditer(text):
            name = found[1] if pattern.groups else found.group()
            if not bank.guard.name_free.fullmatch(name):
                yield name


def _strange_name(text: str, told: Evidence, bank: Bank) -> bool:
    """Whether there is a name that is one however it is written: "margaret"."""
    names = (word.partition("'")[0] for word in words_of(text)) if bank.names else ()
    return any(name in bank.names and not _is_word(name, told) for name in names)


def _is_told(name: str, told: Evidence, bank: Bank) -> bool:
    """Whether a name was said: every word of it, where words are apart."""
    if not bank.spaced:
        by = bank.guard.named_by.replace("{name}", name[:1])
        return plain(name) in told.letters or bool(by and by in told.letters)
    free = bank.guard.name_free
    return all(_is_word(word, told) for word in words_of(name) if not free.fullmatch(word))


def _is_word(word: str, told: Evidence) -> bool:
    """Whether a word was said, in itself or in the plural, whoever it belongs to."""
    stem = word.partition("'")[0]
    forms = {word, stem, f"{stem}s", stem.removesuffix("s"), stem.removesuffix("es")}
    return any(map(told.has_word, forms))


def _is_ordinary(name: str, bank: Bank) -> bool:
    """Whether what looks like a name is a word of the language's own texts."""
    if not bank.spaced:
        return name in bank.texts
    return {word.partition("'")[0] for word in words_of(name)} <= bank.vocabulary


def _strange_number(text: str, told: Evidence, bank: Bank) -> bool:
    guard = bank.guard
    words = set(words_of(text))
    if any(word in words and ten not in told.decades for word, ten in guard.vague_words.items()):
        return True
    written = figures(text, bank.numerals)
    if guard.vague is not None:
        tens = [int(found["ten"]) % 100 // 10 * 10 for found in guard.vague.finditer(written)]
        if any(ten not in told.decades for ten in tens):
            return True
        written = guard.vague.sub(" ", written)
    spans = [] if guard.span is None else _matched((guard.span,), written)
    return any(
        not told.has_number(number) and not (number in spans and number in told.reckoned)
        for number in _matched((guard.number,), written)
    )


def _matched(patterns: Patterns, text: str) -> list[int]:
    found = [match.group() for one in patterns for match in one.finditer(text)]
    return numbers_in(" ".join(found))


def _strange_kin(text: str, told: Evidence, bank: Bank) -> bool:
    """Whether somebody is spoken of whom nobody told of; parents may be asked about."""
    said = _without(bank.guard.kin_free, text.casefold())
    asking = asks(text, bank)
    named = [
        key
        for key, kin in bank.guard.kin.items()
        if not (kin.anybody and asking) and kin.words.count(said)
    ]
    return any(not _is_kin_told(key, told, bank) for key in named)


def _is_kin_told(key: str, told: Evidence, bank: Bank) -> bool:
    """Whether somebody said a word that tells of a relation, and not that there is none."""
    kin = [bank.guard.kin[one] for one in (key, *bank.guard.kin[key].also)]
    return any(
        words.count(_without(bank.guard.kin_denied, text))
        for one in kin
        for words in (one.words, one.told)
        if words is not None
        for text in told.mentions(words)
    )


def _without(pattern: Pattern | None, text: str) -> str:
    return text if pattern is None else pattern.sub(" ", text)


def _strange_claim(text: str, told: Evidence, bank: Bank) -> bool:
    """Whether something that happens in a life is spoken of, and nobody told of such a thing."""
    guard = bank.guard
    if guard.claim_free is not None and guard.claim_free.search(text):
        return False
    claimed = [one for one in guard.claims if one.said.search(text)]
    return any(not one.tells.search(told.confirmed) for one in claimed)
