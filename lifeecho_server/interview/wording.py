"""Picking one of several wordings: filled in, varied by a seed, not the one just used."""

import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import timedelta

from lifeecho_server.interview.bank import Bank, Texts
from lifeecho_server.interview.situation import Profile, Situation, Speaker

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_CHILDHOOD = 8  # years after birth in which a childhood is placed when a decade is named


def known_values(profile: Profile, bank: Bank) -> dict[str, str]:
    """Return what may be filled into a wording: ``name``, ``place`` and ``decade``, where known."""
    decade = ""
    if profile.birth_year is not None:
        decade = bank.decades.get(str((profile.birth_year + _CHILDHOOD) // 10 * 10), "")
    place = profile.grew_up_place or profile.birth_place or ""
    values = {"name": profile.nickname or "", "place": place, "decade": decade}
    return {name: value for name, value in values.items() if value}


def pick(
    texts: Sequence[str],
    values: Mapping[str, str],
    seed: int,
    said: str = "",
    *,
    fullest: bool = True,
) -> str:
    """Return one wording that can be filled in; unused before used.

    With ``fullest`` those that use the most of what is known, a name above all, come first.

    When all were used, it is the one that was used longest ago. ``said`` is what was said so far;
    ``texts`` must hold a wording that ``values`` can fill.
    """
    fillable = [text for text in texts if can_fill(text, values)]
    most = max(len(_PLACEHOLDER.findall(text)) for text in fillable)
    best = [text for text in fillable if not fullest or len(_PLACEHOLDER.findall(text)) == most]
    filled = [_PLACEHOLDER.sub(lambda name: values[name[1]], text) for text in best]
    fresh = [text for text in filled if text not in said]
    chosen = fresh[seed % len(fresh)] if fresh else min(filled, key=said.rfind)
    return chosen[0].upper() + chosen[1:]


def can_fill(text: str, values: Mapping[str, str]) -> bool:
    """Whether a wording asks for no value that is not there."""
    return set(_PLACEHOLDER.findall(text)) <= values.keys()


def seed_of(situation: Situation) -> int:
    """Return the number that varies wordings: the same for the same situation."""
    person = zlib.crc32((situation.profile.nickname or "").encode())
    turns = len(situation.history) + len(situation.told_before) + len(situation.unanswered)
    return person + len(situation.state.asked) + turns


def interviewer_words(situation: Situation) -> str:
    """Return all that the interviewer said in the history, for avoiding repetition."""
    return "\n".join(turn.text for turn in situation.history if turn.speaker is Speaker.INTERVIEWER)


def gap_wordings(idle: timedelta, bank: Bank) -> Texts:
    """Return the greetings that suit how long the person was away."""
    phrases = bank.phrases
    for limit, wordings in (
        (timedelta(hours=20), phrases.re_hours),
        (timedelta(days=4), phrases.re_day),
        (timedelta(days=30), phrases.re_week),
    ):
        if idle < limit:
            return wordings
    return phrases.re_months


def listening_feedback(previous: str | None, bank: Bank) -> str:
    """Return the next short sign of listening; never the same one twice in a row."""
    wordings = bank.phrases.listening
    place = wordings.index(previous) if previous in wordings else -1
    return wordings[(place + 1) % len(wordings)]
