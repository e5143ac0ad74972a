"""A loaded engine and the one thread that may be inside it."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, Protocol, TypeVar

import trio

from lifeecho_server.inference.edge import at_the_edge
from lifeecho_server.inference.errors import StepHung


class Closable(Protocol):
    """Anything that frees what it holds."""

    def close(self) -> None:
        """Free it."""
        ...


Engine = TypeVar("Engine", bound=Closable)
Result = TypeVar("Result")


class Lease(Generic[Engine]):
    """One loaded engine, entered by one thread at a time, until it is ended.

    A native library must never be freed while a thread is inside it, not even a thread that was
    left behind because it hangs: whoever comes last, that thread or ``end``, closes the engine.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._limiter = trio.CapacityLimiter(1)
        self._lock = Lock()
        self._inside = False
        self._ended = False
        self._closed = False

    @property
    def ended(self) -> bool:
        """Whether the engine is not to be used any more."""
        return self._ended

    @property
    def stuck(self) -> bool:
        """Whether a thread is still inside after the end."""
        return self._ended and self._inside

    async def step(self, call: Callable[[], Result], timeout: float) -> Result:
        """Run a blocking call into the engine in its thread.

        After ``timeout`` seconds the thread is left behind, the lease is over, and StepHung is
        raised. When cancelled the thread is left to finish; the next call waits for it. What the
        call raises is raised, as a LifeEchoError.
        """
        with trio.move_on_after(timeout):
            return await trio.to_thread.run_sync(
                self._enter, call, abandon_on_cancel=True, limiter=self._limiter
            )
        self._give_up()
        raise StepHung(f"the engine did not answer within {timeout:g} seconds")

    async def end(self, patience: float) -> None:
        """Use the engine no more: wait up to ``patience`` seconds for its thread, then close it.

        A thread that is still inside then closes it when it comes out.
        """
        self._give_up()
        with trio.CancelScope(shield=True):
            with trio.move_on_after(patience):
                async with self._limiter:
                    pass
            await trio.to_thread.run_sync(self._close)

    def _give_up(self) -> None:
        with self._lock:
            self._ended = True

    def _enter(self, call: Callable[[], Result]) -> Result:
        with self._lock:
            if self._ended:
                raise StepHung("the engine was given up")
            self._inside = True
        try:
            return at_the_edge(call)
        finally:
            with self._lock:
                self._inside = False
            if self._ended:
                self._close()

    def _close(self) -> None:
        with self._lock:
            last = not self._inside and not self._closed
            self._closed = self._closed or last
        if last:
            self.engine.close()
