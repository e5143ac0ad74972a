"""Settings: layer over layer, each with its source, and wrong ones named."""

from pathlib import Path

import pytest

from lifeecho_server.settings import Plan, Settings, SettingsError, load


def test_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load(environment={})
    assert loaded.settings == Settings()
    assert set(loaded.sources.values()) == {"default"}
    assert loaded.settings.port == 8443


def test_flags_over_environment_over_file(tmp_path: Path) -> None:
    config = tmp_path / "l.toml"
    config.write_text('port = 1\nhost = "1.1.1.1"\nlog_level = "debug"\n')
    loaded = load({"port": 3, "host": None}, config, {"LIFEECHO_PORT": "2", "LIFEECHO_HOST": "h"})
    assert (loaded.settings.port, loaded.settings.host) == (3, "h")
    assert loaded.settings.log_level == "debug"
    sources = {name: loaded.sources[name] for name in ("port", "host", "log_level", "data_dir")}
    assert sources == {
        "port": "flag",
        "host": "environment",
        "log_level": "file",
        "data_dir": "default",
    }


def test_environment_is_text_and_lists_are_json() -> None:
    loaded = load(
        environment={
            "LIFEECHO_RE_GREETING": "false",
            "LIFEECHO_PART_PAUSE": "0.25",
            "LIFEECHO_ALLOWED_HOSTS": '["a", "b"]',
            "LIFEECHO_PLANS": '{"small": {"turns_a_day": 3}}',
            "LIFEECHO_DATA_DIR": "/x",
        }
    ).settings
    assert (loaded.re_greeting, loaded.part_pause) == (False, 0.25)
    assert loaded.allowed_hosts == ("a", "b")
    assert loaded.plan("small") == Plan(turns_a_day=3)
    assert loaded.data_dir == Path("/x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIFEECHO_PRT", "1"),
        ("LIFEECHO_PORT", "many"),
        ("LIFEECHO_PLANS", "{"),
        ("LIFEECHO_PLANS", '{"p": {"turns": 1}}'),
    ],
)
def test_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.removeprefix("LIFEECHO_").lower()):
        load(environment={name: value})


@pytest.mark.parametrize("text", ["prt = 1", "port = 'x'", "port = [", "port = true"])
def test_wrong_file_is_told(tmp_path: Path, text: str) -> None:
    config = tmp_path / "l.toml"
    config.write_text(text)
    with pytest.raises(SettingsError):
        load(None, config, {})


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        load(None, tmp_path / "none.toml", {})


def test_plans() -> None:
    assert Settings().plan("unlimited") == Plan()
    with pytest.raises(SettingsError, match="small"):
        Settings().plan("small")
