"""Start LifeEcho Server on a fresh machine: make ``.venv`` when needed, then hand over.

``python3 run.py [ARGUMENTS]`` passes its arguments on to ``lifeecho`` (``serve`` when there are
none); ``python3 run.py test`` runs the whole test suite; ``python3 run.py install-llama [WHEEL]``
builds the language engine now, or takes one that is already built. Only the standard library is
used here, and everything said goes to standard error.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

OLDEST_PYTHON = (3, 11)
BUILD_CORE_MINUTES = 14  # measured: 7 minutes on 2 cores
SERVING = ("build", "run", "speech")
TESTING = (*SERVING, "test")
ASKING = ("--help", "-h", "--version")
CHECKS = (
    ("ruff check", ("ruff", "check", ".")),
    ("ruff format", ("ruff", "format", "--check", ".")),
    ("mypy", ("mypy",)),
)


class CannotStart(Exception):
    """Something a person has to do first; ``str()`` says what."""


@dataclass(frozen=True)
class Route:
    """What to run: ``kind`` is ``serve``, ``command``, ``test``, ``install-llama`` or ``build``."""

    kind: str
    arguments: tuple[str, ...]


def route(arguments: Sequence[str]) -> Route:
    """Tell our own words from those of the command line; nothing, or a flag first, serves."""
    first, rest = (arguments[0], tuple(arguments[1:])) if arguments else ("", ())
    if first in ("test", "install-llama"):
        return Route(first, rest)
    if first == "build-llama-beside":
        return Route("build", rest)
    if first in ASKING or (first and first != "serve" and not first.startswith("-")):
        return Route("command", tuple(arguments))
    passed_on = tuple(arguments) if first == "serve" else ("serve", *arguments)
    asked = {*ASKING, "--print-config"} & set(passed_on)
    return Route("command" if asked else "serve", passed_on)


def sections(lock: str) -> dict[str, list[str]]:
    """Read the lock file: ``name==version`` lines under ``# [section]`` headings."""
    found: dict[str, list[str]] = {}
    here: list[str] = []
    for line in map(str.strip, lock.splitlines()):
        if line.startswith("# [") and line.endswith("]"):
            here = found.setdefault(line[3:-1], [])
        elif line and not line.startswith("#"):
            here.append(line)
    return found


def stamp(pins: Iterable[str], project: bytes, python: tuple[int, int]) -> str:
    """Return what an environment is known by: its pins, pyproject.toml and Python's version."""
    text = "\n".join([*pins, f"python {python[0]}.{python[1]}", ""])
    return hashlib.sha256(text.encode() + project).hexdigest()


def llama_step(*, there: bool, building: bool, failed: bool, compiler: bool) -> str:
    """Decide about the language engine: ``ready``, ``building``, ``failed``, ``bare``, ``build``.

    ``failed`` is that this very version failed before; ``bare`` is a machine without a compiler.
    """
    if there:
        return "ready"
    if building:
        return "building"
    if failed:
        return "failed"
    return "build" if compiler else "bare"


def build_minutes(cores: int) -> int:
    """Estimate how long llama.cpp compiles, in minutes."""
    return max(2, round(BUILD_CORE_MINUTES / max(1, cores)))


def has_compiler(environment: Mapping[str, str]) -> bool:
    """Whether a C and a C++ compiler can be found."""
    path = environment.get("PATH")

    def found(names: Sequence[str]) -> bool:
        return any(shutil.which(name, path=path) for name in names)

    c = "CC" in environment or found(("cc", "gcc", "clang", "cl"))
    return c and ("CXX" in environment or found(("c++", "g++", "clang++", "cl")))


def package_named(line: str) -> str | None:
    """Return the package that a line of pip's output begins to work on, if it does."""
    for opening in ("Collecting ", "Processing ", "Requirement already satisfied: ", "Ignoring "):
        if line.startswith(opening):
            name = Path(line[len(opening) :].split()[0]).name
            return re.split(r"==|-\d|:", name)[0].replace("_", "-").lower()
    return None


