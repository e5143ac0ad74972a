"""user, narrator, access, token: on a real database."""

import json
import stat
from datetime import UTC, datetime

import pytest

from lifeecho_server.accounts.secret import load_secret
from lifeecho_server.accounts.tokens import check
from lifeecho_server.store.database import FILE_NAME, Database
from lifeecho_server.store.narrators import find_narrator
from lifeecho_server.store.people import Level, level, may_talk


def test_an_elder_gets_a_narrator_to_talk_for(home):
    added = home.json("user", "add", "奶奶", "--role", "elder", "--nickname", "阿婆")
    assert added["name"] == "奶奶"
    assert added["role"] == "elder"
    with Database.open(home.data / FILE_NAME) as data:
        whose = find_narrator(data.connection, "奶奶")
        assert whose.id == added["narrator_id"]
        assert whose.profile.nickname == "阿婆"
        assert may_talk(data.connection, added["id"], whose.id)


def test_the_whole_profile_is_kept(home):
    flags = ["--birth-year", "1938", "--birth-place", "苏州", "--grew-up-place", "上海"]
    home.ok("narrator", "add", "外公", *flags, "--occupation", "老师", "--nickname", "阿公")
    assert home.json("narrator", "show", "外公")["profile"] == {
        "nickname": "阿公",
        "birth_year": 1938,
        "birth_place": "苏州",
        "grew_up_place": "上海",
        "occupation": "老师",
    }


def test_family_gets_no_narrator(home):
    assert home.json("user", "add", "Mary", "--role", "family")["narrator_id"] is None
    assert home.json("narrator", "list") == []


@pytest.mark.parametrize(
    "wrong",
    [
        ["user", "add", "Mary", "--role", "family", "--nickname", "M"],
        ["user", "add", "  "],
        ["user", "add", "Mary", "--role", "guest"],
        ["user", "add", "Mary", "--birth-year", "soon"],
        ["user", "add"],
        ["user", "dance"],
        ["dance"],
        ["access", "a", "b", "everything"],
        ["token", "Mary", "--ttl", "0"],
    ],
)
def test_wrong_use_exits_with_2_and_makes_nothing(home, wrong):
    assert home.run(*wrong).exit_code == 2
    assert not home.data.exists()


def test_an_unknown_plan_is_told(home):
    assert "plan 'gold'" in home.told("user", "add", "Mary", "--plan", "gold")


def test_a_plan_of_the_settings_is_taken(home):
    (home.folder / "lifeecho.toml").write_text("[plans.small]\nturns_a_day = 5\n")
    assert home.json("user", "add", "Mary", "--plan", "small")["plan"] == "small"


def test_a_wrong_setting_is_named(home):
    (home.folder / "lifeecho.toml").write_text("porridge = 3\n")
    assert "'porridge'" in home.told("user", "list")


def test_the_settings_file_may_be_elsewhere(home):
    (home.folder / "other.toml").write_text("[plans.small]\nturns_a_day = 5\n")
    config = ["--config", str(home.folder / "other.toml")]
    assert home.json("user", "add", "Mary", "--plan", "small", *config)["plan"] == "small"


def test_lists_show_everyone(home):
    home.ok("user", "add", "奶奶")
    home.ok("user", "add", "Mary", "--role", "family", "--lang", "en")
    assert [user["name"] for user in home.json("user", "list")] == ["奶奶", "Mary"]
    shown = home.ok("user", "list").splitlines()
    assert len(shown) == 2
    assert "奶奶  elder   zh  unlimited" in shown[0]
    assert "Mary  family  en  unlimited" in shown[1]


def test_empty_lists_say_what_to_do(home):
    assert "lifeecho user add" in home.ok("user", "list")
    assert "lifeecho user add" in home.ok("narrator", "list")


def test_names_may_be_ids_and_must_be_unique(home):
    first = home.json("user", "add", "阿姨", "--role", "family")
    home.ok("user", "add", "阿姨", "--role", "family")
    assert "give the id" in home.told("user", "show", "阿姨")
    assert home.json("user", "show", first["id"])["id"] == first["id"]
    assert "no user" in home.told("user", "show", "nobody")


