"""run.py: what it decides, what it stamps, and that the lock is whole."""

import importlib.util
import os
import re
import stat
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def load_run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_under_test", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


run = load_run()
LOCK = "# a note\n\n# [build]\nsetuptools==1\n# [run]\nnumpy==2.0\n# [speech]\nvoice==3\n"
LOCK += "# [test]\npytest==9\n# [llama]\njinja2==3\nllama-cpp-python==0.3.1\n"


@pytest.fixture
def environment(tmp_path: Path):
    (tmp_path / "requirements.lock").write_text(LOCK)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return run.Environment(tmp_path, (3, 11))


def stand_in_python(environment, answer: str) -> None:
    environment.python.parent.mkdir(parents=True, exist_ok=True)
    environment.python.write_text(f"#!/bin/sh\n{answer}\n")
    environment.python.chmod(0o700)


@pytest.mark.parametrize(
    ("arguments", "kind", "passed_on"),
    [
        ([], "serve", ("serve",)),
        (["--port", "9000"], "serve", ("serve", "--port", "9000")),
        (["serve", "--json"], "serve", ("serve", "--json")),
        (["--help"], "command", ("--help",)),
        (["serve", "--help"], "command", ("serve", "--help")),
        (["--print-config"], "command", ("serve", "--print-config")),
        (["user", "list"], "command", ("user", "list")),
        (["test", "-k", "store"], "test", ("-k", "store")),
        (["install-llama", "a.whl"], "install-llama", ("a.whl",)),
        (["build-llama-beside"], "build", ()),
    ],
)
def test_arguments_are_routed(arguments, kind, passed_on):
    assert run.route(arguments) == run.Route(kind, passed_on)


def test_lock_is_read_by_sections():
    assert run.sections(LOCK) == {
        "build": ["setuptools==1"],
        "run": ["numpy==2.0"],
        "speech": ["voice==3"],
        "test": ["pytest==9"],
        "llama": ["jinja2==3", "llama-cpp-python==0.3.1"],
    }


def test_stamp_changes_with_pins_project_and_python():
    stamps = {
        run.stamp(["a==1"], b"p", (3, 11)),
        run.stamp(["a==2"], b"p", (3, 11)),
        run.stamp(["a==1"], b"q", (3, 11)),
        run.stamp(["a==1"], b"p", (3, 12)),
    }
    assert len(stamps) == 4
    assert run.stamp(["a==1"], b"p", (3, 11)) in stamps


@pytest.mark.parametrize(
    ("facts", "step"),
    [
        ({"there": True, "building": True, "failed": True, "compiler": False}, "ready"),
        ({"there": False, "building": True, "failed": True, "compiler": True}, "building"),
        ({"there": False, "building": False, "failed": True, "compiler": True}, "failed"),
        ({"there": False, "building": False, "failed": False, "compiler": False}, "bare"),
        ({"there": False, "building": False, "failed": False, "compiler": True}, "build"),
    ],
)
def test_llama_is_decided_by_what_is_there(facts, step):
    assert run.llama_step(**facts) == step


@pytest.mark.parametrize(("cores", "minutes"), [(1, 14), (2, 7), (4, 4), (64, 2), (0, 14)])
def test_build_time_is_told_by_cores(cores, minutes):
    assert run.build_minutes(cores) == minutes


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Collecting numpy==2.4.6", "numpy"),
        ("Processing /some/where/flat_buffers-25.12.19-py3-none-any.whl", "flat-buffers"),
        ("Requirement already satisfied: trio==0.35.0 in ./.venv (0.35.0)", "trio"),
        ("Ignoring cffi: markers 'os_name == \"nt\"' don't match", "cffi"),
        ("  Downloading numpy.whl", None),
    ],
)
def test_progress_is_read_from_pip(line, name):
    assert run.package_named(line) == name


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ("ERROR: no room\nhint: look above\n\n", "ERROR: no room"),
        ("one\n two \n", "two"),
        ("", "no reason was given"),
    ],
)
def test_the_last_words_tell_the_error(story, words):
    assert run.last_words("", story) == words


