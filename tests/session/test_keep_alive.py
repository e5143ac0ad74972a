"""Pings, and the peer that is given up."""

import trio
from trio.testing import MockClock

from lifeecho_server.session.keep_alive import until_silent
from lifeecho_server.session.socket import PeerGone


class Peer:
    """The other side: answers the first pings, then is silent or gone."""

    said_goodbye = False

    def __init__(self, answers: int, *, gone: bool = False) -> None:
        self.heard_at = trio.current_time()
        self.pinged: list[float] = []
        self._answers = answers
        self._gone = gone

    async def receive(self) -> str | bytes:
        raise AssertionError("nobody reads here")

    async def send(self, frame: str) -> None:
        raise AssertionError(frame)

    async def ping(self) -> None:
        self.pinged.append(trio.current_time())
        if len(self.pinged) <= self._answers:
            self.heard_at = trio.current_time()
        elif self._gone:
            raise PeerGone("gone")
        else:
            await trio.sleep_forever()


async def test_silent_peer_is_given_up_in_time(autojump_clock: MockClock) -> None:
    begun = trio.current_time()
    peer = Peer(answers=3)
    await until_silent(peer, interval=20, silence=40)
    assert [moment - begun for moment in peer.pinged] == [20, 40, 60, 80]
    assert trio.current_time() - begun == 60 + 40


async def test_peer_that_is_gone_is_given_up_too(autojump_clock: MockClock) -> None:
    begun = trio.current_time()
    await until_silent(Peer(answers=0, gone=True), interval=20, silence=40)
    assert trio.current_time() - begun == 40


async def test_peer_that_answers_is_kept(autojump_clock: MockClock) -> None:
    peer = Peer(answers=10**6)
    with trio.move_on_after(3600) as hour:
        await until_silent(peer, interval=20, silence=40)
    assert hour.cancelled_caught
    assert len(peer.pinged) >= 179
