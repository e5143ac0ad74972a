"""A reply's text on its way."""

import pytest
import trio
import trio.testing

from lifeecho_server.inference.errors import EngineFailed
from lifeecho_server.inference.pieces import TextPieces


async def test_split_characters_come_whole_and_broken_ones_not_at_all() -> None:
    pieces = TextPieces()
    for byte in "您é🙂a".encode() + b"\xffb\xe6\x82":
        pieces.put(bytes([byte]))
    pieces.finish()
    assert [piece async for piece in pieces] == ["您", "é", "🙂", "a", "b"]


async def test_what_came_before_an_error_is_given_first() -> None:
    pieces = TextPieces()
    pieces.put(b"so")
    pieces.finish(EngineFailed("broken"))
    pieces.finish()
    assert await anext(pieces) == "so"
    with pytest.raises(EngineFailed):
        await anext(pieces)


async def test_it_waits_for_the_next_piece() -> None:
    pieces = TextPieces()
    got: list[str] = []

    async def read() -> None:
        async for piece in pieces:
            got.append(piece)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        for piece in (b"one", b"two"):
            await trio.testing.wait_all_tasks_blocked()
            pieces.put(piece)
        await trio.testing.wait_all_tasks_blocked()
        assert got == ["one", "two"]
        pieces.finish()
