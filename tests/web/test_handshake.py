"""Opening the socket: every row of the contract's table of refusals, and their order."""

import socket
import time
from collections.abc import Callable
from datetime import timedelta

import jwt
import pytest
from websockets.exceptions import InvalidStatus

from lifeecho_server.accounts.secret import load_secret
from lifeecho_server.store import people
from lifeecho_server.store.conversations import delete_conversation
from tests.house import Closed, House


def refused(house: House, token: str | None, lang: str = "en", **query: str) -> Closed:
    with house.socket(token=token, lang=lang, **query) as talker:
        return talker.closed()


def forged(
    house: House, secret: bytes | None = None, algorithm: str = "HS256", **claims: object
) -> str:
    now = house.clock.now()
    good = {"sub": "rose", "type": "access", "iat": now, "exp": now + timedelta(hours=1)}
    merged = {name: value for name, value in (good | claims).items() if value is not None}
    key = load_secret(house.data_dir) if secret is None else secret
    return jwt.encode(merged, key if algorithm != "none" else None, algorithm=algorithm)


@pytest.mark.parametrize(
    ("lang", "reason"), [("zh", "缺少访问令牌"), ("en", "missing access token")]
)
def test_no_token(house: House, lang: str, reason: str) -> None:
    assert refused(house, None, lang) == Closed(1008, reason)
    assert refused(house, "", lang) == Closed(1008, reason)


def test_reason_is_chinese_where_no_language_is_known(house: House) -> None:
    with house.socket() as talker:
        assert talker.closed() == Closed(1008, "缺少访问令牌")


@pytest.mark.parametrize(
    "claims",
    [
        {"secret": b"x" * 32},
        {"exp": 1},
        {"exp": "soon"},
        {"exp": True},
        {"type": "refresh"},
        {"algorithm": "none"},
        {"algorithm": "HS512", "secret": b"x" * 64},
    ],
)
def test_bad_token(house: House, claims: dict[str, object]) -> None:
    token = forged(house, **claims)  # type: ignore[arg-type]
    assert refused(house, token) == Closed(1008, "invalid token")
    assert refused(house, token, "zh") == Closed(1008, "无效的认证令牌")


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "..", "a" * 4000])
def test_token_that_is_none(house: House, token: str) -> None:
    assert refused(house, token) == Closed(1008, "invalid token")


@pytest.mark.parametrize("missing", ["exp", "type"])
def test_claim_missing(house: House, missing: str) -> None:
    claims = {"sub": "rose", "type": "access", "exp": house.clock.now() + timedelta(hours=1)}
    del claims[missing]
    token = jwt.encode(claims, load_secret(house.data_dir), algorithm="HS256")
    assert refused(house, token) == Closed(1008, "invalid token")


@pytest.mark.parametrize("claims", [{"sub": ""}, {"sub": 5}, {"sub": ["rose"]}, {"device": 5}])
def test_bad_content(house: House, claims: dict[str, object]) -> None:
    assert refused(house, forged(house, **claims)) == Closed(1008, "invalid token content")  # type: ignore[arg-type]
    assert refused(house, forged(house, **claims), "zh") == Closed(1008, "无效的令牌内容")  # type: ignore[arg-type]


def test_subject_missing(house: House) -> None:
    claims = {"type": "access", "exp": house.clock.now() + timedelta(hours=1)}
    token = jwt.encode(claims, load_secret(house.data_dir), algorithm="HS256")
    assert refused(house, token) == Closed(1008, "invalid token content")


def test_user_gone(house: House) -> None:
    assert refused(house, house.token("nobody")) == Closed(1008, "no such user")
    assert refused(house, house.token("nobody"), "zh") == Closed(1008, "用户不存在")


def test_user_disabled(house: House) -> None:
    house.change(lambda db: people.disable_user(db, "rose"))
    assert refused(house, house.token("rose")) == Closed(1008, "no such user")


def test_device_revoked_or_unknown(house: House) -> None:
    now = house.clock.now()
    house.change(
        lambda db: people.add_device(db, device_id="phone", user_id="rose", name="p", at=now)
    )
    with house.socket(token=house.token("rose", device="phone")) as talker:
        talker.expect("connect")
    house.change(lambda db: people.revoke_device(db, "phone", now))
    for device in ("phone", "tablet"):
        token = house.token("rose", device=device)
        assert refused(house, token) == Closed(1008, "no such user")


