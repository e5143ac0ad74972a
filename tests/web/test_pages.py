"""The page's files: what they are served with, and to whom."""

import re
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trio

import lifeecho_server.web
from lifeecho_server.web.hosts import is_loopback
from lifeecho_server.web.http import Health, build_app
from tests.conftest import quick_settings
from tests.house import House

STATIC = Path(lifeecho_server.web.__file__).parent / "static"


def get(
    house: House, target: str, method: str = "GET", **headers: str
) -> tuple[HTTPResponse, bytes]:
    place = urlsplit(house.url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=10)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, headers=given)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_page_and_its_files(house: House) -> None:
    for file in STATIC.iterdir():
        target = "/" if file.name == "index.html" else f"/static/{file.name}"
        answer, body = get(house, target)
        assert (answer.status, body) == (200, file.read_bytes())
        assert answer.headers["x-content-type-options"] == "nosniff"
    for target, media_type in (
        ("/static/main.js", "text/javascript; charset=utf-8"),
        ("/", "text/html; charset=utf-8"),
        ("/static/icon.svg", "image/svg+xml"),
    ):
        assert get(house, target)[0].headers["content-type"] == media_type


@pytest.mark.parametrize("target", ["/", "/static/main.js"])
def test_the_head_of_a_page_is_that_of_the_page(house: House, target: str) -> None:
    page, whole = get(house, target)
    head, nothing = get(house, target, method="HEAD")
    assert (head.status, nothing) == (200, b"")
    assert head.headers["content-length"] == str(len(whole))
    assert head.headers["content-type"] == page.headers["content-type"]
    assert get(house, target, method="HEAD", Via="1.1 proxy")[0].status == 404
    assert get(house, target, method="POST")[0].status == 405


def test_policy_allows_nothing_from_elsewhere_and_nothing_inline(house: House) -> None:
    policy = get(house, "/")[0].headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert set(rules.values()) == {"'self'", "'none'"}
    page = (STATIC / "index.html").read_text("utf-8")
    assert re.search(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", page) is None


def test_files_name_no_other_host() -> None:
    for file in STATIC.iterdir():
        addresses = set(re.findall(r"https?://[^\s\"']+", file.read_text("utf-8")))
        assert addresses <= {"http://www.w3.org/2000/svg"}, file


@pytest.mark.parametrize(
    "target", ["/static/", "/static/index.html", "/static/..%2fpages.py", "/static/../pages.py"]
)
def test_nothing_else_is_served(house: House, target: str) -> None:
    assert get(house, target)[0].status == 404


@pytest.mark.parametrize("target", ["/", "/static/main.js"])
def test_only_under_a_loopback_name(tmp_path: Path, target: str) -> None:
    settings = quick_settings(tmp_path, allowed_hosts=("memoir.home",))
    house = House(settings.data_dir, settings)
    house.start()
    try:
        for host in ("localhost", "LOCALHOST:8443", "127.0.0.1:1", "127.0.0.9"):
            assert get(house, target, Host=host)[0].status == 200
        for host in ("memoir.home", "lifeecho.local"):
            assert get(house, target, Host=host)[0].status == 404
            assert get(house, "/healthz", Host=host)[0].status == 200
        assert get(house, target, Host="evil.example")[0].status == 403
    finally:
        house.stop()


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "x-forwarded-host", "X_Real_IP", "Via"],
)
def test_not_through_a_proxy(house: House, header: str) -> None:
    assert get(house, "/", **{header: "for=192.168.1.7"})[0].status == 404


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.5", False),
        ("::ffff:192.168.1.5", False),
        ("fe80::1%eth0", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_loopback_addresses(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback


def test_only_for_a_peer_on_this_machine() -> None:
    def status(peer: tuple[str, int] | None) -> int:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
        return asked(scope | {"raw_path": b"/", "query_string": b"", "client": peer})

    assert status(("127.0.0.1", 5)) == 200
    assert status(("::1", 5)) == 200
    assert status(("192.168.1.7", 5)) == 404
    assert status(None) == 404


def asked(scope: dict[str, Any]) -> int:
    """Return the status with which the application answers a request."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    app: Any = build_app(lambda: Health("ok", "1", "none", "none", "none"))
    trio.run(app, scope, receive, send)
    status: int = sent[0]["status"]
    return status
