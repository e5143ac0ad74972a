"""Installing a model that is on this machine already: copied, tried, recorded, then shown."""

import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from lifeecho_server.engines.catalogue import ModelKind
from lifeecho_server.engines.faults import ModelBroken
from lifeecho_server.engines.installed import Installed, recognise
from lifeecho_server.engines.manifest import Manifest, sha256_of, write_manifest
from lifeecho_server.engines.whisper import load_whisper
from lifeecho_server.engines.whisper_model import missing_files
from lifeecho_server.errors import LifeEchoError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_WHISPER_FILES = (
    *("config.json", "model.bin", "tokenizer.json", "vocabulary.json", "vocabulary.txt"),
    "preprocessor_config.json",
)


class CannotImport(LifeEchoError):
    """A model cannot be copied: its name is taken or unusable, or there is no room."""


def import_model(source: Path, models_dir: Path, check_gguf: Callable[[Path], None]) -> Installed:
    """Copy a CTranslate2 Whisper folder or a GGUF (or the folder of one) into ``models_dir``.

    The copy is made under a hidden name and shown under its own only when it has loaded:
    ``check_gguf`` loads a GGUF and raises ModelBroken if it cannot. Raises ModelBroken for what
    is no model or does not load, CannotImport for what cannot be copied.
    """
    found = _recognised(source)
    target = models_dir / _safe_name(found.name)
    if target.exists():
        raise CannotImport(f"there is a model {target.name!r} already; remove it first")
    hidden = models_dir / f".importing-{target.name}"
    try:
        return _installed(found, source, hidden, target, check_gguf)
    except OSError as error:
        raise CannotImport(f"{source.name!r} cannot be copied: {error.strerror}") from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _recognised(source: Path) -> Installed:
    if not source.exists():
        raise ModelBroken(f"{str(source)!r} does not exist")
    found = recognise(source)
    if found is None:
        raise ModelBroken(
            f"{source.name!r} is neither a CTranslate2 Whisper folder nor a GGUF file; "
            "models in other formats must be converted first"
        )
    if found.kind == "whisper" and (missing := missing_files(source)):
        raise ModelBroken(f"{source.name!r} is incomplete: {', '.join(missing)} is missing")
    return found


def _safe_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise CannotImport(f"{name!r} cannot be a model's name: use letters, digits, '.', '-', '_'")
    return name


def _installed(
    found: Installed,
    source: Path,
    hidden: Path,
    target: Path,
    check_gguf: Callable[[Path], None],
) -> Installed:
    _copy(_files_of(found), hidden)
    _check(found.kind, hidden, check_gguf)
    sums = {path.name: sha256_of(path) for path in sorted(hidden.iterdir())}
    write_manifest(hidden, Manifest(found.kind, sums, str(source.absolute())))
    _sync(hidden)
    hidden.rename(target)
    _sync(target.parent)
    return _recognised(target)


def _files_of(found: Installed) -> list[Path]:
    if found.kind == "llm":
        return [found.path]
    return [path for name in _WHISPER_FILES if (path := found.path / name).is_file()]


def _copy(files: Iterable[Path], folder: Path) -> None:
    """Copy files into a new folder, synced to disk; what an interrupted import left is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in files:
        copied = shutil.copyfile(file, folder / file.name)
        with copied.open("r+b") as written:
            os.fsync(written.fileno())


def _check(kind: ModelKind, folder: Path, check_gguf: Callable[[Path], None]) -> None:
    if kind == "whisper":
        load_whisper(folder).close()
        return
    check_gguf(next(folder.iterdir()))


def _sync(folder: Path) -> None:
    """Make a folder's names durable; Windows neither needs nor can open a folder for it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
