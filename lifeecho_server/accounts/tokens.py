"""Access tokens: JWT, HS256 only, checked in the order of the socket's contract."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import jwt

from lifeecho_server.errors import LifeEchoError

ALGORITHM = "HS256"


class Refusal(StrEnum):
    """Why a token is refused."""

    MISSING = "missing"
    INVALID = "invalid"
    CONTENT = "content"


class TokenRefused(LifeEchoError):
    """The token does not let its bearer in; ``refusal`` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"access token refused: {refusal}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a valid token speaks for."""

    user_id: str
    device_id: str | None


def issue(
    secret: bytes, user_id: str, *, now: datetime, ttl: int, jti: str, device: str | None = None
) -> str:
    """Return an access token that is good for ``ttl`` seconds from ``now``."""
    claims: dict[str, object] = {
        "sub": user_id,
        "type": "access",
        "iat": now,
        "exp": now + timedelta(seconds=ttl),
        "jti": jti,
    }
    if device is not None:
        claims["device"] = device
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def check(secret: bytes, token: str | None, *, now: datetime) -> Bearer:
    """Return who a token speaks for. Raises TokenRefused."""
    if not token:
        raise TokenRefused(Refusal.MISSING)
    claims = _claims(secret, token)
    expires = claims.get("exp")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise TokenRefused(Refusal.INVALID)
    if claims.get("type") != "access" or expires <= now.timestamp():
        raise TokenRefused(Refusal.INVALID)
    subject, device = claims.get("sub"), claims.get("device")
    if not isinstance(subject, str) or not subject:
        raise TokenRefused(Refusal.CONTENT)
    if device is not None and not isinstance(device, str):
        raise TokenRefused(Refusal.CONTENT)
    return Bearer(subject, device)


def _claims(secret: bytes, token: str) -> dict[str, object]:
    # PyJWT looks at the machine's clock; the times are checked above, against the clock given.
    try:
        claims: dict[str, object] = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            options={
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except (jwt.InvalidTokenError, ValueError):
        raise TokenRefused(Refusal.INVALID) from None
    return claims