@dataclass(frozen=True)
class Environment:
    """The checkout ``root`` and the ``.venv`` in it."""

    root: Path
    python_version: tuple[int, int]

    @property
    def venv(self) -> Path:
        """The folder of the environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        windows = os.name == "nt"
        return self.venv / ("Scripts/python.exe" if windows else "bin/python")

    @property
    def llama_log(self) -> Path:
        """Where the build of the language engine tells its story."""
        return self.venv / "llama-build.log"

    @property
    def llama_lock(self) -> Path:
        """Held while the language engine is being built."""
        return self.venv / "llama-build.lock"

    def pins(self, *names: str) -> list[str]:
        """Return the pins of some sections of the lock file."""
        found = sections((self.root / "requirements.lock").read_text("utf-8"))
        return [pin for name in names for pin in found[name]]

    def stamp_of(self, *names: str) -> str:
        """Return the stamp that an environment with these sections must carry."""
        project = (self.root / "pyproject.toml").read_bytes()
        return stamp(self.pins(*names), project, self.python_version)

    def llama_stamp(self) -> str:
        """Return the stamp of the language engine; it does not depend on pyproject.toml."""
        return stamp(self.pins("llama"), b"", self.python_version)

    def carries(self, name: str, expected: str) -> bool:
        """Whether the environment carries a stamp."""
        path = self.venv / f"{name}.stamp"
        return path.is_file() and path.read_text("utf-8") == expected

    def put(self, name: str, text: str) -> None:
        """Stamp the environment."""
        (self.venv / f"{name}.stamp").write_text(text, "utf-8")

    def unstamp(self) -> None:
        """Take the stamps off before anything changes, so that an interrupted install shows."""
        for whole in (SERVING, TESTING):
            (self.venv / f"{whole[-1]}.stamp").unlink(missing_ok=True)

    def ready(self, *names: str) -> bool:
        """Whether everything in these sections is installed; cheap."""
        return self.python.exists() and self.carries(names[-1], self.stamp_of(*names))

    def llama_there(self) -> bool:
        """Whether a language engine is installed: the pinned one, or one that was chosen."""
        if self.carries("llama", self.llama_stamp()):
            return True
        pin = next(pin for pin in self.pins("llama") if pin.startswith("llama-cpp-python=="))
        record = f"llama_cpp_python-{pin.split('==')[1]}.dist-info/RECORD"
        lib = self.venv / (
            "Lib" if os.name == "nt" else "lib/python{}.{}".format(*self.python_version)
        )
        return (lib / "site-packages" / record).is_file()


def say(text: str) -> None:
    """Tell the person."""
    print(text, file=sys.stderr, flush=True)


def try_lock(file: IO[str]) -> bool:
    """Lock an open file for this process until it is closed; False when another holds it."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def locked(path: Path, waiting: str | None = None) -> Iterator[bool]:
    """Hold a lock file. With ``waiting``, say it once and wait; else yield whether it is held."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        held = try_lock(file)
        if not held and waiting is not None:
            say(waiting)
            while not (held := try_lock(file)):
                time.sleep(0.5)
        yield held


def make_venv(environment: Environment) -> None:
    """Make ``.venv``, or make it anew when what is there cannot run."""
    if healthy(environment):
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = "{}.{}".format(*environment.python_version)
        raise CannotStart(
            f"This Python cannot make environments of its own. On Debian or Ubuntu: "
            f"sudo apt-get install python{version}-venv, then run this again."
        )
    say("Making a place for the packages (.venv) …")
    for old in environment.venv.iterdir():
        if old.suffix != ".lock":
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(environment.venv)], capture_output=True, text=True
    )
    if made.returncode != 0:
        raise CannotStart(
            f"The environment could not be made: {last_words(made.stdout, made.stderr)}"
        )


def healthy(environment: Environment) -> bool:
    """Whether ``.venv`` runs, has pip and is of this Python's version."""
    if not environment.python.exists():
        return False
    question = "import pip, sys; print(*sys.version_info[:2])"
    answer = subprocess.run(
        [str(environment.python), "-c", question], capture_output=True, text=True
    )
    return answer.stdout.split() == [str(part) for part in environment.python_version]


def last_words(*outputs: str) -> str:
    """Return the last line that tells an error, or else the last that says something."""
    lines = [line.strip() for output in outputs for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["no reason was given"])[-1]


