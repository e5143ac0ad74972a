"""Where the running server is, and the addresses made of it."""

import json
import os

import pytest

from lifeecho_server.cli.address import NoAddress, running_server, socket_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8443", "ws://127.0.0.1:8443/ws/conversation/c1?speech=0"),
        ("https://lifeecho.local/", "wss://lifeecho.local/ws/conversation/c1?speech=0"),
        ("192.168.1.5:8443", "ws://192.168.1.5:8443/ws/conversation/c1?speech=0"),
        ("http://0.0.0.0:9", "ws://127.0.0.1:9/ws/conversation/c1?speech=0"),
        ("http://[::]:9", "ws://[::1]:9/ws/conversation/c1?speech=0"),
    ],
)
def test_a_servers_address_becomes_a_conversations(url, address):
    assert socket_address(url, "c1", None) == address


def test_the_narrator_is_named():
    address = socket_address("http://a:1", "c1", "n&1")
    assert address == "ws://a:1/ws/conversation/c1?speech=0&narrator=n%261"


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a:port"])
def test_what_is_no_address_is_told(url):
    with pytest.raises(NoAddress):
        socket_address(url, "c1", None)


def test_only_a_living_server_is_running(tmp_path):
    assert running_server(tmp_path) is None
    file = tmp_path / "server.json"
    file.write_text(json.dumps({"url": "http://a:1", "port": 1, "pid": os.getpid()}))
    assert running_server(tmp_path) == "http://a:1"
    file.write_text(json.dumps({"url": "http://a:1", "port": 1, "pid": 2**22 + 1}))
    assert running_server(tmp_path) is None
    file.write_text("{half")
    assert running_server(tmp_path) is None
