"""Disks that fail when a test says so."""

import errno
import os
from pathlib import Path
from typing import Any, BinaryIO

import pytest


class FailingDisk:
    """Fails the opening and the readings of a folder's files after ``allowed`` of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.allowed = 10**9
        self.asked = 0
        opened = Path.open

        def open_(path: Path, mode: str = "r", *args: Any, **more: Any) -> Any:
            if mode != "rb" or not path.is_relative_to(folder):
                return opened(path, mode, *args, **more)
            self.answer(errno.EMFILE)
            return FailingFile(self, opened(path, mode))

        monkeypatch.setattr(Path, "open", open_)

    def answer(self, code: int) -> None:
        self.asked += 1
        if self.asked > self.allowed:
            raise OSError(code, os.strerror(code))


class FailingFile:
    """A file on a disk that may fail."""

    def __init__(self, disk: FailingDisk, file: BinaryIO) -> None:
        self._disk, self._file = disk, file
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int = -1) -> bytes:
        self._disk.answer(errno.EIO)
        return self._file.read(size)

    def __enter__(self) -> "FailingFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
