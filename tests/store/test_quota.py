from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.settings import Plan
from lifeecho_server.store import quota
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import QuotaExceeded
from lifeecho_server.store.quota import Use, Wish, allowance, day_of
from lifeecho_server.store.values import moment
from tests.store.household import TODAY

ZONES = st.sampled_from(
    [UTC, *(ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/London", "America/Santiago"))]
)
MOMENTS = st.integers(0, 4_000_000_000_000_000).map(moment)
LIMITS = st.none() | st.integers(0, 5)
PLANS = st.builds(Plan, LIMITS, st.none() | st.floats(0, 5), LIMITS)
USES = st.builds(Use, st.integers(0, 8), st.floats(0, 600))
WISHES = st.builds(Wish, st.booleans(), st.booleans(), st.booleans())


@given(USES, WISHES, st.integers(0, 9))
def test_unlimited_allows_everything(use: Use, wish: Wish, recordings: int) -> None:
    assert allowance(Plan(), use, wish, recordings)


@given(PLANS, USES, st.integers(0, 9))
def test_wishing_for_nothing_is_always_allowed(plan: Plan, use: Use, recordings: int) -> None:
    assert allowance(plan, use, Wish(), recordings)


@given(PLANS, USES, USES, WISHES, st.integers(0, 9), st.integers(0, 3))
def test_what_is_refused_stays_refused_with_more_use(
    plan: Plan, use: Use, more: Use, wish: Wish, recordings: int, others: int
) -> None:
    later = Use(use.turns + more.turns, use.audio_seconds + more.audio_seconds)
    if not allowance(plan, use, wish, recordings):
        assert not allowance(plan, later, wish, recordings + others)


@given(PLANS, USES, WISHES, st.integers(0, 9))
def test_a_wish_is_allowed_when_each_of_its_parts_is(
    plan: Plan, use: Use, wish: Wish, recordings: int
) -> None:
    parts = (Wish(turn=wish.turn), Wish(audio=wish.audio), Wish(recording=wish.recording))
    each = all(allowance(plan, use, part, recordings) for part in parts)
    assert allowance(plan, use, wish, recordings) == each


@pytest.mark.parametrize(
    ("plan", "use", "wish", "recordings", "allowed"),
    [
        (Plan(turns_a_day=3), Use(2), Wish(turn=True), 0, True),
        (Plan(turns_a_day=3), Use(3), Wish(turn=True), 0, False),
        (Plan(turns_a_day=3), Use(3), Wish(audio=True), 0, True),
        (Plan(audio_minutes_a_day=1), Use(0, 59.9), Wish(audio=True), 0, True),
        (Plan(audio_minutes_a_day=1), Use(0, 60.0), Wish(audio=True), 0, False),
        (Plan(audio_minutes_a_day=1), Use(0, 60.0), Wish(turn=True), 0, True),
        (Plan(recordings_at_once=1), Use(), Wish(recording=True), 0, True),
        (Plan(recordings_at_once=1), Use(), Wish(recording=True), 1, False),
    ],
)
def test_limits(plan: Plan, use: Use, wish: Wish, recordings: int, allowed: bool) -> None:
    assert allowance(plan, use, wish, recordings) is allowed


@pytest.mark.parametrize(
    ("plan", "use", "going_on", "until"),
    [
        (Plan(recordings_at_once=2), Use(), 1, None),
        (Plan(recordings_at_once=2), Use(), 2, 0),
        (Plan(recordings_at_once=2), Use(), 4, 2),
        (Plan(recordings_at_once=0), Use(), 1, "midnight"),
        (Plan(recordings_at_once=1, turns_a_day=3), Use(3), 1, "midnight"),
    ],
)
def test_too_many_recordings_are_refused_until_one_counts_no_more(
    plan: Plan, use: Use, going_on: int, until: int | str | None
) -> None:
    ends = [moment(minute * 60_000_000) for minute in range(going_on)]
    expected = {"midnight": TODAY.ends_at, None: None} | dict(enumerate(ends))
    wish = Wish(turn=True, audio=True, recording=True)
    assert quota.refused_until(plan, use, wish, TODAY, ends) == expected[until]


@given(MOMENTS, ZONES)
def test_a_day_ends_when_the_next_one_begins(now: datetime, zone: ZoneInfo) -> None:
    day = day_of(now, zone)
    assert now < day.ends_at <= now + timedelta(hours=25)
    assert day_of(day.ends_at - timedelta(microseconds=1), zone) == day
    assert day_of(day.ends_at, zone).date > day.date


def test_days_follow_the_servers_time_zone() -> None:
    evening = datetime(2024, 5, 1, 17, tzinfo=UTC)
    day = day_of(evening, ZoneInfo("Asia/Shanghai"))
    assert day == quota.Day("2024-05-02", datetime(2024, 5, 2, 16, tzinfo=UTC))


def test_use_adds_up_by_user_and_day(db: Connection) -> None:
    quota.charge(db, "elder", TODAY.date, turns=1)
    quota.charge(db, "elder", TODAY.date, turns=1, audio_seconds=1.5)
    quota.charge(db, "elder", "2024-05-02", audio_seconds=9)
    assert quota.used(db, "elder", TODAY) == Use(2, 1.5)
    assert quota.used(db, "daughter", TODAY) == Use()


def test_a_plan_used_up_says_when_it_resets(db: Connection) -> None:
    plan = Plan(audio_minutes_a_day=1)
    quota.require(db, "elder", plan, TODAY, Wish(audio=True))
    quota.charge(db, "elder", TODAY.date, audio_seconds=61)
    quota.require(db, "elder", Plan(), TODAY, Wish(audio=True))
    with pytest.raises(QuotaExceeded) as refused:
        quota.require(db, "elder", plan, TODAY, Wish(audio=True))
    assert refused.value.resets_at == TODAY.ends_at
