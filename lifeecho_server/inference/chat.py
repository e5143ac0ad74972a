"""The chat lane: replies and prompts evaluated ahead, side by side on one model."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import trio

from lifeecho_server.engines.chat_model import ChatModel
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.activity import Activity
from lifeecho_server.inference.capabilities import EngineState
from lifeecho_server.inference.errors import (
    LlmUnavailable,
    StepHung,
)
from lifeecho_server.inference.generation import Generation, Outcome, Prompt, failure
from lifeecho_server.inference.lease import Lease
from lifeecho_server.inference.loading import EngineLoader
from lifeecho_server.inference.metrics import LlmMetrics
from lifeecho_server.inference.pieces import TextPieces
from lifeecho_server.inference.schedule import Priority, TurnTaking

UNHURRIED_MOST = 2
"""How many prompts that give way are taken up at once."""


@dataclass(eq=False, slots=True)
class _Request:
    accepted: float
    under_way: ExitStack
    pieces: TextPieces = field(default_factory=TextPieces)
    first_piece: bool = True

    def finish(self, error: LifeEchoError | None = None) -> None:
        """Nothing more comes; what is less urgent need not give way any longer."""
        self.pieces.finish(error)
        self.under_way.close()


class ChatLane:
    """Those who want a reply, and the task that generates them."""

    def __init__(
        self,
        loader: EngineLoader[ChatModel],
        activity: Activity,
        metrics: LlmMetrics,
        *,
        queue: int,
        chunk: int,
        step_timeout: float,
    ) -> None:
        self._loader = loader
        self._activity = activity
        self._bell = activity.bell()
        self._metrics = metrics
        self._chunk = chunk
        self._step_timeout = step_timeout
        self._waiting: TurnTaking[Prompt] = TurnTaking(queue)
        self._requests: dict[Prompt, _Request] = {}
        self._active: set[Prompt] = set()

    @asynccontextmanager
    async def reply(self, prompt: Prompt) -> AsyncIterator[TextPieces]:
        """Have a prompt replied to for as long as the block runs.

        Preparing takes no place in the queue from those who wait: there is no more of it than
        there are conversations. Raises LlmUnavailable and QueueFull.
        """
        self._lent()
        self._waiting.add(
            prompt,
            owner=prompt.conversation,
            priority=prompt.priority,
            bounded=prompt.priority is not Priority.PREPARING,
        )
        with ExitStack() as under_way:
            request = _Request(trio.current_time(), under_way)
            under_way.enter_context(self._activity.under_way(prompt.priority))
            self._requests[prompt] = request
            self._note_waiting()
            self._bell.ring()
            try:
                yield request.pieces
            finally:
                del self._requests[prompt]
                self._waiting.remove(prompt)
                self._note_waiting()
                self._bell.ring()

    async def run(self) -> None:
        """Generate what is asked for, a turn a step, until cancelled."""
        while True:
            lease = await self._loader.ready()
            generation = Generation(lease.engine, chunk=self._chunk, metrics=self._metrics)
            while not lease.ended:
                leaving = [prompt for prompt in self._active if prompt not in self._requests]
                joining = self._admit(lease.engine.max_sequences)
                if leaving or joining or any(self._runnable(prompt) for prompt in self._active):
                    await self._turn(lease, partial(generation.turn, joining, leaving))
                    self._active.difference_update(leaving)
                else:
                    await self._bell.wait()
            self._fail_all(StepHung("the engine was given up"))

    def engine_changed(self) -> None:
        """Look at the loader again: those who wait for an engine that is gone are told."""
        if self._loader.lease is None:
            for prompt in self._waiting:
                self._requests[prompt].finish(self._unavailable())
        self._bell.ring()

    def _lent(self) -> Lease[ChatModel]:
        if self._loader.lease is None:
            raise self._unavailable()
        return self._loader.lease

    def _unavailable(self) -> LlmUnavailable:
        if self._loader.state is EngineState.LOADING:
            return LlmUnavailable("the language model is still loading")
        return LlmUnavailable(self._loader.reason or "no language model is installed")

    def _runnable(self, prompt: Prompt) -> bool:
        return self._activity.allows(prompt.priority)

    def _admit(self, room: int) -> list[Prompt]:
        """Take up waiting prompts; those that give way leave most of the room to the others.

        They hold their place while they stand still, and a few of them are as fast as many.
        """
        joining: list[Prompt] = []
        while len(self._active) < room:
            unhurried = sum(prompt.priority > Priority.SPEECH for prompt in self._active)
            full = unhurried >= min(UNHURRIED_MOST, room // 2)
            prompt = self._waiting.next(partial(self._admissible, hurried_only=full))
            if prompt is None:
                break
            self._waiting.remove(prompt)
            self._active.add(prompt)
            joining.append(prompt)
            self._metrics.waited_seconds += trio.current_time() - self._requests[prompt].accepted
        self._note_waiting()
        return joining

    def _admissible(self, prompt: Prompt, *, hurried_only: bool) -> bool:
        hurried = prompt.priority <= Priority.SPEECH
        return self._runnable(prompt) and (hurried or not hurried_only)

    async def _turn(
        self, lease: Lease[ChatModel], turn: Callable[[Priority], list[Outcome]]
    ) -> None:
        begin = trio.current_time()
        call = partial(turn, self._activity.most_urgent)
        try:
            outcomes = await lease.step(call, self._step_timeout)
        except LifeEchoError as error:
            self._metrics.steps_hung += isinstance(error, StepHung)
            self._fail_all(error)
            self._loader.report(lease, str(error))
        else:
            self._deliver(outcomes)
        finally:
            self._metrics.busy_seconds += trio.current_time() - begin
            self._metrics.active = len(self._active)

    def _deliver(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.over:
                self._active.discard(outcome.prompt)
                self._metrics.failed += outcome.error is not None
                self._metrics.finished += outcome.error is None
            request = self._requests.get(outcome.prompt)
            if request is None:
                continue
            if outcome.piece:
                if outcome.prompt.priority is Priority.REPLY:
                    self._note_first(request)
                request.pieces.put(outcome.piece)
            if outcome.over:
                request.finish(outcome.error)

    def _fail_all(self, cause: Exception) -> None:
        failed = [Outcome(prompt, over=True, error=failure(cause)) for prompt in self._active]
        self._deliver(failed)

    def _note_first(self, request: _Request) -> None:
        if request.first_piece:
            request.first_piece = False
            self._metrics.first_tokens += 1
            self._metrics.first_token_seconds += trio.current_time() - request.accepted

    def _note_waiting(self) -> None:
        self._metrics.waiting = len(self._waiting)
