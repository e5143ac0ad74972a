"""Access tokens: what is let in, what is refused and why; the secret that signs them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.accounts.secret import SECRET_BYTES, SecretUnreadable, load_secret
from lifeecho_server.accounts.tokens import Bearer, Refusal, TokenRefused, check, issue

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SECRET = b"s" * 32


def refusal(token: str | None, now: datetime = NOW) -> Refusal:
    with pytest.raises(TokenRefused) as caught:
        check(SECRET, token, now=now)
    return caught.value.refusal


def test_issued_token_is_let_in_until_it_expires() -> None:
    token = issue(SECRET, "rose", now=NOW, ttl=60, jti="1", device="phone")
    assert check(SECRET, token, now=NOW + timedelta(seconds=59)) == Bearer("rose", "phone")
    assert refusal(token, NOW + timedelta(seconds=60)) is Refusal.INVALID


def test_claims_are_those_of_the_contract() -> None:
    token = issue(SECRET, "rose", now=NOW, ttl=900, jti="1")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {
        "sub": "rose",
        "type": "access",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 900,
        "jti": "1",
    }


@pytest.mark.parametrize("token", [None, ""])
def test_no_token(token: str | None) -> None:
    assert refusal(token) is Refusal.MISSING


def test_signature_of_another_house() -> None:
    token = issue(b"t" * 32, "rose", now=NOW, ttl=60, jti="1")
    assert refusal(token) is Refusal.INVALID


def test_expiry_is_looked_at_before_the_subject() -> None:
    claims = {"type": "access", "exp": NOW - timedelta(seconds=1)}
    assert refusal(jwt.encode(claims, SECRET)) is Refusal.INVALID


@given(st.text(max_size=100))
def test_no_text_is_a_token(text: str) -> None:
    assert refusal(text) in (Refusal.MISSING, Refusal.INVALID)


def test_secret_is_made_once_and_private(tmp_path: Path) -> None:
    secret = load_secret(tmp_path / "data")
    assert len(secret) == SECRET_BYTES
    assert load_secret(tmp_path / "data") == secret
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret"]


def test_damaged_secret_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(SecretUnreadable, match="damaged"):
        load_secret(tmp_path)
