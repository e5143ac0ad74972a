"""serve: the settings it shows. (Serving itself is tested with the app.)"""

import json


def test_print_config_tells_where_each_setting_came_from(home, monkeypatch):
    (home.folder / "lifeecho.toml").write_text("llm_context = 4096\nport = 1\n")
    monkeypatch.setenv("LIFEECHO_CHIPS", "false")
    config = home.json("serve", "--print-config", "--port", "9000")
    assert config["port"] == {"value": 9000, "source": "flag"}
    assert config["llm_context"] == {"value": 4096, "source": "file"}
    assert config["chips"] == {"value": False, "source": "environment"}
    assert config["host"] == {"value": "0.0.0.0", "source": "default"}
    assert config["data_dir"] == {"value": str(home.data), "source": "flag"}


def test_print_config_for_a_person(home):
    lines = home.ok("serve", "--print-config", "--port", "0").splitlines()
    assert "port = 0  (flag)" in lines
    assert 'host = "0.0.0.0"  (default)' in lines


def test_a_port_that_is_none_is_wrong_use(home):
    assert home.run("serve", "--port", "70000").exit_code == 2


def test_a_missing_settings_file_is_wrong_use(home):
    missing = str(home.folder / "none.toml")
    assert home.run("serve", "--print-config", "--config", missing).exit_code == 2


def test_json_config_is_one_line(home):
    text = home.ok("serve", "--print-config", "--json")
    assert text.count("\n") == 1
    assert "port" in json.loads(text)