def test_a_compiler_needs_both_languages(tmp_path):
    path = {"PATH": str(tmp_path)}
    assert not run.has_compiler(path)
    for name in ("cc", "g++"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o700)
        found = run.has_compiler(path)
    assert found
    (tmp_path / "cc").unlink()
    assert not run.has_compiler(path)
    assert run.has_compiler({**path, "CC": "mycc"})


def test_environment_is_ready_only_with_python_and_stamp(environment):
    assert not environment.ready(*run.SERVING)
    stand_in_python(environment, "true")
    assert not environment.ready(*run.SERVING)
    environment.put(run.SERVING[-1], environment.stamp_of(*run.SERVING))
    assert environment.ready(*run.SERVING)
    assert not environment.ready(*run.TESTING)
    environment.unstamp()
    assert not environment.ready(*run.SERVING)


def test_changed_lock_or_project_makes_it_unready(environment):
    stand_in_python(environment, "true")
    environment.put(run.SERVING[-1], environment.stamp_of(*run.SERVING))
    (environment.root / "pyproject.toml").write_text("[project]\nname='x'\n")
    assert not environment.ready(*run.SERVING)


def test_half_made_environment_is_not_healthy(environment):
    assert not run.healthy(environment)
    stand_in_python(environment, "exit 1")
    assert not run.healthy(environment)
    stand_in_python(environment, "echo 3 10")
    assert not run.healthy(environment)
    stand_in_python(environment, "echo 3 11")
    assert run.healthy(environment)


def test_a_failed_install_leaves_no_stamp_and_says_why(environment, capsys):
    stand_in_python(environment, 'case "$*" in *install*) echo no room; exit 1;; esac; echo 3 11')
    environment.put(run.SERVING[-1], "an older stamp")
    with pytest.raises(run.CannotStart, match="no room"):
        run.install(environment, *run.SERVING)
    assert not list(environment.venv.glob("*.stamp"))
    assert "Installing 3 packages" in capsys.readouterr().err


def test_what_was_cut_off_is_installed_again(environment):
    broken = 'case "$*" in *install*) echo "$@" >> told; exit $(cat code);; esac; echo 3 11'
    stand_in_python(environment, f"cd {environment.root}\n{broken}")
    (environment.root / "code").write_text("1")
    with pytest.raises(run.CannotStart):
        run.install(environment, *run.SERVING)
    (environment.root / "code").write_text("0")
    run.install(environment, *run.SERVING)
    first, second, own = (environment.root / "told").read_text().splitlines()
    assert "--force-reinstall" not in first + own
    assert "--force-reinstall" in second
    assert not (environment.venv / "install.begun").exists()


def test_a_wheel_that_is_no_wheel_is_told_and_forgotten(environment):
    stand_in_python(environment, "echo no wheel; exit 1")
    with pytest.raises(run.CannotStart, match="There is no file"):
        run.install_llama(environment, "nowhere.whl")
    (environment.root / "bad.whl").touch()
    with pytest.raises(run.CannotStart, match="no wheel"):
        run.install_llama(environment, str(environment.root / "bad.whl"))
    assert not (environment.venv / "llama-failed.stamp").exists()


def test_an_install_is_stamped_at_its_end(environment, capsys):
    stand_in_python(
        environment, 'case "$*" in *install*) echo Collecting numpy==2.0;; esac; echo 3 11'
    )
    run.install(environment, *run.TESTING)
    assert environment.ready(*run.SERVING)
    assert environment.ready(*run.TESTING)
    assert capsys.readouterr().out == ""


def test_missing_venv_module_is_told(environment, monkeypatch):
    environment.venv.mkdir()
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(run.CannotStart, match=r"apt-get install python3\.11-venv"):
        run.make_venv(environment)


