"""Reading recordings from a disk that may fail: its faults are told apart from damaged bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from lifeecho_server.errors import LifeEchoError


class DiskFailed(LifeEchoError):
    """The disk does not give just now what is on it, or no more files can be opened."""


@contextmanager
def from_disk() -> Iterator[None]:
    """Raise DiskFailed when a file that is there cannot be read; a missing one is what it is.

    For reading of our own only: FFmpeg's errors are OSErrors too, and tell of the bytes.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DiskFailed(f"a recording cannot be read ({reason}); check the disk") from error


class Readable(Protocol):
    """Bytes in order; with ``seek`` and ``tell`` they may be read in any."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        ...


class ForFFmpeg:
    """A file that never raises: PyAV prints and drops what its callbacks raise, and reads on.

    After a fault it is at its end; ``check`` raises it.
    """

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._fault: DiskFailed | FileNotFoundError | None = None
        for name in ("seek", "tell", "seekable"):
            if hasattr(file, name):
                setattr(self, name, getattr(file, name))

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, none at the end or after a fault."""
        if self._fault is None:
            try:
                with from_disk():
                    return self._file.read(size)
            except (DiskFailed, FileNotFoundError) as fault:
                self._fault = fault
        return b""

    def check(self) -> None:
        """Raise DiskFailed or FileNotFoundError if reading has failed."""
        if self._fault is not None:
            raise self._fault
