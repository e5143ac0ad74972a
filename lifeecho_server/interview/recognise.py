"""What a person means besides telling: commands, grief, danger, a yes, an "I don't remember"."""

import re
from enum import StrEnum
from functools import lru_cache

from lifeecho_server.interview.bank import Bank, Pattern, Patterns

TITLES = r"(?<!\bSt)(?<!\bMr)(?<!\bDr)(?<!\bMs)(?<!\bMrs)"
"""What stands before a point that ends nothing."""
_SENTENCE_END = re.compile(rf"{TITLES}\.+(?=\s|$)|[。!?！？\n]+")
_LONGEST_WISH = 120  # characters of a clause; a longer one is a story
_SHORT = 3  # clauses among which a wish may stand anywhere
_FEW_WORDS = 10  # and words (characters) of three clauses that tell nothing besides
_FEW_CLAUSES = 2  # up to here an utterance is nothing but the command


class Command(StrEnum):
    """A wish about the conversation itself, in the order in which they are looked for."""

    KEEP_OUT = "keep_out"
    END = "end"
    DECLINE = "decline"
    CHANGE_TOPIC = "change_topic"
    SLOWER = "slower"
    REPEAT = "repeat"


class Danger(StrEnum):
    """A danger that a real person has to see to, the most urgent first."""

    EMERGENCY = "emergency"
    SELF_HARM = "self_harm"
    ABUSE = "abuse"


def clauses(text: str, bank: Bank) -> list[str]:
    """Split an utterance at its punctuation; no clause is blank."""
    return list(_split(text, bank.recognise.clause))


def sentences_in(text: str) -> list[str]:
    """Split what was said at the ends of its sentences; none is blank."""
    return [one.strip() for one in _SENTENCE_END.split(text) if one.strip()]


def length(text: str, bank: Bank) -> int:
    """Return how long an answer is, in the language's own units (characters, words)."""
    return len(bank.measure.token.findall(text))


def command_of(text: str, bank: Bank) -> Command | None:
    """Return the command an utterance holds, if it holds one."""
    parts = clauses(text, bank)
    return next((command for command in Command if _commanded(command, parts, bank)), None)


def without_command(text: str, command: Command, bank: Bank) -> str:
    """Return what an utterance tells besides the command."""
    patterns = _patterns(command, bank, alone=True)
    kept = [part for part in clauses(text, bank) if not _matches(part, patterns, bank)]
    return "\n".join(kept)


def danger_in(text: str, bank: Bank) -> Danger | None:
    """Return the danger that the words speak of, unless they tell of long ago."""
    for sentence in sentences_in(text):
        past = bank.recognise.past.search(sentence) and not bank.recognise.present.search(sentence)
        if past:
            continue
        for danger in Danger:
            if any(pattern.search(sentence) for pattern in bank.recognise.danger[danger.value]):
                return danger
    return None


def grieves(text: str, bank: Bank) -> bool:
    """Whether the words tell of a death, or of a sorrow that is felt now."""
    return _in_a_sentence(text, bank.recognise.grief)


def suffered(text: str, bank: Bank) -> bool:
    """Whether the words tell of hunger, blows, fear or the like: not to be dug into."""
    return _in_a_sentence(text, bank.recognise.hardship)


def assents(text: str, bank: Bank) -> bool:
    """Whether the words are no more than a yes, a "go on" or a greeting."""
    recognise = bank.recognise
    return _only(text, (recognise.assent, recognise.greeting), bank)


def greets(text: str, bank: Bank) -> bool:
    """Whether the words are no more than a greeting."""
    return _only(text, (bank.recognise.greeting,), bank)


def knows_nothing(text: str, bank: Bank) -> bool:
    """Whether the words are no more than "I don't remember" or "there was none"."""
    patterns = (bank.recognise.unknown, bank.recognise.assent)
    said = clauses(text, bank)
    return _only(text, patterns, bank) and any(
        _matches(part, (bank.recognise.unknown,), bank) for part in said
    )


def says_told_already(text: str, bank: Bank) -> bool:
    """Whether the person says that they have told this before, and little else."""
    said = clauses(text, bank)
    return len(said) <= _SHORT and any(
        pattern.search(part) for pattern in bank.recognise.told_already for part in said
    )


def breaks_off(text: str, bank: Bank) -> bool:
    """Whether the words end in the middle of a story ("and then...")."""
    return any(pattern.search(text.rstrip()) for pattern in bank.recognise.unfinished)


def asks_who(text: str, bank: Bank) -> bool:
    """Whether the person asks whom they are talking to."""
    said = clauses(text, bank)
    return len(said) <= _FEW_CLAUSES and any(
        _matches(part, (bank.recognise.who,), bank) for part in said
    )


def _in_a_sentence(text: str, patterns: Patterns) -> bool:
    """Look sentence by sentence: one search of an hour's talk would keep everything waiting."""
    return any(pattern.search(one) for one in sentences_in(text) for pattern in patterns)


def _commanded(command: Command, parts: list[str], bank: Bank) -> bool:
    """A command stands at either end of an utterance; one about the book may stand anywhere."""
    anywhere = command is Command.KEEP_OUT or len(parts) <= _SHORT
    places = range(len(parts)) if anywhere else (0, len(parts) - 1)
    short = len(parts) <= _SHORT and sum(length(part, bank) for part in parts) <= _FEW_WORDS
    patterns = _patterns(command, bank, alone=short or len(parts) <= _FEW_CLAUSES)
    return any(
        _matches(parts[place], patterns, bank) and not _reported(place, parts, bank)
        for place in places
    )


def _reported(place: int, parts: list[str], bank: Bank) -> bool:
    """Whether a clause is what somebody in the story said ("..., said my father")."""
    reported = bank.recognise.reported
    beside = parts[max(0, place - 1) : place] + parts[place + 1 : place + 2]
    return reported is not None and any(reported.search(part) for part in beside)


def _patterns(command: Command, bank: Bank, *, alone: bool) -> Patterns:
    patterns = bank.recognise.commands[command.value]
    return patterns + bank.recognise.alone.get(command.value, ()) if alone else patterns


def _only(text: str, patterns: tuple[Pattern, ...], bank: Bank) -> bool:
    parts = clauses(text, bank)
    return bool(parts) and all(
        _matches(part, patterns, bank) or not _bare(part, bank) for part in parts
    )


def _matches(clause: str, patterns: Patterns, bank: Bank) -> bool:
    if len(clause) > _LONGEST_WISH:
        return False
    bare = _bare(clause, bank)
    return any(pattern.fullmatch(clause) or pattern.fullmatch(bare) for pattern in patterns)


def _bare(clause: str, bank: Bank) -> str:
    """Return a clause without the fillers at its ends; a long one is left as it is."""
    return clause if len(clause) > _LONGEST_WISH else _without(clause, bank.recognise.filler)


# One turn is looked at from many sides: what all of them begin with is done once.
@lru_cache(maxsize=32)
def _split(text: str, clause: Pattern) -> tuple[str, ...]:
    return tuple(part.strip() for part in clause.split(text) if part.strip())


@lru_cache(maxsize=128)
def _without(clause: str, filler: Pattern) -> str:
    return filler.sub("", clause).strip()
