"""Whether a sentence asks."""

from lifeecho_server.interview.bank import Bank, Patterns


def asks(text: str, bank: Bank) -> bool:
    """Whether a sentence asks something, with its mark or without one."""
    return bank.guard.question.search(text) is not None or found(bank.guard.asks, text)


def found(patterns: Patterns, text: str) -> bool:
    """Whether one of the patterns is found in a text."""
    return any(pattern.search(text) for pattern in patterns)
