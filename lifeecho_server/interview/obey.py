"""Wishes about the conversation are obeyed, and never answered with a question."""

from collections.abc import Callable
from dataclasses import replace

from lifeecho_server.interview.coverage import current_slot, word_hits
from lifeecho_server.interview.decision import Changes, Decision, Direction, Intent
from lifeecho_server.interview.questions import after, asked_keys, stage_after
from lifeecho_server.interview.recognise import Command
from lifeecho_server.interview.situation import Speaker
from lifeecho_server.interview.speech import Heard, to_seal
from lifeecho_server.interview.topics import refused_topics
from lifeecho_server.interview.wording import pick


def obey(heard: Heard) -> Decision | None:
    """Return the answer to the command heard; ``None`` where getting acquainted answers it."""
    if not heard.situation.profile.complete and heard.command in (
        Command.DECLINE,
        Command.CHANGE_TOPIC,
    ):
        return None
    commands: dict[Command, Callable[[Heard], Decision]] = {
        Command.KEEP_OUT: _keep_out,
        Command.END: _farewell,
        Command.DECLINE: _decline,
        Command.CHANGE_TOPIC: _change_topic,
        Command.SLOWER: _slower,
        Command.REPEAT: _repeat,
    }
    return commands[heard.command](heard) if heard.command else None


def _keep_out(heard: Heard) -> Decision:
    words = _say(heard, heard.bank.phrases.keep_out)
    return Decision(Intent.ACKNOWLEDGE, (words,), None, Changes(seal=to_seal(heard)))


def _farewell(heard: Heard) -> Decision:
    words = _say(heard, heard.bank.phrases.farewell)
    direction = Direction(heard.bank.prompt.notes.farewell, question_allowed=False)
    return Decision(Intent.FAREWELL, (words,), direction, Changes(coverage=heard.told.covered))


def _decline(heard: Heard) -> Decision:
    """What the refusal names is never asked about again; else what was just asked about."""
    current = current_slot(heard.situation.state)
    named = word_hits(heard.text, heard.bank) if not heard.told.covered else {}
    topics = refused_topics(heard.text, heard.bank)
    meant = frozenset(named or ({current} if current else ()))
    declined = meant.union(*(heard.bank.slots[slot].kin for slot in meant))
    changes = Changes(
        coverage=heard.told.covered,
        declined=declined,
        avoided=dict.fromkeys(topics, heard.turns[-1]),
    )
    return _acknowledging(heard, heard.bank.phrases.refusal, changes)


def _change_topic(heard: Heard) -> Decision:
    """Leave the stage and open the next one that has something left, with an invitation."""
    bank = heard.bank
    state = heard.situation.state
    slots = after(state, heard.told.covered, frozenset())
    stage = stage_after(heard.situation.stage, slots, asked_keys(state), bank)
    words = _say(heard, bank.phrases.change_topic)
    invitation = _say(heard, bank.stage(stage).invite)
    key = f"invite.{stage}"
    asked = () if key in asked_keys(state) else ((key, None),)
    changes = Changes(coverage=heard.told.covered, asked=asked)
    onward = bank.stage_ids.index(stage) > bank.stage_ids.index(heard.situation.stage)
    note = bank.prompt.notes.no_question.replace("{words}", f"{words} {invitation}")
    return Decision(
        Intent.ACKNOWLEDGE,
        (words, invitation),
        Direction(note, question_allowed=False),
        replace(changes, stage=stage if onward else None),
    )


def _slower(heard: Heard) -> Decision:
    words = _say(heard, heard.bank.phrases.slower)
    return Decision(Intent.ACKNOWLEDGE, (words,), None, Changes(slower=True))


def _repeat(heard: Heard) -> Decision:
    """Say the last words again, as they were."""
    said = [turn for turn in heard.situation.history if turn.speaker is Speaker.INTERVIEWER]
    if not said:
        return Decision(Intent.ACKNOWLEDGE, (_say(heard, heard.bank.phrases.nothing_said),))
    parts = tuple(line for line in said[-1].text.splitlines() if line.strip())
    return Decision(Intent.ACKNOWLEDGE, parts)


def _acknowledging(heard: Heard, wordings: tuple[str, ...], changes: Changes) -> Decision:
    words = _say(heard, wordings)
    note = heard.bank.prompt.notes.no_question.replace("{words}", words)
    return Decision(Intent.ACKNOWLEDGE, (words,), Direction(note, question_allowed=False), changes)


def _say(heard: Heard, wordings: tuple[str, ...]) -> str:
    return pick(wordings, heard.values, heard.seed, heard.said)