@pytest.mark.parametrize("narrator", ["", "mary", "nobody"])
def test_no_right_to_talk(house: House, narrator: str) -> None:
    house.elder("mary")
    house.change(lambda db: people.set_access(db, "rose", "rose", people.Level.READ))
    query = {"narrator": narrator} if narrator else {}
    with house.socket(token=house.token("rose"), **query) as talker:
        assert talker.error()["code"] == "FORBIDDEN"
        assert talker.closed() == Closed(1008, "not your conversation")
    assert house.ask("SELECT count(*) FROM conversations") == [(0,)]


def test_conversation_of_another(house: House) -> None:
    house.elder("mary")
    with house.opened("mary", "hers") as mary:
        with house.socket("hers", token=house.token("rose")) as talker:
            assert talker.error()["code"] == "FORBIDDEN"
            assert talker.closed() == Closed(1008, "not your conversation")
        mary.quiet()


def test_conversation_deleted(house: House) -> None:
    house.opened("rose").socket.close()
    house.change(lambda db: delete_conversation(db, "c-1", house.clock.now()))
    with house.socket(token=house.token("rose"), lang="zh") as talker:
        assert talker.error()["code"] == "DELETED"
        assert talker.closed() == Closed(1008, "对话已删除")


def test_right_is_looked_at_before_deletion(house: House) -> None:
    house.elder("mary")
    house.opened("mary", "hers").socket.close()
    house.change(lambda db: delete_conversation(db, "hers", house.clock.now()))
    with house.socket("hers", token=house.token("rose")) as talker:
        assert talker.error()["code"] == "FORBIDDEN"


def test_several_narrators_and_none_named(house: House) -> None:
    house.elder("mary")
    house.change(lambda db: people.set_access(db, "rose", "mary", people.Level.TALK))
    with house.socket(token=house.token("rose")) as talker:
        error = talker.error()
        assert (error["code"], error["field"]) == ("MISSING_FIELD", "narrator")
        assert talker.closed().code == 1008
    with house.socket(token=house.token("rose"), narrator="mary") as talker:
        assert talker.expect("connect")["narrator"] == {"id": "mary", "name": "mary"}


def test_narrator_is_ignored_for_a_conversation_that_exists(house: House) -> None:
    house.opened("rose").socket.close()
    with house.socket(token=house.token("rose"), narrator="nobody") as talker:
        assert talker.expect("connect")["narrator"]["id"] == "rose"


def test_too_many_connections_of_a_user(build_house: Callable[..., House]) -> None:
    house = build_house(connections_per_user=1)
    house.elder("rose")
    with house.opened("rose", "one") as first:
        with house.socket("two", token=house.token("rose"), lang="en") as second:
            assert second.closed() == Closed(1013, "server busy")
        first.quiet()
        assert house.ask("SELECT id FROM conversations") == [("one",)]
        with house.talker("rose", "one") as again:
            again.quiet()


def test_too_many_connections_in_all(build_house: Callable[..., House]) -> None:
    house = build_house(connections_max=1)
    house.elder("rose")
    house.elder("mary")
    with house.opened("rose", "one") as first:
        assert refused(house, house.token("mary"), "zh") == Closed(1013, "服务器繁忙")
        first.quiet()


def test_newer_connection_takes_over(house: House) -> None:
    with house.opened("rose", lang="en") as older, house.talker("rose") as newer:
        assert older.closed() == Closed(4000, "opened elsewhere")
        newer.expect("topic_suggestions")
        newer.text("We lived by the river.")
        newer.expect("message_ack")
        assert newer.reply()


def test_ten_takeovers_leave_the_last_one(house: House) -> None:
    talkers = [house.socket(token=house.token("rose"), lang="zh") for _ in range(10)]
    for talker in talkers[:-1]:
        assert talker.closed() == Closed(4000, "已在别处打开")
    talkers[-1].expect("connect")
    talkers[-1].until("topic_suggestions")
    talkers[-1].socket.close()


def test_server_stopping(house: House) -> None:
    with house.opened("rose", lang="en") as talker:
        house.stop()
        assert talker.closed() == Closed(1001, "server going away")


def test_header_wins_over_query(house: House) -> None:
    token = house.token("rose")
    with house.socket(token="x", headers={"Authorization": f"Bearer {token}"}) as talker:
        talker.expect("connect")
    with house.socket(token=token, headers={"Authorization": "Bearer x"}, lang="en") as talker:
        assert talker.closed() == Closed(1008, "invalid token")


