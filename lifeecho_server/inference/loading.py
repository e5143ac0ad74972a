"""Keeping one engine loaded: in the background, again after a fault, anew when one is installed."""

from collections.abc import Callable
from typing import Generic

import trio

from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.capabilities import EngineState
from lifeecho_server.inference.edge import EngineBroke, at_the_edge
from lifeecho_server.inference.lease import Engine, Lease

RECHECK_SECONDS = 3.0
"""How often what is installed is looked at while there is no engine."""

PATIENCE_SECONDS = 3.0
"""How long a stopping server waits for a step or a load that is under way."""

STUCK_MAX = 2
"""Threads left behind in hung engines, each holding an engine's memory, before none is loaded."""


class EngineLoader(Generic[Engine]):
    """Loads an engine, lends it out, and replaces it when it was reported broken."""

    def __init__(
        self,
        load: Callable[[], Engine | None],
        fingerprint: Callable[[], object],
        *,
        on_change: Callable[[], None],
    ) -> None:
        """``load`` blocks; it returns ``None`` when nothing is installed.

        ``fingerprint`` blocks shortly; while there is no engine, ``load`` is called again when
        its value changes. ``on_change`` is called after every change of ``state``.
        """
        self._load = load
        self._fingerprint = fingerprint
        self._on_change = on_change
        self._stuck: list[Lease[Engine]] = []
        self._loading = trio.CapacityLimiter(1)
        self._over = False
        self._broken = trio.Event()
        self._changed = trio.Event()
        self.state = EngineState.LOADING
        self.reason: str | None = None
        self.lease: Lease[Engine] | None = None

    @property
    def unavailable(self) -> bool:
        """Whether there is no engine and none is on its way."""
        failed = self.state is EngineState.FAILED and not self._broken.is_set()
        return failed or self.state is EngineState.NONE

    async def ready(self) -> Lease[Engine]:
        """Wait for a usable engine."""
        while self.lease is None or self.lease.ended:
            await self._changed.wait()
        return self.lease

    def report(self, lease: Lease[Engine], reason: str) -> None:
        """Say that a lent engine is not to be used any more; it is replaced."""
        if lease is self.lease:
            self._broken.set()
            self._enter(EngineState.FAILED, reason)

    async def run(self) -> None:
        """Keep the engine loaded until cancelled."""
        while True:
            installed = await self._installed()
            engine = await self._loaded()
            if engine is None:
                await self._until_something_changes(installed)
            else:
                await self._lend(Lease(engine))
            self._broken = trio.Event()
            self._enter(EngineState.LOADING, self.reason)

    async def _loaded(self) -> Engine | None:
        self._stuck = [lease for lease in self._stuck if lease.stuck]
        if len(self._stuck) >= STUCK_MAX:
            self._enter(EngineState.FAILED, "the engine hangs again and again; restart the server")
            return None
        try:
            engine = await self._load_in_thread()
        except EngineBroke as error:
            self._enter(EngineState.FAILED, f"the model could not be loaded: {error.__cause__}")
            return None
        except LifeEchoError as error:
            self._enter(EngineState.FAILED, str(error))
            return None
        if engine is None:
            self._enter(EngineState.NONE, None)
        return engine

    async def _load_in_thread(self) -> Engine | None:
        try:
            return await trio.to_thread.run_sync(
                self._load_unless_over, abandon_on_cancel=True, limiter=self._loading
            )
        except trio.Cancelled:
            self._over = True
            with trio.move_on_after(PATIENCE_SECONDS, shield=True):
                async with self._loading:  # free when the thread has come out
                    pass
            raise

    def _load_unless_over(self) -> Engine | None:
        engine = at_the_edge(self._load)
        if engine is not None and self._over:
            engine.close()
            return None
        return engine

    async def _lend(self, lease: Lease[Engine]) -> None:
        self._enter(EngineState.READY, None, lease)
        patience = PATIENCE_SECONDS
        try:
            await self._broken.wait()
            patience = 0.0
        finally:
            await lease.end(patience)
        if lease.stuck:
            self._stuck.append(lease)

    async def _installed(self) -> object:
        """Return what is installed; None where the folder cannot be read just now."""
        try:
            return await trio.to_thread.run_sync(at_the_edge, self._fingerprint)
        except LifeEchoError:
            return None

    async def _until_something_changes(self, installed: object) -> None:
        stuck = len(self._stuck)
        while True:
            await trio.sleep(RECHECK_SECONDS)
            if await self._installed() != installed:
                return
            if sum(lease.stuck for lease in self._stuck) < stuck:
                return

    def _enter(
        self, state: EngineState, reason: str | None, lease: Lease[Engine] | None = None
    ) -> None:
        self.state, self.reason, self.lease = state, reason, lease
        changed, self._changed = self._changed, trio.Event()
        changed.set()
        self._on_change()
