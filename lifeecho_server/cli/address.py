"""Where the running server is, and the address of a conversation on it."""

import os
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

import msgspec

from lifeecho_server.errors import LifeEchoError

FILE_NAME = "server.json"
SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


class NoAddress(LifeEchoError):
    """What was given is not the address of a server."""


class ServerFile(msgspec.Struct, frozen=True):
    """What a running server leaves in its data folder: its address and its process."""

    url: str
    port: int
    pid: int


def running_server(data_dir: Path) -> str | None:
    """Return the address of the server that works on a data folder, if one runs."""
    try:
        found = msgspec.json.decode((data_dir / FILE_NAME).read_bytes(), type=ServerFile)
        os.kill(found.pid, 0)
    except (FileNotFoundError, msgspec.DecodeError, ProcessLookupError):
        return None
    except PermissionError:  # it runs, under another account
        pass
    return found.url


def socket_address(url: str, conversation: str, narrator: str | None) -> str:
    """Return the WebSocket address of a conversation that is only read. Raises NoAddress."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in SCHEMES or not _is_place(parts):
        raise NoAddress(f"{url} is not an address such as http://127.0.0.1:8443")
    host = ANYWHERE.get(parts.hostname or "")
    place = parts.netloc if host is None else f"{host}:{parts.port}"
    query = "speech=0" + ("" if narrator is None else f"&narrator={quote(narrator)}")
    path = f"/ws/conversation/{quote(conversation)}"
    return urlunsplit((SCHEMES[parts.scheme], place, path, query, ""))


def _is_place(parts: SplitResult) -> bool:
    try:
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number
        return False
