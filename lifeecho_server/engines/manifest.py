"""A model folder's manifest: the SHA-256 of each file, checked at every load."""

import hashlib
import os
from pathlib import Path

import msgspec

from lifeecho_server.engines.catalogue import ModelKind
from lifeecho_server.engines.faults import ModelBroken

MANIFEST = "lifeecho-model.json"
"""The manifest's name in a model's folder."""

_READ = 1024 * 1024


class Manifest(msgspec.Struct, frozen=True):
    """What a model folder holds; ``sha256`` by file name, in hexadecimal.

    ``source`` is the repository or path it came from, ``revision`` the commit of a pulled one.
    """

    kind: ModelKind
    sha256: dict[str, str]
    source: str
    revision: str | None = None


def read_manifest(folder: Path) -> Manifest | None:
    """Read a folder's manifest; ``None`` where there is none. Raises ModelBroken."""
    path = folder / MANIFEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise ModelBroken(f"{MANIFEST} of the model {folder.name!r} is damaged") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a folder's manifest, synced to disk."""
    with (folder / MANIFEST).open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        file.flush()
        os.fsync(file.fileno())


def sha256_of(path: Path) -> str:
    """Hash a file, reading it whole: a second or two for a gigabyte."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ):
            digest.update(piece)
    return digest.hexdigest()


def check_manifest(folder: Path, manifest: Manifest) -> None:
    """Hash every file and compare. Raises ModelBroken naming the first that differs."""
    for name, expected in manifest.sha256.items():
        if Path(name).name != name:
            raise ModelBroken(f"{MANIFEST} of the model {folder.name!r} is damaged")
        try:
            found = sha256_of(folder / name)
        except OSError as error:
            raise _changed(folder, name, "cannot be read") from error
        if found != expected:
            raise _changed(folder, name, "is not what was installed")


def _changed(folder: Path, name: str, what: str) -> ModelBroken:
    return ModelBroken(f"{name} of the model {folder.name!r} {what}; remove it and install again")
