"""doctor: what is right, what is worth a note, what is wrong."""

import json
import os
import shutil

from lifeecho_server.store.database import FILE_NAME


def findings(home) -> dict[str, tuple[str, str]]:
    result = home.run("doctor", "--json")
    answer = json.loads(result.stdout)
    assert answer["ok"] is (result.exit_code == 0)
    return {one["check"]: (one["level"], one["text"]) for one in answer["findings"]}


def test_a_new_machine_is_in_order(home):
    found = findings(home)
    assert found["database"][0] == "note"
    assert found["whisper"][0] == "note"
    assert found["python"][0] == "ok"
    assert found["speech"] == ("ok", "espeak-ng reads replies aloud")
    assert not home.data.exists()


def test_speech_that_is_switched_off_is_noted(home, monkeypatch):
    monkeypatch.setenv("LIFEECHO_SPEECH_ENGINE", "none")
    level, text = findings(home)["speech"]
    assert (level, text.split(":")[0]) == ("note", "replies are not read aloud")


def test_a_household_in_order(home, models_made):
    home.ok("user", "add", "奶奶")
    shutil.copytree(models_made / "micro-whisper", home.models / "micro-whisper")
    shutil.copy(models_made / "micro-llama.gguf", home.models)
    found = findings(home)
    assert found["data"][0] == "ok"
    assert found["database"] == ("ok", "the database is whole and of this version")
    assert found["recognition"][0] == "ok"
    assert found["whisper"] == ("ok", "micro-whisper loads")
    assert found["llama"][0] == "ok"
    assert found["llm"] == ("ok", "micro-llama loads")
    assert found["server"][0] == "note"


def test_a_running_server_is_named(home):
    home.ok("user", "list")
    url = "http://127.0.0.1:8443"
    server = {"url": url, "port": 8443, "pid": os.getpid()}
    (home.data / "server.json").write_text(json.dumps(server))
    assert findings(home)["server"] == ("ok", f"a server runs at {url}")


def test_files_that_others_may_read_are_wrong(home):
    home.ok("user", "add", "Mary", "--role", "family")
    home.ok("token", "Mary")
    (home.data / "secret").chmod(0o644)
    level, text = findings(home)["data"]
    assert level == "wrong"
    assert "secret" in text


def test_a_damaged_database_is_wrong(home):
    home.ok("user", "add", "Mary", "--role", "family")
    path = home.data / FILE_NAME
    content = bytearray(path.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    path.write_bytes(content)
    level, text = findings(home)["database"]
    assert level == "wrong"
    assert "restore the last backup" in text


def test_a_changed_model_is_wrong(home, models_made):
    home.ok("models", "import", str(models_made / "micro-whisper"))
    with (home.models / "micro-whisper" / "model.bin").open("ab") as weights:
        weights.write(b"x")
    level, text = findings(home)["whisper"]
    assert level == "wrong"
    assert "model.bin" in text


def test_a_model_that_is_named_and_not_there_is_wrong(home):
    (home.folder / "lifeecho.toml").write_text('llm_model = "qwen"\n')
    assert findings(home)["llm"][0] == "wrong"


def test_a_person_sees_lines(home):
    assert any(line.startswith("ok     Python") for line in home.ok("doctor").splitlines())