@pytest.mark.parametrize("given", ["talk", "read", "manage"])
def test_access_is_given_and_taken(home, given):
    elder = home.json("user", "add", "奶奶")
    mary = home.json("user", "add", "Mary", "--role", "family")
    answer = home.json("access", "Mary", "奶奶", given)
    assert answer == {"user_id": mary["id"], "narrator_id": elder["narrator_id"], "level": given}
    with Database.open(home.data / FILE_NAME) as data:
        assert level(data.connection, mary["id"], elder["narrator_id"]) is Level(given)
    shown = home.json("user", "show", "Mary")["access"]
    assert shown == [{"narrator_id": elder["narrator_id"], "name": "奶奶", "level": given}]
    home.ok("access", "Mary", "奶奶", "none")
    assert home.json("user", "show", "Mary")["access"] == []


def test_narrator_shows_who_has_access(home):
    home.ok("user", "add", "奶奶", "--birth-year", "1940")
    lines = home.ok("narrator", "show", "奶奶").splitlines()
    assert "birth_year  1940" in lines
    assert "talk        奶奶" in lines


def test_disabling_can_be_undone(home):
    home.ok("user", "add", "Mary", "--role", "family")
    assert home.json("user", "disable", "Mary")["disabled"] is True
    assert home.json("user", "show", "Mary")["disabled"] is True
    home.ok("user", "disable", "Mary", "--undo")
    assert home.json("user", "show", "Mary")["disabled"] is False


def test_deleting_a_user_keeps_the_narrator(home):
    home.ok("user", "add", "奶奶")
    assert home.json("user", "delete", "奶奶")["deleted"] is True
    assert home.json("user", "list") == []
    assert [person["name"] for person in home.json("narrator", "list")] == ["奶奶"]


def test_deleting_a_narrator_leaves_no_word_in_the_files(home):
    home.ok("user", "add", "奶奶", "--birth-place", "一个特别的地方")
    home.ok("narrator", "delete", "奶奶", "--yes")
    home.ok("user", "delete", "奶奶", "--yes")
    assert home.json("narrator", "list") == []
    kept = b"".join(path.read_bytes() for path in home.data.glob(f"{FILE_NAME}*"))
    assert "一个特别的地方".encode() not in kept
    assert "奶奶".encode() not in kept


def test_a_token_lets_its_user_in_for_its_time(home):
    mary = home.json("user", "add", "Mary", "--role", "family")
    token = home.ok("token", "Mary", "--ttl", "60").strip()
    now = datetime.now(UTC)
    assert check(load_secret(home.data), token, now=now).user_id == mary["id"]
    assert stat.S_IMODE((home.data / "secret").stat().st_mode) == 0o600
    assert "no user" in home.told("token", "nobody")


def test_a_newer_database_is_told_in_one_sentence(home):
    home.ok("user", "list")
    with Database.open(home.data / FILE_NAME) as data, data.transaction() as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " SELECT migration_set, 'from_the_future', applied_at FROM _sqlite_migrations LIMIT 1"
        )
    assert "newer version" in home.told("user", "list")


def test_json_is_one_line(home):
    home.ok("user", "add", "奶奶")
    for command in (["user", "list"], ["user", "show", "奶奶"], ["narrator", "list"]):
        assert isinstance(json.loads(home.ok(*command, "--json")), list | dict)
        assert home.ok(*command, "--json").count("\n") == 1


def test_nobody_is_added_whose_language_is_not_spoken_here(home):
    for command in (("user", "add"), ("narrator", "add")):
        assert "es is not spoken here" in home.told(*command, "Rosa", "--lang", "es")
    assert home.json("narrator", "list") == []


def test_a_further_language_of_the_settings_may_be_given(home):
    (home.folder / "lifeecho.toml").write_text('languages = ["zh", "es"]\n')
    assert home.json("narrator", "add", "Rosa", "--lang", "es-MX")["language"] == "es-MX"
