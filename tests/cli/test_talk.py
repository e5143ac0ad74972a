"""talk and serve, with the real server: in the same process, and in one of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lifeecho_server.store.conversations import conversation
from lifeecho_server.store.database import FILE_NAME, Database

PROFILE = (
    *("--lang", "en", "--nickname", "Nan", "--birth-year", "1940", "--birth-place", "Leeds"),
    *("--grew-up-place", "York", "--occupation", "a nurse"),
)


@contextmanager
def serving(home, *flags: str) -> Iterator[dict]:
    """Run a server in a process of its own; it must stop in order at SIGTERM."""
    places = ["--data-dir", str(home.data), "--models-dir", str(home.models)]
    command = [sys.executable, "-m", "lifeecho_server", "serve", "--host", "127.0.0.1", *flags]
    with subprocess.Popen(
        [*command, "--port", "0", "--json", *places], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            yield json.loads(server.stdout.readline())
        finally:
            server.send_signal(signal.SIGTERM)
            rest = server.stdout.read()
    assert server.returncode == 0
    assert rest == ""


def conversation_of(result) -> str:
    return result.stderr.splitlines()[0].removeprefix("conversation ")


def turn_count(home, conversation_id: str) -> int:
    with Database.open(home.data / FILE_NAME) as data:
        found = conversation(data.connection, conversation_id)
    assert found is not None
    return found.turn_count


def test_without_a_user_it_says_how_to_make_one(home):
    assert "lifeecho user add" in home.told("talk")


def test_several_users_must_be_told_apart(home):
    home.ok("user", "add", "Nan")
    home.ok("user", "add", "Mary", "--role", "family")
    assert "Nan, Mary" in home.told("talk")


def test_a_server_that_is_not_there_is_told(home):
    home.ok("user", "add", "Nan")
    result = home.run("talk", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "no server answers" in result.stderr


@pytest.mark.parametrize("wrong", [["--audio", "nowhere.wav"], ["--dance"], ["a", "b"]])
def test_wrong_use(home, wrong):
    assert home.run("talk", *wrong).exit_code == 2


def test_talk_with_a_server_of_its_own(home):
    home.ok("user", "add", "Nan", *PROFILE)
    result = home.run("talk", stdin="We lived by the river.\nMy father was a baker.\n")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") >= 3
    # A greeting, two turns, and an answer to each.
    assert turn_count(home, conversation_of(result)) == 5
    assert not (home.data / "server.json").exists()


def test_a_conversation_goes_on(home):
    home.ok("user", "add", "Nan", *PROFILE)
    name = conversation_of(home.run("talk", stdin="We lived by the river.\n"))
    again = home.run("talk", "--conversation", name, stdin="My father was a baker.\n")
    assert again.exit_code == 0, again.output
    assert turn_count(home, name) == 5


def test_a_recording_without_a_speech_model_is_kept_and_answered(home):
    home.ok("user", "add", "Nan", *PROFILE)
    recording = home.folder / "talk.wav"
    recording.write_bytes(b"RIFF" + bytes(4000))
    result = home.run("talk", "--audio", str(recording))
    assert result.exit_code == 0, result.output
    assert "! " in result.stdout


def test_a_recording_is_understood_and_answered(home, models_made):
    home.ok("user", "add", "Nan", *PROFILE)
    shutil.copytree(models_made / "micro-whisper", home.models / "micro-whisper")
    recording = models_made / "recordings" / "mother-sang.wav"
    result = home.run("talk", "--audio", str(recording))
    assert result.exit_code == 0, result.output
    _, answer = result.stdout.split("» My mother sang every evening.\n")
    assert answer.strip()


def test_the_server_that_runs_is_found(home):
    added = home.json("user", "add", "Nan", *PROFILE)
    with serving(home) as server:
        assert server["pid"] != os.getpid()
        assert server["url"] in home.ok("doctor")
        result = home.run("talk", added["id"], stdin="We lived by the river.\n")
        assert result.exit_code == 0, result.output
        assert turn_count(home, conversation_of(result)) == 3


def test_a_second_server_and_a_taken_port_are_told(home):
    with serving(home) as server:
        assert "in use" in home.told("serve", "--host", "127.0.0.1", "--port", "0")
        elsewhere = ["--host", "127.0.0.1", "--port", str(server["port"])]
        other = type(home)(home.folder / "other")
        assert str(server["port"]) in other.told("serve", *elsewhere)


def test_whose_story_it_is_must_be_clear(home):
    mary = home.json("user", "add", "Mary", "--role", "family")["id"]
    assert "no narrator" in home.told("talk")
    for name in ("Nan", "Pop"):
        home.ok("narrator", "add", name)
        home.ok("access", mary, name, "talk")
    assert "Nan, Pop" in home.told("talk")


def test_being_refused_is_told_with_the_reason(home):
    home.ok("user", "add", "Nan", "--role", "elder")
    home.ok("narrator", "add", "Pop")
    result = home.run("talk", "--narrator", "Pop", stdin="hello\n")
    assert result.exit_code == 1
    assert "closed the conversation" in result.stderr
    assert result.stdout.startswith("! ")
