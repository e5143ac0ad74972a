"""Tasks that go on beside a block of code and end with it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

from lifeecho_server.errors import LifeEchoError


@asynccontextmanager
async def beside(*tasks: Callable[[trio.CancelScope], Awaitable[None]]) -> AsyncIterator[None]:
    """Run tasks beside the block; they are cancelled when it ends.

    Each is given the scope that holds it and the block, to end both. What the block raises, if it
    is an error of ours, comes out as it is and not in a group.
    """
    fault: LifeEchoError | None = None
    async with trio.open_nursery() as nursery:
        for task in tasks:
            nursery.start_soon(task, nursery.cancel_scope)
        try:
            yield
        except LifeEchoError as error:
            fault = error
        nursery.cancel_scope.cancel()
    if fault is not None:
        raise fault
