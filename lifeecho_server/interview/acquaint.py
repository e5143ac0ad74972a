"""Getting acquainted: the profile is asked for by talk, one thing at a time."""

from dataclasses import replace
from typing import Any

from lifeecho_server.interview.applied import profile_after
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Changes, Decision, Direction, Intent
from lifeecho_server.interview.opening import open_in_reply
from lifeecho_server.interview.profile import by_animal, follows_from_age, understand
from lifeecho_server.interview.questions import Question, asked_keys
from lifeecho_server.interview.recognise import Command, greets, knows_nothing
from lifeecho_server.interview.situation import InterviewState, Profile, Situation
from lifeecho_server.interview.speech import Heard
from lifeecho_server.interview.wording import known_values, pick, seed_of

_PREFIX = "profile."
_AGAIN = ".again"
_SURE = "profile.birth_year.sure."


def open_fields(profile: Profile, state: InterviewState) -> tuple[str, ...]:
    """Return the missing fields that may still be asked for: each is asked twice at most."""
    keys = asked_keys(state)
    return tuple(field for field in profile.missing if _again_key(field) not in keys)


def exhausted_fields(profile: Profile, state: InterviewState) -> frozenset[str]:
    """Return the missing fields that were asked for twice; they count as refused."""
    return frozenset(profile.missing) - frozenset(open_fields(profile, state))


def ask_profile_field(
    field: str, situation: Situation, bank: Bank, *, gently: bool = False
) -> Question:
    """Return the question for a field; the second time its softer wording.

    ``gently`` makes it a remark that needs no answer, as after a refusal.
    """
    guide, values, seed = bank.profile[field], _values(situation, bank), seed_of(situation)
    asked_before = _PREFIX + field in asked_keys(situation.state)
    key = _again_key(field) if asked_before else _PREFIX + field
    wordings = guide.gentle if gently else guide.again if asked_before else guide.ask
    return Question(pick(wordings, values, seed), key, None)


def profile_reply(heard: Heard) -> Decision:
    """Take in what was told about the person, and ask for the next missing thing.

    When the last one is in, the interview opens in the same reply.
    """
    situation = heard.situation
    asked = _asked_field(situation.state)
    told, unsure = _understood(heard, asked)
    refused = _given_up(heard, asked, told)
    changes = Changes(profile=told, refused=refused, coverage=heard.told.covered)
    known = profile_after(situation.profile, changes)
    after = replace(situation, profile=known)
    fields = open_fields(known, situation.state)
    if unsure is not None:
        return _ask_whether(heard, after, unsure, changes)
    if not fields:
        changes = replace(changes, refused=refused | frozenset(known.missing))
        return open_in_reply(after, heard.bank, changes, gently=_refusing(heard))
    return _ask_next(heard, after, fields, asked, changes)


def _understood(heard: Heard, asked: str | None) -> tuple[dict[str, Any], int | None]:
    """What was told, and a birth year that is first to be confirmed, softly and only once."""
    situation, bank = heard.situation, heard.bank
    pending = _pending_year(situation.state)
    insist = asked is not None and _again_key(asked) in asked_keys(situation.state)
    told: dict[str, Any] = understand(
        heard.text,
        asked,
        situation.profile,
        situation.now,
        bank,
        insist=insist or pending is not None,
    )
    if pending is not None:
        objects = knows_nothing(heard.text, bank) or _refusing(heard)
        return (told if objects else {"birth_year": pending, **told}), None
    year = told.get("birth_year")
    guide = bank.profile["birth_year"]
    if year is None or not guide.sure or _asked_whether(situation.state):
        return told, None
    if not follows_from_age(heard.text, asked, year, bank):
        return told, None
    del told["birth_year"]
    return told, by_animal(heard.text, year, bank)


def _ask_whether(heard: Heard, after: Situation, year: int, changes: Changes) -> Decision:
    """Confirm a birth year that was reckoned from an age. The number has to be said as it is."""
    wordings = heard.bank.profile["birth_year"].sure
    question = pick(wordings, {"value": str(year)}, heard.seed, heard.said)
    first = (_taken(heard, after, changes),) if changes.profile else ()
    return Decision(
        Intent.PROFILE_QUESTION,
        (*first, question),
        None,
        replace(changes, asked=((f"{_SURE}{year}", None),)),
    )


def _pending_year(state: InterviewState) -> int | None:
    """The birth year that the last question asked to confirm."""
    key = state.asked[-1].question if state.asked else ""
    return int(key.removeprefix(_SURE)) if key.startswith(_SURE) else None


def _asked_whether(state: InterviewState) -> bool:
    return any(key.startswith(_SURE) for key in asked_keys(state))


def _ask_next(
    heard: Heard, after: Situation, fields: tuple[str, ...], asked: str | None, changes: Changes
) -> Decision:
    """Ask once more for what was not understood, else for the next field."""
    field = asked if asked in fields else fields[0]
    gently = _refusing(heard)
    question = ask_profile_field(field, after, heard.bank, gently=gently)
    soft_again = question.key.endswith(_AGAIN) and not changes.refused
    first = () if soft_again and not changes.profile else (_taken(heard, after, changes),)
    note = heard.bank.prompt.notes.profile.replace("{question}", question.text)
    return Decision(
        Intent.ACKNOWLEDGE if gently else Intent.PROFILE_QUESTION,
        (*first, question.text),
        None if soft_again or gently else Direction(note, question_allowed=True),
        replace(changes, asked=((question.key, None),)),
    )


def _taken(heard: Heard, after: Situation, changes: Changes) -> str:
    """Say that something was taken in, let go, or simply heard."""
    phrases, values = heard.bank.phrases, _values(after, heard.bank)
    if _refusing(heard):
        wordings = phrases.profile_refused
    elif "nickname" in changes.profile:
        wordings = phrases.profile_named
    elif changes.profile:
        wordings = phrases.profile_thanks
    else:
        wordings = phrases.profile_pass if changes.refused else phrases.profile_thanks
    return pick(wordings, values, heard.seed, heard.said)


def _given_up(heard: Heard, asked: str | None, told: dict[str, Any]) -> frozenset[str]:
    """The field asked for, when it was refused, is not known, or was asked for twice in vain."""
    if asked is None or asked in told or asked not in heard.situation.profile.missing:
        return frozenset()
    twice = _again_key(asked) in asked_keys(heard.situation.state)
    shrug = knows_nothing(heard.text, heard.bank) and not greets(heard.text, heard.bank)
    return frozenset({asked}) if _refusing(heard) or twice or shrug else frozenset()


def _refusing(heard: Heard) -> bool:
    return heard.command in (Command.DECLINE, Command.CHANGE_TOPIC)


def _asked_field(state: InterviewState) -> str | None:
    key = state.asked[-1].question if state.asked else ""
    return key.removeprefix(_PREFIX).partition(".")[0] if key.startswith(_PREFIX) else None


def _again_key(field: str) -> str:
    return f"{_PREFIX}{field}{_AGAIN}"


def _values(situation: Situation, bank: Bank) -> dict[str, str]:
    return known_values(situation.profile, bank)
