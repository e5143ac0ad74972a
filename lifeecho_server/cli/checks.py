"""What ``lifeecho doctor`` looks at: each check returns findings in plain words."""

import importlib.util
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lifeecho_server.cli.address import running_server
from lifeecho_server.cli.models import load_chat_model
from lifeecho_server.engines.catalogue import ModelKind
from lifeecho_server.engines.chosen import SWITCHED_OFF, InstalledEngines
from lifeecho_server.engines.installed import Installed, choose, verify
from lifeecho_server.engines.speaker import Voice
from lifeecho_server.engines.whisper import load_whisper
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.settings import Settings
from lifeecho_server.store.database import FILE_NAME, Connection, Database
from lifeecho_server.store.transcripts import waiting_recognitions

FREE_BYTES = 1_000_000_000
"""Less than this on the disk is a fault: about 35 hours of recordings at a phone's 64 kbit/s."""
WAITING_SHOWN = 100


class Level(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what was found."""

    check: str
    level: Level
    text: str


Check = Callable[[Settings], Iterator[Finding]]


def python_check(_settings: Settings) -> Iterator[Finding]:
    """Tell the interpreter; one that is too old does not get here."""
    yield Finding("python", Level.OK, "Python {}.{}.{}".format(*sys.version_info[:3]))


def disk_check(settings: Settings) -> Iterator[Finding]:
    """Look at the room on the disk that holds the data."""
    place = settings.data_dir.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{free / 1e9:.1f} GB are free for the data"
    if free < FREE_BYTES:
        yield Finding("disk", Level.WRONG, f"only {text}; make room")
    else:
        yield Finding("disk", Level.OK, text)


def folder_check(settings: Settings) -> Iterator[Finding]:
    """Look at who may read the household's data."""
    folder = settings.data_dir
    if not folder.exists():
        yield Finding("data", Level.NOTE, f"{folder} is made at the first start")
        return
    open_to_others = [path for path in (folder, *_private_files(folder)) if _readable(path)]
    for path in open_to_others:
        yield Finding(
            "data", Level.WRONG, f"others on this machine may read {path}; chmod go-rwx {path}"
        )
    if not open_to_others:
        yield Finding("data", Level.OK, f"only this account may read {folder}")


def _private_files(folder: Path) -> Iterator[Path]:
    for name in (FILE_NAME, "secret", "recordings", "tls", "exports"):
        if (folder / name).exists():
            yield folder / name


def _readable(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def database_check(settings: Settings) -> Iterator[Finding]:
    """Look at the database: its version, its integrity, and what waits in it."""
    path = settings.data_dir / FILE_NAME
    if not path.exists():
        yield Finding("database", Level.NOTE, "there is none yet; it is made at the first start")
        return
    try:
        with Database.open(path) as data:
            yield _integrity(data)
            yield _waiting(data.connection)
    except LifeEchoError as error:
        yield Finding("database", Level.WRONG, str(error))


def _integrity(data: Database) -> Finding:
    faults = data.faults()
    if not faults:
        return Finding("database", Level.OK, "the database is whole and of this version")
    return Finding(
        "database", Level.WRONG, f"the database is damaged ({faults[0]}); restore the last backup"
    )


def _waiting(db: Connection) -> Finding:
    count = len(waiting_recognitions(db, WAITING_SHOWN))
    if count == 0:
        return Finding("recognition", Level.OK, "no recording waits to be recognised")
    many = f"{count} or more" if count == WAITING_SHOWN else str(count)
    wait = "recording waits" if count == 1 else "recordings wait"
    return Finding(
        "recognition", Level.NOTE, f"{many} {wait} for a speech model and a running server"
    )


def speech_model_check(settings: Settings) -> Iterator[Finding]:
    """Look whether recognition can work."""

    def loads(model: Installed) -> None:
        load_whisper(model.path, settings.asr_threads).close()

    without = "no speech model: recordings are kept, and recognised when there is one"
    yield _model_finding(settings, "whisper", settings.asr_model, loads, without)


def chat_model_check(settings: Settings) -> Iterator[Finding]:
    """Look whether a language model can work."""
    if importlib.util.find_spec("llama_cpp") is None:
        text = "llama-cpp-python is not installed: the scripted interviewer talks"
        yield Finding("llama", Level.NOTE, f"{text} (`python3 run.py install-llama`)")
        return
    yield Finding("llama", Level.OK, "llama-cpp-python is installed")

    def loads(model: Installed) -> None:
        load_chat_model(settings, model.path)

    without = "no language model: the scripted interviewer talks"
    yield _model_finding(settings, "llm", settings.llm_model, loads, without)


def speech_engine_check(settings: Settings) -> Iterator[Finding]:
    """Look whether replies can be read aloud."""
    try:
        speaker = InstalledEngines(settings).load_speaker()
        if speaker is None:
            yield Finding("speech", Level.NOTE, _silent_because(settings))
            return
        pieces: list[bytes] = []

        def take(piece: bytes) -> bool:
            pieces.append(piece)
            return True

        speaker.speak("1", Voice("en", settings.speech_rate), take)
    except LifeEchoError as error:
        yield Finding("speech", Level.WRONG, str(error))
        return
    if any(pieces):
        yield Finding("speech", Level.OK, "espeak-ng reads replies aloud")
    else:
        text = "espeak-ng makes no sound; install espeakng-loader anew"
        yield Finding("speech", Level.WRONG, text)


def _silent_because(settings: Settings) -> str:
    if settings.speech_engine == SWITCHED_OFF:
        return "replies are not read aloud: the setting speech_engine is none"
    return "replies are not read aloud: espeakng-loader is not installed"


def _model_finding(
    settings: Settings,
    kind: ModelKind,
    named: str | None,
    loads: Callable[[Installed], None],
    without: str,
) -> Finding:
    try:
        model = choose(settings.models_dir, named, kind)
        if model is None:
            return Finding(kind, Level.NOTE, without)
        verify(model)
        loads(model)
    except LifeEchoError as error:
        return Finding(kind, Level.WRONG, str(error))
    return Finding(kind, Level.OK, f"{model.name} loads")


def server_check(settings: Settings) -> Iterator[Finding]:
    """Look whether a server runs."""
    url = running_server(settings.data_dir)
    text = f"a server runs at {url}" if url else "no server runs on this data"
    yield Finding("server", Level.OK if url else Level.NOTE, text)


CHECKS: tuple[Check, ...] = (
    python_check,
    disk_check,
    folder_check,
    database_check,
    speech_model_check,
    chat_model_check,
    speech_engine_check,
    server_check,
)
