"""Recordings: the audio as it came, each a file under an id of the server's making, and its row."""

import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lifeecho_server.store.database import Connection, sync_folder
from lifeecho_server.store.errors import file_failure
from lifeecho_server.store.values import micros


@dataclass(frozen=True, slots=True)
class NewRecording:
    """A recording whose file is on disk and whose row is to be stored.

    ``path`` is relative to the folder of recordings; ``format`` one of the server's names (``wav``,
    ``m4a``, ``pcm_s16le`` …); ``sample_rate`` in Hz where the file does not tell it; ``duration``
    in seconds once measured.
    """

    id: str
    path: str
    format: str
    sample_rate: int | None
    bytes: int
    sha256: str
    duration: float | None = None


class RecordingFiles:
    """The folder of recordings. Synchronous: to be called in a thread."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "recordings"

    def path(self, relative: str) -> Path:
        """Return where the file of a recording is. Raises ValueError for one outside the folder."""
        path = Path(os.path.normpath(self._root / relative))
        if not path.is_relative_to(self._root):
            raise ValueError("a recording lies inside its folder")
        return path

    def write(
        self,
        recording_id: str,
        audio: bytes,
        *,
        format: str,  # noqa: A002 - the protocol's word
        at: datetime,
        sample_rate: int | None = None,
    ) -> NewRecording:
        """Keep audio in a file of its own; it is safe on disk, with its folder, on return.

        Raises StoreFailed when the disk will not; then nothing is left of it.
        """
        relative = _relative_path(recording_id, format, at)
        path = self.path(relative)
        unfinished = path.with_name(path.name + ".part")
        try:
            _make_folder(path.parent)
            _write_synced(unfinished, audio)
            unfinished.rename(path)
            sync_folder(path.parent)
        except OSError as error:
            for left in (unfinished, path):
                with suppress(OSError):
                    left.unlink(missing_ok=True)
            raise file_failure(error, path) from error
        digest = hashlib.sha256(audio).hexdigest()
        return NewRecording(recording_id, relative, format, sample_rate, len(audio), digest)

    def delete(self, relative_paths: list[str]) -> None:
        """Delete files for good; one that is not there is no error. Raises StoreFailed."""
        folders = set()
        for relative in relative_paths:
            path = self.path(relative)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise file_failure(error, path) from error
            folders.add(path.parent)
        for folder in folders:
            if folder.is_dir():
                sync_folder(folder)


def insert(db: Connection, new: NewRecording, conversation_id: str, at: datetime) -> None:
    """Store the row of a recording whose file is on disk."""
    db.execute(
        "INSERT INTO recordings (id, conversation_id, path, format, sample_rate, bytes, sha256,"
        " duration_ms, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.id,
            conversation_id,
            new.path,
            new.format,
            new.sample_rate,
            new.bytes,
            new.sha256,
            None if new.duration is None else round(new.duration * 1000),
            micros(at),
        ),
    )


def _relative_path(recording_id: str, format_name: str, at: datetime) -> str:
    """Return ``YYYY/MM/DD/<id>.<format>``: a folder a day keeps folders small."""
    for part in (recording_id, format_name):
        if re.fullmatch(r"[A-Za-z0-9_]{1,64}", part) is None:
            raise ValueError("ids and formats of recordings are the server's own")
    return f"{at:%Y/%m/%d}/{recording_id}.{format_name}"


def _make_folder(folder: Path) -> None:
    """Make a folder (0700) and those above it, and make their names durable."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def _write_synced(path: Path, audio: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(audio)
        file.flush()
        os.fsync(handle)