def test_llama_counts_as_there_when_chosen_or_pinned(environment):
    assert not environment.llama_there()
    record = "lib/python3.11/site-packages/llama_cpp_python-0.3.1.dist-info/RECORD"
    (environment.venv / record).parent.mkdir(parents=True)
    (environment.venv / record).write_text("")
    assert environment.llama_there()
    (environment.venv / record).unlink()
    environment.put("llama", environment.llama_stamp())
    assert environment.llama_there()


def test_a_failed_llama_build_is_said_at_each_start(environment, monkeypatch, capsys):
    stand_in_python(environment, "echo no compiler works; exit 1")
    assert not run.build_llama(environment)
    assert "no compiler works" in environment.llama_log.read_text()
    monkeypatch.setattr(run, "build_beside", pytest.fail)
    for _ in range(2):
        run.start_llama(environment)
        said = capsys.readouterr().err
        assert "could not be compiled" in said
        assert "install-llama" in said


def test_a_wheel_takes_the_place_of_the_pin(environment, capsys):
    stand_in_python(environment, 'echo "$@"')
    wheel = environment.root / "mine.whl"
    wheel.touch()
    run.install_llama(environment, str(wheel))
    told = environment.llama_log.read_text()
    assert "mine.whl jinja2==3" in told
    assert "llama-cpp-python" not in told
    assert environment.llama_there()
    assert "is installed" in capsys.readouterr().err


def test_a_build_beside_is_left_alone(environment, capsys):
    environment.venv.mkdir()
    with run.locked(environment.llama_lock) as held:
        assert held
        assert run.llama_now(environment) == "building"
        assert run.build_llama_beside(environment) == 0
        run.start_llama(environment)
    assert not environment.llama_log.exists()
    assert "still being compiled" in capsys.readouterr().err


def test_old_python_is_told_plainly(monkeypatch, capsys):
    monkeypatch.setattr(run.sys, "version_info", (3, 9, 2))
    assert run.main([]) == 1
    assert capsys.readouterr().err == "LifeEcho needs Python 3.11 or newer; this is 3.9.\n"


def test_checks_all_run_and_pytest_is_last(environment, monkeypatch, capfd):
    stand_in_python(environment, 'echo "$@"; case "$*" in *mypy*) exit 3;; esac')
    for step in ("install", "install_llama"):
        monkeypatch.setattr(run, step, lambda *_arguments: None)
    assert run.run_tests(environment, ["-x"]) == 3
    told = capfd.readouterr()
    assert told.out.splitlines() == [
        "-m ruff check .",
        "-m ruff format --check .",
        "-m mypy",
        "-m pytest -x",
    ]
    assert "failed above: mypy" in told.err


def lock_of_this_checkout() -> dict[str, str]:
    pins: dict[str, str] = {}
    for section in run.sections((ROOT / "requirements.lock").read_text("utf-8")).values():
        for pin in map(Requirement, section):
            assert re.fullmatch(r"==[0-9][0-9a-z.]*", str(pin.specifier)), pin
            assert pin.name not in pins, pin
            pins[canonicalize_name(pin.name)] = str(pin.specifier).removeprefix("==")
    return pins


def test_lock_satisfies_the_project():
    pins = lock_of_this_checkout()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), (
            requirement
        )


def test_lock_is_closed_under_what_its_packages_require():
    pins = lock_of_this_checkout()
    for name in pins:
        if name in ("setuptools", "cffi", "pycparser", "colorama"):
            continue  # for the build alone, or for Windows alone
        for text in distribution(name).requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                there = pins[canonicalize_name(requirement.name)]
                assert requirement.specifier.contains(there), (name, text)


def test_ci_runs_the_suite_by_the_same_command():
    script = ROOT / ".ci" / "run"
    assert stat.S_IMODE(script.stat().st_mode) & 0o111
    assert script.read_text("utf-8").splitlines()[-1] == "exec python3 run.py test"
    assert os.access(script, os.X_OK)
