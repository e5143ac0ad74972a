"""Quotas: what a plan still allows, decided purely, and what has been used of it today."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from lifeecho_server.settings import Plan
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import QuotaExceeded
from lifeecho_server.store.values import micros, moment

UNLIMITED = Plan()


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the server's time zone: its date (``2024-05-01``) and the moment it ends."""

    date: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """What a user has used of a day: turns, and seconds of audio."""

    turns: int = 0
    audio_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What is about to be used: a turn, audio (of a length not known yet), a recording begun."""

    turn: bool = False
    audio: bool = False
    recording: bool = False


def day_of(now: datetime, zone: tzinfo) -> Day:
    """Return the day that an aware moment falls on in a time zone.

    It ends with the next midnight on the wall clock, so it may last 23 or 25 hours.
    """
    today: date = now.astimezone(zone).date()
    midnight = datetime.combine(today + timedelta(days=1), time.min, tzinfo=zone)
    return Day(today.isoformat(), moment(micros(midnight)))


def allowance(plan: Plan, use: Use, wish: Wish, recordings: int = 0) -> bool:
    """Whether a plan still allows a wish, given what was used today.

    ``recordings`` are those of the user that go on now. Audio is measured after it was heard: it
    is allowed while any minute is left, so that nobody is cut off in the middle.
    """
    turns_left = plan.turns_a_day is None or use.turns < plan.turns_a_day
    minutes = plan.audio_minutes_a_day
    audio_left = minutes is None or use.audio_seconds < minutes * 60
    room = plan.recordings_at_once is None or recordings < plan.recordings_at_once
    return (
        (turns_left or not wish.turn)
        and (audio_left or not wish.audio)
        and (room or not wish.recording)
    )


def used(db: Connection, user_id: str, day: Day) -> Use:
    """Return what a user has used of a day."""
    row = db.execute(
        "SELECT turns, audio_ms FROM quota_use WHERE user_id = ? AND day = ?", (user_id, day.date)
    ).fetchone()
    return Use() if row is None else Use(row[0], row[1] / 1000)


def refused_until(
    plan: Plan, use: Use, wish: Wish, day: Day, going_on: Sequence[datetime]
) -> datetime | None:
    """Return when a wish that a plan does not allow may be one again; None for one it allows.

    ``going_on`` has for each of the user's recordings that go on now when it stops counting,
    should nobody go on with it, ascending.
    """
    if not allowance(plan, use, replace(wish, recording=False)):
        return day.ends_at
    if allowance(plan, use, wish, len(going_on)):
        return None
    most = plan.recordings_at_once
    return going_on[len(going_on) - most] if most else day.ends_at


def require(
    db: Connection,
    user_id: str,
    plan: Plan,
    day: Day,
    wish: Wish,
    going_on: Sequence[datetime] = (),
) -> None:
    """Raise QuotaExceeded when the plan does not allow a wish (any more): ``refused_until``."""
    if plan == UNLIMITED:
        return
    until = refused_until(plan, used(db, user_id, day), wish, day, going_on)
    if until is not None:
        raise QuotaExceeded(until)


def charge(
    db: Connection, user_id: str, day: str, *, turns: int = 0, audio_seconds: float = 0.0
) -> None:
    """Add to what a user has used of a day, in the transaction of what used it."""
    db.execute(
        "INSERT INTO quota_use (user_id, day, turns, audio_ms) VALUES (?1, ?2, max(0, ?3), ?4)"
        " ON CONFLICT DO UPDATE SET turns = max(0, turns + ?3), audio_ms = audio_ms + ?4",
        (user_id, day, turns, round(audio_seconds * 1000)),
    )
