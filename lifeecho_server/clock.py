"""Time and ids, handed in so that tests say when it is and what comes next."""

import uuid
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the current time and fresh ids come from."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        ...

    def new_id(self) -> str:
        """Return an id never given before: 32 characters of ``[0-9a-f]``."""
        ...


class SystemClock:
    """The machine's clock and random ids."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        return datetime.now(UTC)

    def new_id(self) -> str:
        """Return a random id: 32 characters of ``[0-9a-f]``."""
        return uuid.uuid4().hex
