"""What the person just said: the unanswered turns read once, before anything is decided."""

from collections.abc import Mapping
from dataclasses import dataclass

from lifeecho_server.interview.bank import Bank, Slot
from lifeecho_server.interview.coverage import Told, told_by, word_hits
from lifeecho_server.interview.detail import DetailKind, Quoted, details_of
from lifeecho_server.interview.recognise import (
    Command,
    assents,
    command_of,
    knows_nothing,
    length,
    says_told_already,
    suffered,
    without_command,
)
from lifeecho_server.interview.situation import Hearing, Situation, Speaker, Turn
from lifeecho_server.interview.wording import interviewer_words, known_values, seed_of

_PASSAGE = 8  # units beside a command that make a passage of their own


@dataclass(frozen=True, slots=True)
class Heard:
    """One reading of a situation, shared by all that is decided on it.

    ``text`` is the narrator's own words; ``story`` is what of them tells something; ``turns`` are
    the ids of the turns with words; ``said`` is what the interviewer said before.
    """

    situation: Situation
    bank: Bank
    text: str
    story: str
    turns: tuple[str, ...]
    command: Command | None
    chosen: Slot | None
    details: Mapping[DetailKind, Quoted]
    told: Told
    hits: Mapping[str, int]
    ample: bool
    brief: bool
    said: str
    values: Mapping[str, str]
    seed: int


def hear(situation: Situation, bank: Bank) -> Heard:
    """Read the unanswered turns."""
    spoken = narrator_turns(situation.unanswered)
    text = "\n".join(turn.text.strip() for turn in spoken)
    turns = tuple(turn.id for turn in spoken)
    command = command_of(text, bank)
    if command is Command.REPEAT and says_told_already(text, bank):
        command = None  # "Repeat, repeat, you heard this one" wants nothing said again
    chosen = _chosen(spoken, bank)
    story = _story(text, command, chosen, bank)
    said = interviewer_words(situation)
    return Heard(
        situation=situation,
        bank=bank,
        text=text,
        story=story,
        turns=turns,
        command=command,
        chosen=chosen,
        details={} if suffered(story, bank) else details_of(story, bank, said),
        told=_told(story, turns, command, situation, bank),
        hits=word_hits(story, bank),
        ample=length(story, bank) >= bank.measure.ample,
        brief=length(story, bank) * 2 < bank.measure.ample,
        said=said,
        values=known_values(situation.profile, bank),
        seed=seed_of(situation),
    )


def narrator_turns(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Return the narrator's own turns that have words."""
    return tuple(turn for turn in turns if turn.speaker is Speaker.NARRATOR and turn.text.strip())


def unheard(turns: tuple[Turn, ...]) -> Hearing | None:
    """Return why the last recording without words has none; ``None`` when there is no such."""
    kinds = (Hearing.WAITING, Hearing.UNSURE, Hearing.FAILED)
    for turn in reversed(turns):
        if turn.hearing in kinds and not turn.text.strip():
            return turn.hearing
    return None


def to_seal(heard: Heard) -> tuple[str, ...]:
    """Return the turns that a wish to keep something out of the book means.

    What was said together with the wish, when that is a passage; else the narrator's last turns
    before it, back to a question of the interviewer's, and the wish itself.
    """
    if length(heard.story, heard.bank) >= _PASSAGE:
        return heard.turns
    passage: list[str] = []
    for turn in reversed(heard.situation.history):
        if turn.speaker is Speaker.NARRATOR:
            if passage or not _empty_words(turn.text, heard.bank):
                passage.append(turn.id)
        elif turn.speaker is Speaker.INTERVIEWER and passage:
            break
    return (*reversed(passage), *heard.turns)


def _empty_words(text: str, bank: Bank) -> bool:
    return assents(text, bank) or knows_nothing(text, bank) or command_of(text, bank) is not None


def _chosen(spoken: tuple[Turn, ...], bank: Bank) -> Slot | None:
    """The slot whose chip was tapped: the last turn is its text, word for word."""
    last = spoken[-1].text.strip() if spoken else ""
    return next((slot for slot in bank.slots.values() if slot.chip == last), None)


def _story(text: str, command: Command | None, chosen: Slot | None, bank: Bank) -> str:
    if chosen is not None:
        return text.removesuffix(chosen.chip).strip()
    return text if command is None else without_command(text, command, bank)


def _told(
    story: str, turns: tuple[str, ...], command: Command | None, situation: Situation, bank: Bank
) -> Told:
    """What is told beside a command counts only when it is a passage; sealed words never do."""
    passage = bank.measure.ample if not situation.profile.complete else _PASSAGE
    beside = command is not None or not situation.profile.complete
    aside = beside and length(story, bank) < passage
    if not story or aside or command is Command.KEEP_OUT:
        return Told(None, {})
    return told_by(story, turns, situation.state, situation.stage, bank)
