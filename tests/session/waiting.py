"""Waiting for what happens in a server on a thread of its own."""

import time
from collections.abc import Callable

from tests.house import PATIENCE


def eventually(so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
