"""The household's signing secret: 32 random bytes in a file that only its owner reads."""

import os
import secrets
from pathlib import Path

from lifeecho_server.errors import LifeEchoError

SECRET_BYTES = 32


class SecretUnreadable(LifeEchoError):
    """The secret is there but cannot be used."""


def load_secret(data_dir: Path) -> bytes:
    """Return the secret of a data folder, made on first use. Raises SecretUnreadable."""
    path = data_dir / "secret"
    try:
        _create(path)
        secret = path.read_bytes()
    except OSError as error:
        raise SecretUnreadable(
            f"the secret {path} cannot be read: {error.strerror}; check the folder's owner"
        ) from None
    if len(secret) != SECRET_BYTES:
        raise SecretUnreadable(
            f"the secret {path} is damaged; restore it from a backup, or delete it "
            "(every device must then be paired again)"
        )
    return secret


def _create(path: Path) -> None:
    """Make the secret unless it is there; whole and synced, or not at all."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"secret.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link fails where a rename would overwrite: the first of two processes wins.
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
