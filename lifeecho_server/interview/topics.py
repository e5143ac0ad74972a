"""What the person will not talk about: topics that a refusal named, in the person's own words."""

from collections.abc import Iterable

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.recognise import length


def refused_topics(text: str, bank: Bank) -> tuple[str, ...]:
    """Return what a refusal names ("the war" is ``war``); nothing where it names nothing."""
    found = (
        match.group("topic").strip().casefold()
        for pattern in bank.recognise.refused_topic
        for match in pattern.finditer(text)
    )
    return tuple(dict.fromkeys(topic for topic in found if topic))


def touches(text: str, topics: Iterable[str], bank: Bank) -> bool:
    """Whether a text speaks of one of the topics."""
    folded = text.casefold()
    return any(_speaks_of(folded, topic, bank) for topic in topics)


def brought_up(text: str, topics: Iterable[str], bank: Bank) -> tuple[str, ...]:
    """Return the refused topics that the person speaks of again, telling a story of them."""
    if length(text, bank) < bank.measure.ample:
        return ()
    folded = text.casefold()
    return tuple(topic for topic in topics if _speaks_of(folded, topic, bank))


def _speaks_of(folded: str, topic: str, bank: Bank) -> bool:
    if not bank.spaced:
        return topic in folded
    return f" {topic} " in f" {' '.join(bank.measure.token.findall(folded))} "
