import pytest

from lifeecho_server.interview.situation import Profile
from lifeecho_server.store import audit, conversations, narrators, people, quota
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import Ambiguous, ConversationDeleted, NotFound
from lifeecho_server.store.narrators import Status
from lifeecho_server.store.people import Level, Role
from tests.store.household import (
    NOON,
    TODAY,
    after,
    new_turn,
    open_conversation,
    recorded_turn,
    take,
)


def test_a_user_comes_back_as_added(db: Connection) -> None:
    added = people.add_user(
        db, user_id="u", name="Owner", role=Role.OWNER, language="en", at=after(2), plan="small"
    )
    assert people.user(db, "u") == added
    assert [user.id for user in people.users(db)] == ["elder", "daughter", "u"]
    assert people.user(db, "nobody") is None


def test_a_user_is_found_by_id_or_by_a_name_that_is_only_theirs(db: Connection) -> None:
    assert people.find_user(db, "daughter").name == "Daughter"
    assert people.find_user(db, "Daughter").id == "daughter"
    people.add_user(db, user_id="d2", name="Daughter", role=Role.FAMILY, language="en", at=NOON)
    with pytest.raises(Ambiguous, match="2 users"):
        people.find_user(db, "Daughter")
    with pytest.raises(NotFound, match="'nobody'"):
        people.find_user(db, "nobody")


def test_signed_in_means_there_not_disabled_and_the_device_not_revoked(db: Connection) -> None:
    people.add_device(db, device_id="phone", user_id="elder", name="phone", at=NOON)
    elder = people.user(db, "elder")
    assert people.signed_in(db, "elder", None) == elder
    assert people.signed_in(db, "elder", "phone") == elder
    assert people.signed_in(db, "daughter", "phone") is None  # another's device
    assert people.signed_in(db, "elder", "unknown") is None
    people.revoke_device(db, "phone", NOON)
    assert people.signed_in(db, "elder", "phone") is None
    assert people.signed_in(db, "elder", None) == elder
    people.disable_user(db, "elder")
    assert people.signed_in(db, "elder", None) is None
    people.disable_user(db, "elder", disabled=False)
    assert people.signed_in(db, "elder", None) == elder
    assert people.signed_in(db, "nobody", None) is None


def test_a_device_is_revoked_once(db: Connection) -> None:
    people.add_device(db, device_id="phone", user_id="elder", name="phone", at=NOON)
    people.revoke_device(db, "phone", after(1))
    people.revoke_device(db, "phone", after(2))
    (device,) = people.devices(db, "elder")
    assert device.revoked_at == after(1)
    assert [entry.event for entry in audit.latest(db)] == ["revocation"]
    with pytest.raises(NotFound):
        people.revoke_device(db, "unknown", NOON)


@pytest.mark.parametrize(
    ("level", "may"),
    [
        (None, (False, False, False)),
        (Level.READ, (True, False, False)),
        (Level.TALK, (True, True, False)),
        (Level.MANAGE, (True, True, True)),
    ],
)
def test_each_level_holds_those_before_it(
    db: Connection, level: Level | None, may: tuple[bool, bool, bool]
) -> None:
    people.set_access(db, "daughter", "narrator", level)
    decided = (people.may_read, people.may_talk, people.may_manage)
    assert tuple(decide(db, "daughter", "narrator") for decide in decided) == may
    talks_for = narrators.narrators_to_talk_for(db, "daughter")
    assert [narrator.id for narrator in talks_for] == ["narrator"] * may[1]


def test_access_is_listed_from_both_sides(db: Connection) -> None:
    assert people.access(db, "daughter") == [people.Access("daughter", "narrator", Level.TALK)]
    assert {(a.user_id, a.level) for a in people.access_to(db, "narrator")} == {
        ("elder", Level.MANAGE),
        ("daughter", Level.TALK),
    }


def test_deleting_a_user_keeps_what_was_told(db: Connection) -> None:
    take(db, new_turn("t"))
    people.delete_user(db, "elder", NOON)
    assert people.user(db, "elder") is None
    assert quota.used(db, "elder", TODAY) == quota.Use()
    assert conversations.conversation(db, "talk") is not None
    assert db.execute("SELECT user_id FROM turns").fetchall() == [(None,)]
    assert audit.is_removed(db, audit.Removed.USER, "elder")
    with pytest.raises(NotFound):
        people.delete_user(db, "elder", NOON)


def test_a_narrator_comes_back_as_added(db: Connection) -> None:
    profile = Profile("Nan", 1943, "Leeds", None, "teacher", frozenset({"grew_up_place"}))
    added = narrators.add_narrator(
        db,
        narrator_id="n",
        name="Nan",
        language="zh-HK",
        script="hant",
        profile=profile,
        at=after(1),
    )
    assert narrators.narrator(db, "n") == added
    assert added.profile.complete
    assert [narrator.id for narrator in narrators.narrators(db)] == ["narrator", "n"]


def test_a_narrator_is_found_by_id_or_by_a_name_that_is_only_theirs(db: Connection) -> None:
    assert narrators.find_narrator(db, "narrator").name == "Elder"
    assert narrators.find_narrator(db, "Elder").id == "narrator"
    narrators.add_narrator(db, narrator_id="n2", name="Elder", language="en-GB", at=NOON)
    with pytest.raises(Ambiguous, match="2 narrators"):
        narrators.find_narrator(db, "Elder")
    with pytest.raises(NotFound, match="'nobody'"):
        narrators.find_narrator(db, "nobody")


def test_a_profile_is_filled_field_by_field(db: Connection) -> None:
    narrators.update_profile(db, "narrator", {"nickname": "Nan", "birth_year": 1943})
    narrators.refuse_fields(db, "narrator", frozenset({"occupation"}))
    narrators.refuse_fields(db, "narrator", frozenset({"occupation", "birth_place"}))
    narrator = narrators.find_narrator(db, "narrator")
    assert narrator.profile.missing == ("grew_up_place",)
    with pytest.raises(KeyError):
        narrators.update_profile(db, "narrator", {"name": "someone else"})


def test_a_narrator_who_died_is_marked(db: Connection) -> None:
    narrators.set_status(db, "narrator", Status.DIED)
    assert narrators.find_narrator(db, "narrator").status is Status.DIED
    with pytest.raises(NotFound):
        narrators.set_status(db, "nobody", Status.DIED)


def test_deleting_a_narrator_leaves_nothing_of_theirs(db: Connection) -> None:
    open_conversation(db, "other")
    take(db, recorded_turn("t"))
    assert narrators.delete_narrator(db, "narrator", NOON) == ["t.wav"]
    for table in ("narrators", "conversations", "turns", "recordings", "access"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    with pytest.raises(NotFound):
        narrators.delete_narrator(db, "narrator", NOON)
    for conversation_id in ("talk", "other"):
        with pytest.raises(ConversationDeleted):
            open_conversation(db, conversation_id)