@pytest.mark.parametrize("conversation", ["a" * 65, "a.b", "a%20b", "%61", "a/b", ""])
def test_conversation_id_that_is_none(house: House, conversation: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        house.socket(conversation, token=house.token("rose"))
    assert caught.value.response.status_code == 404


@pytest.mark.parametrize("conversation", ["a", "A-z_09", "a" * 64])
def test_conversation_id_of_every_allowed_kind(house: House, conversation: str) -> None:
    with house.talker("rose", conversation) as talker:
        assert talker.seen[0]["conversation_id"] == conversation


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1", "http://localhost"]
)
def test_foreign_origin(house: House, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        house.socket(token=house.token("rose"), headers={"Origin": origin})
    assert caught.value.response.status_code == 403


def test_own_origin(house: House) -> None:
    with house.socket(token=house.token("rose"), headers={"Origin": house.url}) as talker:
        talker.expect("connect")


def test_foreign_host(house: House) -> None:
    answer = raw(
        house,
        b"GET /ws/conversation/c HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 403 ")
    answer = raw(house, b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")


def test_head_that_is_no_head(house: House) -> None:
    assert raw(house, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").startswith(
        b"HTTP/1.1 400 "
    )
    assert raw(house, b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000).startswith(b"HTTP/1.1 400 ")


def test_slow_head_is_dropped(build_house: Callable[..., House]) -> None:
    house = build_house(head_timeout=0.2)
    begun = time.monotonic()
    assert raw(house, b"GET / HTTP/1.1\r\n") == b""
    assert time.monotonic() - begun < 10


def raw(house: House, request: bytes) -> bytes:
    """Send bytes, and return all that comes back until the server closes."""
    port = int(house.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer and (chunk := connection.recv(4096)):
            answer += chunk
        return answer


def test_refused_connection_never_gets_connect(house: House) -> None:
    with house.socket(token="x") as talker:
        talker.closed()
        assert talker.seen == []


def test_disabled_user_is_cut_off(house: House) -> None:
    with house.opened("rose", lang="en") as talker:
        house.change(lambda db: people.disable_user(db, "rose"))
        assert talker.closed() == Closed(1008, "no such user")


def test_revoked_device_is_cut_off_and_others_go_on(house: House) -> None:
    now = house.clock.now()
    house.change(
        lambda db: people.add_device(db, device_id="phone", user_id="rose", name="p", at=now)
    )
    token = house.token("rose", device="phone")
    with house.socket(token=token, lang="en") as phone, house.talker("rose", "other") as other:
        phone.expect("connect")
        house.change(lambda db: people.revoke_device(db, "phone", now))
        assert phone.closed() == Closed(1008, "no such user")
        other.until("topic_suggestions")
        other.quiet()


def test_withdrawn_access_and_deleted_conversation_cut_off(house: House) -> None:
    with house.opened("rose", lang="en") as talker:
        house.change(lambda db: delete_conversation(db, "c-1", house.clock.now()))
        assert talker.closed() == Closed(1008, "conversation deleted")
    with house.opened("rose", "c-2", lang="en") as talker:
        house.change(lambda db: people.set_access(db, "rose", "rose", None))
        assert talker.closed() == Closed(1008, "not your conversation")


def test_open_conversation_outlives_its_token(house: House) -> None:
    with house.socket(token=house.token("rose", ttl=60)) as talker:
        talker.until("topic_suggestions")
        house.clock.forward(minutes=5)
        talker.text("We had a garden.")
        talker.expect("message_ack")
        talker.reply()


def test_connect_says_what_the_contract_says(house: House) -> None:
    with house.socket(token=house.token("rose")) as talker:
        connected = talker.next()
    assert connected["type"] == "connect"
    assert connected["conversation_id"] == "c-1"
    assert connected["timestamp"].endswith("Z")
    data = connected["data"]
    assert set(data) == {"status", "protocol", "narrator", "ended", "capabilities", "resume"}
    assert (data["status"], data["protocol"], data["ended"]) == ("connected", 1, False)
    assert data["narrator"] == {"id": "rose", "name": "rose"}
    assert data["resume"] == {"last_message_id": None, "voice_sessions": []}
    assert set(data["capabilities"]) == {"asr", "llm", "tts", "languages"}
    assert data["capabilities"]["languages"] == ["zh", "en"]
