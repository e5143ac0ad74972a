"""The models in the models folder, told by what is in them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from lifeecho_server.engines.catalogue import ModelKind
from lifeecho_server.engines.faults import CannotRemove, ModelBroken, NotInstalled
from lifeecho_server.engines.manifest import check_manifest, read_manifest

WEIGHTS = "model.bin"
"""The weights in a CTranslate2 folder."""

_GGUF_MAGIC = b"GGUF"
_WHISPER_SPEC = b"WhisperSpec"
_SPEC_WITHIN = 32  # CTranslate2 writes a version, a length, then the name of the architecture


@dataclass(frozen=True, slots=True)
class Installed:
    """A model on disk.

    ``path`` is what its engine loads: a folder for Whisper, a file for a GGUF. ``bytes`` is the
    size of its files, ``sha256`` that of its weights as recorded when it was installed.
    """

    name: str
    kind: ModelKind
    path: Path
    bytes: int
    sha256: str | None


def installed(models_dir: Path) -> list[Installed]:
    """List the models of a folder in order of name; hidden entries are passed over."""
    try:
        entries = sorted(path for path in models_dir.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [model for path in entries if (model := recognise(path)) is not None]


def recognise(path: Path) -> Installed | None:
    """Tell what model a folder or a file is, by its content; ``None`` if it is none."""
    if path.is_file():
        return _gguf(path.stem, path) if _is_gguf(path) else None
    if _begins_with(path / WEIGHTS, _WHISPER_SPEC, _SPEC_WITHIN):
        size = sum(file.stat().st_size for file in path.iterdir() if file.is_file())
        return Installed(path.name, "whisper", path, size, _recorded(path, WEIGHTS))
    file = next((file for file in sorted(path.glob("*.gguf")) if _is_gguf(file)), None)
    return _gguf(path.name, file) if file else None


def _gguf(name: str, file: Path) -> Installed:
    return Installed(name, "llm", file, file.stat().st_size, _recorded(file.parent, file.name))


def _recorded(folder: Path, file: str) -> str | None:
    try:
        manifest = read_manifest(folder)
    except ModelBroken:  # told by ``verify`` when the model is loaded; a list goes on
        return None
    return manifest.sha256.get(file) if manifest else None


def _is_gguf(path: Path) -> bool:
    return path.suffix.lower() == ".gguf" and _begins_with(path, _GGUF_MAGIC, len(_GGUF_MAGIC))


def _begins_with(path: Path, mark: bytes, within: int) -> bool:
    try:
        with path.open("rb") as file:
            return mark in file.read(within)
    except OSError:
        return False


def choose(models_dir: Path, setting: str | None, kind: ModelKind) -> Installed | None:
    """Return the model of a kind that a setting names: by name, file name or path.

    Without a setting it is the first in order of name, or ``None``. Raises NotInstalled for one
    that is named and not there, ModelBroken for one that is of another kind.
    """
    present = installed(models_dir)
    if setting is None:
        return next((model for model in present if model.kind == kind), None)
    model = next((model for model in present if setting in (model.name, model.path.name)), None)
    model = model or _at(Path(setting).expanduser())
    if model is None:
        raise NotInstalled(
            f"the model {setting!r} is not in {models_dir}; see `lifeecho models list`"
        )
    if model.kind != kind:
        raise ModelBroken(f"the model {setting!r} is of kind {model.kind}, not {kind}")
    return model


def _at(path: Path) -> Installed | None:
    return recognise(path) if path.exists() else None


def verify(model: Installed) -> None:
    """Compare every file with what was recorded when the model was installed, if anything was.

    Reads the whole model. Raises ModelBroken naming the file that differs.
    """
    folder = model.path if model.kind == "whisper" else model.path.parent
    manifest = read_manifest(folder)
    if manifest is not None:
        check_manifest(folder, manifest)


def remove(models_dir: Path, name: str) -> None:
    """Delete an installed model. Raises NotInstalled, CannotRemove."""
    model = next((model for model in installed(models_dir) if model.name == name), None)
    if model is None:
        raise NotInstalled(f"there is no model {name!r} in {models_dir}")
    try:
        _delete(models_dir, model)
    except OSError as error:
        raise CannotRemove(f"the model {name!r} cannot be deleted: {error.strerror}") from error


def _delete(models_dir: Path, model: Installed) -> None:
    folder = model.path if model.kind == "whisper" else model.path.parent
    if folder == models_dir:
        model.path.unlink()
    elif folder.is_symlink():
        folder.unlink()
    else:
        doomed = folder.with_name(f".removing-{folder.name}")
        folder.rename(doomed)  # at once out of the list, even if deleting is interrupted
        shutil.rmtree(doomed)