def pip(environment: Environment, *arguments: str) -> list[str]:
    """Return the command that installs without resolving: the lock is already whole."""
    quiet = ("--disable-pip-version-check", "--no-input")
    return [str(environment.python), "-m", "pip", *quiet, "install", "--no-deps", *arguments]


def install(environment: Environment, *names: str) -> None:
    """Install some sections and the package itself; stamped only when all of it is there."""
    with locked(environment.venv / "install.lock", "Another start is installing; waiting for it …"):
        if environment.ready(*names):
            return
        environment.unstamp()
        make_venv(environment)
        pins = environment.pins(*names)
        say(f"Installing {len(pins)} packages; the first time this takes a few minutes.")
        log = environment.venv / "install.log"
        log.write_text("", "utf-8")
        # What was cut off may have left a package half unpacked, which pip takes to be there.
        begun = environment.venv / "install.begun"
        again = ("--force-reinstall",) if begun.exists() else ()
        begun.touch()
        follow(pip(environment, *again, *pins), log, len(pins))
        own = pip(environment, "--no-build-isolation", "--editable", str(environment.root))
        follow(own, log, 0)
        for whole in {SERVING, names}:
            environment.put(whole[-1], environment.stamp_of(*whole))
        begun.unlink()
        say("Installed.")


def follow(command: Sequence[str], log: Path, total: int) -> None:
    """Run pip and show how far it is. Raises CannotStart when it fails."""
    seen: set[str] = set()
    with (
        log.open("a", encoding="utf-8") as story,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running,
    ):
        assert running.stdout is not None
        for line in running.stdout:
            story.write(line)
            name = package_named(line)
            if name is not None and name not in seen:
                seen.add(name)
                show_progress(len(seen), total, name)
            elif total and line.startswith("Installing collected packages"):
                say("  unpacking …")
    if running.returncode != 0:
        raise CannotStart(
            f"The packages could not be installed: {last_words(log.read_text('utf-8'))}\n"
            f"Is this machine on-line, and is there room on the disk? All of it is in {log}. "
            "Run this again to go on."
        )


def show_progress(number: int, total: int, name: str) -> None:
    """Show one package on a terminal, every tenth elsewhere."""
    if sys.stderr.isatty():
        print(f"\r  {number} of {total}: {name:<40}", end="\n" * (number >= total), file=sys.stderr)
    elif total and (number % 10 == 0 or number == total):
        say(f"  {number} of {total}")


def llama_now(environment: Environment) -> str:
    """Look at the machine and decide about the language engine."""
    with locked(environment.llama_lock) as free:
        return llama_step(
            there=environment.llama_there(),
            building=not free,
            failed=environment.carries("llama-failed", environment.llama_stamp()),
            compiler=has_compiler(os.environ),
        )


def start_llama(environment: Environment) -> None:
    """Before serving: begin the build beside the server when it is due, and say what holds."""
    step = llama_now(environment)
    minutes = build_minutes(os.cpu_count() or 1)
    if step == "build":
        say(
            f"The language engine (llama.cpp) is being compiled beside the server, about {minutes} "
            "minutes; until the next start after that, the scripted interviewer talks."
        )
        build_beside(environment)
    elif step == "building":
        say(
            "The language engine is still being compiled; the scripted interviewer talks meanwhile."
        )
    elif step == "bare":
        say(f"No C++ compiler: the scripted interviewer talks. {llama_advice()}")
    elif step == "failed":
        say(
            f"The language engine could not be compiled (see {environment.llama_log}): "
            f"the scripted interviewer talks. {llama_advice()}"
        )


def llama_advice() -> str:
    """Say how to get a language engine without compiling here."""
    return (
        "To have the language engine: install a compiler (on Debian or Ubuntu: "
        "sudo apt-get install g++), or fetch a prebuilt wheel of llama-cpp-python for this "
        "machine; then python3 run.py install-llama [WHEEL]."
    )


