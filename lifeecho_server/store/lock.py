"""The lock on the data folder: one server, or one restore, at a time."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from lifeecho_server.store.errors import DataInUse, file_failure


class DataLock:
    """A context manager that keeps a second server or a restore out of a data folder.

    The lock dies with its process, however that ends. Entering raises DataInUse (naming the
    process that holds it) or StoreFailed. The command line, which only writes in short
    transactions, does not take it.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / ".lock"
        self._file: int | None = None

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise file_failure(error, self._path) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise DataInUse(
                f"the data folder {self._path.parent} is in use by process {holder}; stop it first"
            ) from None
        try:
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode("ascii"), 0)
        except OSError as error:
            os.close(file)
            raise file_failure(error, self._path) from error
        self._file = file
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
