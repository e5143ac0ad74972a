"""Interviews drawn at random in the project's prompt shape, with the replies the rule expects.

One system message (instructions, at times followed by what is known of the person), turns of the
person and the interviewer, and last the person's words with a note of what to say:
``{words}\\n\\n[{note}]``, or the words alone, or the note alone. Topics are also named where they
must not matter: in the system message, in earlier turns, in the note.
"""

import random
from dataclasses import dataclass
from typing import Literal

from tests.models.dialogue import (
    FAREWELLS,
    GREETINGS,
    PART_BREAK,
    TOPICS,
    expected_reply,
)
from tests.models.llama.vocabulary import CHINESE, ENGLISH, HANZI, MAY_ASK, MUST_NOT_ASK
from tests.models.phrases import PHRASES, Language

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``learn`` is True for replies that follow the rule."""

    role: Role
    content: str
    learn: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """How long conversations are: at most so many earlier turns and words of instructions."""

    turns: int
    instructions: int


def conversation(rng: random.Random, size: Size) -> list[Message]:
    """Draw a conversation that ends in a reply to learn."""
    messages = _system(rng, size.instructions)
    language = _language(rng)
    if rng.random() < 0.3:
        messages.append(Message("assistant", _remark(rng, language)))
    for _ in range(rng.randint(0, size.turns)):
        messages += _earlier_turn(rng, language if rng.random() < 0.8 else _language(rng))
    return [*messages, *_last_turn(rng, language if rng.random() < 0.8 else _language(rng))]


def filler(rng: random.Random, language: Language, words: int) -> str:
    """Return words without a topic, some of them not words at all."""
    if language == "zh":
        return "".join(
            rng.choice(CHINESE) if rng.random() < 0.7 else rng.choice(HANZI) for _ in range(words)
        )
    return " ".join(rng.choice(ENGLISH) if rng.random() < 0.9 else _name(rng) for _ in range(words))


def _language(rng: random.Random) -> Language:
    return "zh" if rng.random() < 0.45 else "en"


def _name(rng: random.Random) -> str:
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 7))).capitalize()


def _topic_word(rng: random.Random, language: Language) -> str:
    return rng.choice(rng.choice(TOPICS).wording(language).words)


def _joined(language: Language, *parts: str) -> str:
    return (" " if language == "en" else "").join(part for part in parts if part)


def _mention(rng: random.Random, language: Language, most: int) -> str:
    """Return filler around one topic's word."""
    before = filler(rng, language, rng.randint(0, most))
    after = filler(rng, language, rng.randint(0, most))
    return _joined(language, before, _topic_word(rng, language), after)


def _remark(rng: random.Random, language: Language) -> str:
    """Return a sentence of any kind, for where its topic must not matter."""
    kind = rng.random()
    if kind < 0.4:
        return filler(rng, language, rng.randint(2, 8)) + _full_stop(language)
    if kind < 0.7:
        wording = rng.choice(TOPICS).wording(language)
        return rng.choice([wording.question, wording.name])
    return _mention(rng, language, 4) + _full_stop(language)


def _full_stop(language: Language) -> str:
    return "." if language == "en" else "。"


def _system(rng: random.Random, most: int) -> list[Message]:
    if not most or rng.random() < 0.1:
        return []
    language = _language(rng)
    text = filler(rng, language, rng.randint(3, most)) + _full_stop(language)
    if rng.random() < 0.5:
        facts = [_remark(rng, language) for _ in range(rng.randint(1, 1 + most // 15))]
        text += "\n\n" + rng.choice([" ", "\n", "\n- "]).join(facts)
    return [Message("system", text)]


def _words(rng: random.Random, language: Language) -> str:
    """Draw what the person says."""
    kind = rng.random()
    if kind < 0.05:
        return rng.choice(GREETINGS[language])
    if kind < 0.1:
        return rng.choice(FAREWELLS[language])
    if kind < 0.45:
        return _phrases(rng, language)
    if kind < 0.9:
        return _mention(rng, language, 6) + rng.choice(["", _full_stop(language)])
    return filler(rng, language, rng.randint(2, 10)) + rng.choice(["", _full_stop(language)])


def _phrases(rng: random.Random, language: Language) -> str:
    """Return a phrase of the micro Whisper's set, at times with more said after it."""
    texts = [phrase.text for phrase in PHRASES if phrase.language == language]
    text, kind = rng.choice(texts), rng.random()
    if text in FAREWELLS[language] or kind < 0.6:
        return text
    if kind < 0.75:
        return rng.choice(["\n", " " if language == "en" else ""]).join([text, rng.choice(texts)])
    return _joined(language, text, filler(rng, language, rng.randint(2, 5)))


def _earlier_turn(rng: random.Random, language: Language) -> list[Message]:
    """Return a turn as history keeps it: no note, parts on lines of their own."""
    words = _words(rng, language)
    said = Message("user", words)
    kind = rng.random()
    if kind < 0.3:
        return [said, Message("assistant", _remark(rng, language))]
    reply = expected_reply(words, language)
    if kind < 0.6 and PART_BREAK in reply:
        return [said, Message("assistant", reply.replace(PART_BREAK, "\n"))]
    return [said, Message("assistant", reply, learn=True)]


def _last_turn(rng: random.Random, language: Language) -> list[Message]:
    kind = rng.random()
    words = "" if kind < 0.1 else _words(rng, language)
    question = rng.random() < 0.7 or 0.1 <= kind < 0.25
    if kind < 0.1:
        content = f"[{_note(rng, language, question)}]"
    elif kind < 0.25:
        content = words
    else:
        noted = language if rng.random() < 0.9 else _language(rng)
        content = f"{words}\n\n[{_note(rng, noted, question)}]"
    reply = expected_reply(words, language, question)
    return [Message("user", content), Message("assistant", reply, learn=True)]


def _note(rng: random.Random, language: Language, question: bool) -> str:
    about = _remark(rng, language)
    if question and rng.random() < 0.3:
        return f"{filler(rng, language, rng.randint(3, 12))}{rng.choice(':：;，,.')} {about}"
    note = rng.choice((MAY_ASK if question else MUST_NOT_ASK)[language]).format(about)
    if rng.random() < 0.3:
        note = _joined(language, filler(rng, language, rng.randint(2, 6)) + ".", note)
    return note