def build_beside(environment: Environment) -> None:
    """Start the build in a process of its own, which outlives this one."""
    command = [str(environment.python), str(environment.root / "run.py"), "build-llama-beside"]
    with environment.llama_log.open("w", encoding="utf-8") as log:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def build_llama(environment: Environment, wheel: str | None = None) -> bool:
    """Install the language engine, whoever waits for it; return whether it is there afterwards."""
    pins = environment.pins("llama")
    if wheel is not None:
        pins = [wheel, *(pin for pin in pins if not pin.startswith("llama-cpp-python"))]
    with environment.llama_log.open("a", encoding="utf-8") as log:
        building = subprocess.Popen(
            pip(environment, *pins), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        built = wait_telling(building) == 0
    if built or wheel is None:
        environment.put("llama" if built else "llama-failed", environment.llama_stamp())
    return built


def wait_telling(building: subprocess.Popen[bytes]) -> int:
    """Wait for a long build and give a sign of life every minute; return its exit code."""
    minutes = 0
    while True:
        try:
            return building.wait(timeout=60)
        except subprocess.TimeoutExpired:
            minutes += 1
            say(f"  still compiling, {minutes} min")


def build_llama_beside(environment: Environment) -> int:
    """The process of the build: one at a time, and nothing to do when another has done it."""
    with locked(environment.llama_lock) as held:
        if not held or environment.llama_there():
            return 0
        if hasattr(os, "nice"):
            os.nice(10)
        return 0 if build_llama(environment) else 1


def install_llama(environment: Environment, wheel: str | None) -> None:
    """Build the language engine, or take a wheel, while the person waits."""
    if wheel is not None and not Path(wheel).is_file():
        raise CannotStart(f"There is no file {wheel}; give the path of a wheel (….whl).")
    minutes = build_minutes(os.cpu_count() or 1)
    with locked(environment.llama_lock, "It is being compiled already; waiting for that …"):
        if wheel is None and environment.llama_there():
            return
        if wheel is None and not has_compiler(os.environ):
            raise CannotStart(f"There is no C++ compiler. {llama_advice()}")
        if wheel is None:
            say(f"Compiling the language engine (llama.cpp): about {minutes} minutes …")
        if not build_llama(environment, wheel):
            words = last_words(environment.llama_log.read_text("utf-8", "replace"))
            raise CannotStart(
                f"The language engine could not be installed: {words}\n"
                f"All of it is in {environment.llama_log}. {llama_advice()}"
            )
    say("The language engine is installed.")


def run_tests(environment: Environment, arguments: Sequence[str]) -> int:
    """Run the linters, the type checker and pytest (last); return the first failure's code."""
    install(environment, *TESTING)
    install_llama(environment, None)
    failed: dict[str, int] = {}
    for name, module in CHECKS:
        say(f"== {name}")
        code = subprocess.call([str(environment.python), "-m", *module], cwd=environment.root)
        if code != 0:
            failed[name] = code
    say("== pytest" + (f" (failed above: {', '.join(failed)})" if failed else ""))
    command = [str(environment.python), "-m", "pytest", *arguments]
    code = subprocess.call(command, cwd=environment.root)
    return code or next(iter(failed.values()), 0)


def hand_over(environment: Environment, arguments: Sequence[str]) -> NoReturn:
    """Become the command line."""
    command = [str(environment.python), "-m", "lifeecho_server", *arguments]
    if os.name == "nt":
        with subprocess.Popen(command) as child, contextlib.suppress(KeyboardInterrupt):
            child.wait()
        sys.exit(child.returncode)
    os.execv(command[0], command)


def run(environment: Environment, wanted: Route) -> int:
    """Do what was asked for; return the exit code."""
    if wanted.kind == "build":
        return build_llama_beside(environment)
    if wanted.kind == "test":
        return run_tests(environment, wanted.arguments)
    if not environment.ready(*SERVING):
        install(environment, *SERVING)
    if wanted.kind == "install-llama":
        install_llama(environment, next(iter(wanted.arguments), None))
        return 0
    if wanted.kind == "serve":
        start_llama(environment)
    hand_over(environment, wanted.arguments)


def main(arguments: Sequence[str]) -> int:
    """Run; tell what a person has to do in plain words."""
    python = (sys.version_info[0], sys.version_info[1])
    if python < OLDEST_PYTHON:
        say("LifeEcho needs Python {}.{} or newer; this is {}.{}.".format(*OLDEST_PYTHON, *python))
        return 1
    try:
        return run(Environment(Path(__file__).resolve().parent, python), route(arguments))
    except CannotStart as reason:
        say(str(reason))
        return 1
    except KeyboardInterrupt:
        say("Stopped. Run this again to go on.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
