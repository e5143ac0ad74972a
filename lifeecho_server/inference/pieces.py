"""The text of one reply on its way from the engine's thread to whoever asked for it."""

import codecs
from collections import deque
from typing import Self

from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.activity import Bell


class TextPieces:
    """An async iterator over a reply's text.

    What waits in it is bounded by the reply's ``max_tokens``. A character that is split over
    several tokens comes when it is whole; bytes that are no character are left out.
    """

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        self._bell = Bell()
        self._over = False
        self._error: LifeEchoError | None = None

    def put(self, piece: bytes) -> None:
        """Add bytes of the reply."""
        self._waiting.append(piece)
        self._bell.ring()

    def finish(self, error: LifeEchoError | None = None) -> None:
        """Say that nothing more comes; ``error`` is raised after what is there already."""
        if not self._over:
            self._over, self._error = True, error
            self._bell.ring()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            while self._waiting:
                text = self._decoder.decode(self._waiting.popleft())
                if text:
                    return text
            if self._over:
                break
            await self._bell.wait()
        if self._error is not None:
            raise self._error
        raise StopAsyncIteration
