"""Logs: one line an event, ids and counts only."""

import logging
import sys


def set_up(level: str) -> None:
    """Log this program's events to standard error; libraries only warn.

    A socket library at debug level would print what goes over the wire, so it never gets there.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("lifeecho").setLevel(level.upper())
