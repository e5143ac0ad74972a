"""Concrete details of what was just told, in the person's own words."""

from dataclasses import dataclass
from enum import StrEnum

from lifeecho_server.interview.bank import Bank, Patterns
from lifeecho_server.interview.recognise import sentences_in


class DetailKind(StrEnum):
    """What a detail is about; each has wordings of its own."""

    PERSON = "person"
    THING = "thing"
    FEELING = "feeling"


@dataclass(frozen=True, slots=True)
class Quoted:
    """The person's own word or short phrase; "my" has become "your" at its start."""

    kind: DetailKind
    text: str


def detail_of(text: str, bank: Bank, said: str = "") -> Quoted | None:
    """Return the last thing told that can be said back, else the last person, else ``None``.

    What is in ``said`` (the interviewer's words so far) was taken up before and is passed over.
    """
    found = details_of(text, bank, said)
    return found.get(DetailKind.THING) or found.get(DetailKind.PERSON)


def details_of(text: str, bank: Bank, said: str = "") -> dict[DetailKind, Quoted]:
    """Return of each kind the last detail that can be said back; see ``detail_of``."""
    kinds = (
        (DetailKind.FEELING, bank.detail.feeling),
        (DetailKind.PERSON, bank.detail.person),
        (DetailKind.THING, bank.detail.thing),
    )
    found: dict[DetailKind, Quoted] = {}
    before = said.casefold()
    for sentence in reversed(sentences_in(text)):
        for kind, patterns in kinds:
            quote = None if kind in found else _last(sentence, patterns, kind, bank, before)
            if quote:
                found[kind] = Quoted(kind, quote)
        if len(found) == len(kinds):
            break
    return found


def _last(text: str, patterns: Patterns, kind: DetailKind, bank: Bank, said: str) -> str | None:
    found = [match for pattern in patterns for match in pattern.finditer(text)]
    found.sort(key=lambda match: (match.end("quote"), len(match.group("quote"))), reverse=True)
    for match in found:
        quote = match.group("quote").strip()
        spoken = _to_second_person(quote, bank)
        stopped = kind is DetailKind.THING and bank.detail.stop.fullmatch(quote)
        if not stopped and spoken.casefold() not in said:
            return spoken
    return None


def _to_second_person(quote: str, bank: Bank) -> str:
    for first, second in bank.detail.swap.items():
        if quote.casefold().startswith(first.casefold()):
            return second + quote[len(first) :]
    return quote
