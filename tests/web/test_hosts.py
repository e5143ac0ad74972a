"""Which Host and Origin are the server's own."""

import pytest

from lifeecho_server.web.hosts import host_allowed, origin_allowed, own_names

NAMES = own_names(["memoir.home"])


@pytest.mark.parametrize(
    ("host", "arrived"),
    [
        ("localhost:8443", "127.0.0.1"),
        ("LocalHost", "127.0.0.1"),
        ("lifeecho.local:8443", "192.168.1.5"),
        ("memoir.home", "192.168.1.5"),
        ("memoir.home.", "192.168.1.5"),
        ("192.168.1.5:8443", "192.168.1.5"),
        ("127.0.0.2", "127.0.0.1"),
        ("[::1]:8443", "::1"),
        ("[fe80::1]", "fe80::1%eth0"),
    ],
)
def test_own(host: str, arrived: str) -> None:
    assert host_allowed(host, arrived, NAMES)


@pytest.mark.parametrize(
    ("host", "arrived"),
    [
        (None, "127.0.0.1"),
        ("", "127.0.0.1"),
        ("evil.example", "127.0.0.1"),
        ("localhost.evil.example", "127.0.0.1"),
        ("localhost:80:80", "127.0.0.1"),
        ("localhost:x", "127.0.0.1"),
        ("192.168.1.6", "192.168.1.5"),
        ("127.0.0.1", "192.168.1.5"),
        ("[::1", "::1"),
        ("[::1]x", "::1"),
        (":8443", "127.0.0.1"),
        ("user@localhost", "127.0.0.1"),
    ],
)
def test_not_own(host: str | None, arrived: str) -> None:
    assert not host_allowed(host, arrived, NAMES)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://localhost:8443", True),
        ("HTTP://LOCALHOST:8443", True),
        ("https://localhost:8443", False),
        ("http://localhost", False),
        ("null", False),
        ("", False),
        ("http://localhost:8443/", False),
    ],
)
def test_origin(origin: str | None, allowed: bool) -> None:
    assert origin_allowed(origin, "localhost:8443", "http") is allowed


def test_origin_without_a_host_is_foreign() -> None:
    assert not origin_allowed("http://x", None, "http")
