"""The rolling summary: the people, places and years of what was told, found by rules.

Every entry is a piece of a turn, word for word, with the clause it was said in; nothing is
inferred.
"""

from collections.abc import Iterable, Mapping

from lifeecho_server.interview.bank import Bank, Patterns
from lifeecho_server.interview.markup import clean
from lifeecho_server.interview.recognise import clauses
from lifeecho_server.interview.situation import Fact, FactKind

_WORDS = 80  # characters of the clause that are kept with a fact
_A_TURN = 12  # facts of one kind that a single turn may add
_SHOWN: Mapping[FactKind, int] = {FactKind.PERSON: 12, FactKind.PLACE: 8, FactKind.YEAR: 8}


def facts_of(text: str, bank: Bank) -> tuple[Fact, ...]:
    """Return the people, places and years that a turn tells of, in the order of telling."""
    guide = bank.facts
    if guide is None:
        return ()
    kinds = (
        (FactKind.PERSON, guide.people),
        (FactKind.PLACE, guide.places),
        (FactKind.YEAR, guide.years),
    )
    parts = clauses(text, bank)
    return tuple(fact for kind, patterns in kinds for fact in _found(kind, patterns, parts))


def summary_lines(facts: Iterable[Fact], bank: Bank) -> tuple[str, ...]:
    """Return the summary as lines of a prompt, a heading before each kind; bounded.

    Each name stands once, with the words it was told in last.
    """
    guide = bank.facts
    if guide is None:
        return ()
    headings = {
        FactKind.PERSON: guide.people_heading,
        FactKind.PLACE: guide.places_heading,
        FactKind.YEAR: guide.years_heading,
    }
    latest = {(fact.kind, fact.name.casefold()): fact for fact in facts}
    lines: list[str] = []
    for kind, heading in headings.items():
        shown = [fact for fact in latest.values() if fact.kind is kind][-_SHOWN[kind] :]
        if shown:
            lines += [heading, *(f"- {clean(_line(fact))}" for fact in shown)]
    return tuple(lines)


def _found(kind: FactKind, patterns: Patterns, parts: Iterable[str]) -> list[Fact]:
    found: dict[str, Fact] = {}
    for part in parts:
        for pattern in patterns:
            for match in pattern.finditer(part):
                name = match.group("fact").strip()
                if name:
                    found.setdefault(name.casefold(), Fact(kind, name, part[:_WORDS]))
    return list(found.values())[:_A_TURN]


def _line(fact: Fact) -> str:
    return fact.words if fact.name == fact.words else f"{fact.name}: {fact.words}"
