"""The prompt in which a model words a decision.

One system message (instructions that are the same for everyone who speaks the language, a blank
line, facts about the person), the history, and the words to be answered with the note on how. What
changes from turn to turn stands only at the end, so that an evaluated prompt can be gone on with.
"""

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.markup import PART_BREAK, clean
from lifeecho_server.interview.message import Message
from lifeecho_server.interview.person import voice_of
from lifeecho_server.interview.questions import asked_keys, open_slots
from lifeecho_server.interview.situation import PROFILE_FIELDS, Profile, Situation, Speaker, Turn
from lifeecho_server.interview.speech import narrator_turns
from lifeecho_server.interview.summary import summary_lines

__all__ = ["beginning", "clean", "prompt"]

_REMEMBERED = 6  # turns of earlier conversations that are told again
_SLOTS_NAMED = 3
_REMEMBERED_LENGTH = 120  # characters of each


def prompt(situation: Situation, decision: Decision, bank: Bank) -> tuple[Message, ...]:
    """Return the messages for a decision. Raises ValueError where only the script may speak."""
    if decision.direction is None:
        raise ValueError("this decision has no direction: the script's own words are to be used")
    note = decision.direction.note
    if decision.direction.question_allowed:
        note = _where(situation, bank) + note
    return _messages(situation, bank, f"[{note}]")


def beginning(situation: Situation, bank: Bank) -> tuple[Message, ...]:
    """Return a prompt as far as it is known before anything is decided: all but the note.

    The last message is open: words that are still to be said, and the note, follow in it.
    """
    return _messages(situation, bank, "")


def _messages(situation: Situation, bank: Bank, note: str) -> tuple[Message, ...]:
    history = _history(situation.history, bank)
    words = [_words(turn, bank) for turn in situation.unanswered]
    if history and history[-1].role == "user":
        words.insert(0, history.pop().content)
    said = "\n".join(word for word in words if word)
    last = Message("user", "\n\n".join(part for part in (said, note) if part))
    return (Message("system", _system(situation, bank)), *history, last)


def _system(situation: Situation, bank: Bank) -> str:
    texts = bank.prompt
    lines = _profile_lines(situation.profile, bank) or [texts.nothing_known]
    told = [
        clean(turn.text)[:_REMEMBERED_LENGTH]
        for turn in narrator_turns(situation.told_before)[-_REMEMBERED:]
    ]
    if told:
        lines += [texts.told_before, *(f"- {text}" for text in told)]
    lines += summary_lines(situation.remembered, bank)
    voice = voice_of(situation.profile, bank)
    if voice is not None:
        lines.append(voice.note)
    return "\n".join([texts.instructions.strip(), "", texts.facts, *lines])


def _where(situation: Situation, bank: Bank) -> str:
    """The stage, and what of it is still to be told. It changes often, so it stands in the note."""
    stage = bank.stage(situation.stage)
    state = situation.state
    left = open_slots(stage.id, state.slots, asked_keys(state), bank)[:_SLOTS_NAMED]
    if not left or not situation.profile.complete:
        return ""
    labels = bank.prompt.list_joiner.join(slot.label for slot in left)
    return bank.prompt.stage.replace("{stage}", stage.label).replace("{slots}", labels)


def _profile_lines(profile: Profile, bank: Bank) -> list[str]:
    values = {name: getattr(profile, name) for name in PROFILE_FIELDS}
    return [
        bank.prompt.fields[name].replace("{value}", clean(str(value)))
        for name, value in values.items()
        if value is not None
    ]


def _history(turns: tuple[Turn, ...], bank: Bank) -> list[Message]:
    """Interviewer's turns become the assistant's, all others the user's; neighbours are joined."""
    messages: list[Message] = []
    for turn in turns:
        words = _words(turn, bank)
        role = "assistant" if turn.speaker is Speaker.INTERVIEWER else "user"
        if not words:
            continue
        if messages and messages[-1].role == role:
            joint = PART_BREAK if role == "assistant" else "\n"
            words = messages.pop().content + joint + words
        messages.append(Message("assistant" if role == "assistant" else "user", words))
    return messages


def _words(turn: Turn, bank: Bank) -> str:
    if turn.speaker is Speaker.INTERVIEWER:
        return PART_BREAK.join(clean(part) for part in turn.text.splitlines() if part.strip())
    words = clean(turn.text) or bank.prompt.unheard
    return f"{bank.prompt.relative}{words}" if turn.speaker is Speaker.RELATIVE else words
