"""The recognition lane: recordings are recognised while they come in, window by window, in turn."""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from functools import partial

import trio

from lifeecho_server.engines.audio import PIECE_SECONDS
from lifeecho_server.engines.transcriber import (
    Hearing,
    Recognition,
    Samples,
    SoFar,
    Transcriber,
    Transcript,
)
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.activity import Activity, Busy
from lifeecho_server.inference.beside import beside
from lifeecho_server.inference.decoding import Audio
from lifeecho_server.inference.errors import (
    AsrUnavailable,
    EngineFailed,
    EngineReplaced,
    StepHung,
)
from lifeecho_server.inference.lease import Lease
from lifeecho_server.inference.loading import EngineLoader
from lifeecho_server.inference.metrics import AsrMetrics
from lifeecho_server.inference.schedule import Priority, TurnTaking

GUESS_PAUSE = 2.0
"""Times the length of a guess that a recording waits before the next one: guesses are for the eye,
and take at most a third of the engine."""

BEGINNINGS = 3
"""How often a recording is begun anew because the engine was replaced under it."""

READ_AHEAD = 2
"""Pieces that may wait for the engine, so that it need not wait for them."""

NOTHING = SoFar("", 0)

Progress = Callable[[SoFar], None]
"""Is told what has been recognised so far when that has changed; must not wait.

It is called by the task that asked for the recording, and what it raises comes out there."""


@dataclass(frozen=True, slots=True)
class _State:
    """How a recognition stands after a step, as its engine's thread saw it."""

    idle: bool = True
    guess_due: bool = False
    so_far: SoFar = NOTHING
    transcript: Transcript | None = None


@dataclass(eq=False, slots=True)
class _Job:
    hearing: Hearing
    priority: Priority
    accepted: float
    busy: Busy
    progress: Progress | None
    started: float | None = None
    heard: deque[Samples] = field(default_factory=deque)
    over: bool = False
    hungry: trio.Event = field(default_factory=trio.Event)
    recognition: Recognition | None = None
    begun_by: Transcriber | None = None
    stepping: bool = False
    state: _State = _State()
    news: trio.Event = field(default_factory=trio.Event)
    next_guess: float = 0.0
    transcript: Transcript | None = None
    error: LifeEchoError | None = None
    done: trio.Event = field(default_factory=trio.Event)

    @property
    def has_work(self) -> bool:
        """Whether the engine has anything to do for it but guess."""
        if self.done.is_set():
            return False
        return bool(self.heard) or self.over or self.stepping or not self.state.idle

    def advance(self, transcriber: Transcriber) -> _State:
        """Do one step; blocking. Raises EngineReplaced with another engine than before."""
        recognition = self._begun(transcriber)
        over = self.over  # looked at first: what is heard before the end is there by then
        while self.heard:
            recognition.hear(self.heard.popleft())
        if over:
            recognition.finish()
        transcript = recognition.step()
        return _seen(recognition) if transcript is None else _State(transcript=transcript)

    def guess(self, transcriber: Transcriber) -> _State:
        """Recognise for now what is not in a window yet; blocking."""
        recognition = self._begun(transcriber)
        recognition.guess()
        return _seen(recognition)

    def _begun(self, transcriber: Transcriber) -> Recognition:
        if self.recognition is None:
            self.recognition = transcriber.begin(self.hearing)
            self.begun_by = transcriber
        elif self.begun_by is not transcriber:
            raise EngineReplaced("the engine was replaced while the recording was recognised")
        return self.recognition

    def stands(self, state: _State) -> None:
        """Take note of how it stands, and that there may be something to show."""
        self.state = state
        self.news.set()

    def settle(self) -> None:
        """See whether there is work left, and ask for more."""
        if self.has_work:
            self.busy.begin()
        else:
            self.busy.end()
        self.hungry.set()

    def finish(
        self, *, transcript: Transcript | None = None, error: LifeEchoError | None = None
    ) -> None:
        """Tell whoever waits."""
        self.transcript, self.error = transcript, error
        self.busy.end()
        self.done.set()


def _seen(recognition: Recognition) -> _State:
    """Look at a recognition, which only the engine's thread may do: what it raises, it raises."""
    return _State(recognition.idle, recognition.guess_due, recognition.so_far())


class RecognitionLane:
    """Those who want a recording recognised, and the task that does it."""

    def __init__(
        self,
        loader: EngineLoader[Transcriber],
        activity: Activity,
        metrics: AsrMetrics,
        *,
        queue: int,
        step_timeout: float,
    ) -> None:
        self._loader = loader
        self._activity = activity
        self._bell = activity.bell()
        self._metrics = metrics
        self._jobs: TurnTaking[_Job] = TurnTaking(queue)
        self._step_timeout = step_timeout

    async def transcribe(
        self,
        opened: Callable[[], AbstractAsyncContextManager[Audio]],
        hearing: Hearing,
        *,
        owner: str,
        priority: Priority,
    ) -> Transcript:
        """Recognise a whole recording, which may be opened anew: see ``Inference.transcribe``."""
        self._require_engine()
        for _ in range(BEGINNINGS):
            with suppress(EngineReplaced):
                async with opened() as audio:
                    return await self.recognise(audio, hearing, owner=owner, priority=priority)
        raise EngineFailed("the engine was replaced again and again")

    async def recognise(
        self,
        audio: Audio,
        hearing: Hearing,
        *,
        owner: str,
        priority: Priority,
        progress: Progress | None = None,
    ) -> Transcript:
        """Recognise sound as it is read, for as long as it goes on.

        Only the sound that is needed next is in memory, whatever the length. Raises
        AsrUnavailable, EngineFailed, EngineReplaced, QueueFull, and what reading raises.
        """
        self._require_engine()
        job = _Job(hearing, priority, trio.current_time(), Busy(self._activity, priority), progress)
        # Somebody who talks holds a place for as long as they do, and must not keep others out.
        self._jobs.add(job, owner=owner, priority=priority, bounded=not hearing.live)
        self._metrics.waiting += 1
        try:
            await self._read(job, audio)
        finally:
            job.busy.end()
            self._metrics.waiting -= 1
            self._jobs.remove(job)
        if job.error is not None:
            raise job.error
        assert job.transcript is not None
        return job.transcript

    async def run(self) -> None:
        """Recognise what waits, one window a step, until cancelled."""
        while True:
            lease = await self._loader.ready()
            while not lease.ended:
                await self._next(lease)

    def engine_changed(self) -> None:
        """Look at the loader again: those who wait for an engine that will not come are told."""
        if self._loader.unavailable:
            for job in self._jobs:
                job.finish(error=self._unavailable())
        self._bell.ring()

    async def _read(self, job: _Job, audio: Audio) -> None:
        """Read until the recording is done with; what reading raises ends it."""

        async def until_done(reading: trio.CancelScope) -> None:
            await job.done.wait()
            reading.cancel()

        async with beside(until_done, partial(self._show, job)):
            await self._feed(job, audio)
            await job.done.wait()

    async def _feed(self, job: _Job, audio: Audio) -> None:
        while not job.over:
            while len(job.heard) >= READ_AHEAD:
                job.hungry = trio.Event()
                await job.hungry.wait()
            piece = await audio.read(PIECE_SECONDS)
            if piece is None:
                job.over = True
            else:
                job.heard.append(piece)
            job.settle()
            self._bell.ring()

    async def _show(self, job: _Job, _: trio.CancelScope) -> None:
        """Tell what was recognised whenever it is something else than before."""
        shown = NOTHING
        while job.progress is not None:
            await job.news.wait()
            job.news = trio.Event()
            if job.state.so_far != shown:
                shown = job.state.so_far
                job.progress(shown)

    def _require_engine(self) -> None:
        if self._loader.unavailable:
            raise self._unavailable()

    def _unavailable(self) -> AsrUnavailable:
        return AsrUnavailable(self._loader.reason or "no recognition model is installed")

    async def _next(self, lease: Lease[Transcriber]) -> None:
        """Do one step for whoever's turn it is, or a guess, or wait for either."""
        job = self._jobs.next(self._runnable)
        if job is not None:
            await self._step(lease, job)
            return
        now = trio.current_time()
        job = self._jobs.next(partial(self._may_guess, now=now))
        if job is not None:
            await self._guess(lease, job)
            return
        later = [j.next_guess for j in self._jobs if self._wants_guess(j) and j.next_guess > now]
        with trio.move_on_at(min(later, default=float("inf"))):
            await self._bell.wait()

    def _runnable(self, job: _Job) -> bool:
        return job.has_work and self._activity.allows(job.priority)

    def _wants_guess(self, job: _Job) -> bool:
        listened_to = job.progress is not None and not job.done.is_set()
        return listened_to and job.state.guess_due

    def _may_guess(self, job: _Job, *, now: float) -> bool:
        """Guesses give way to whatever somebody waits for."""
        free = self._activity.allows(Priority.PREPARING)
        return free and now >= job.next_guess and self._wants_guess(job)

    async def _step(self, lease: Lease[Transcriber], job: _Job) -> None:
        if job.started is None:
            job.started = trio.current_time()
            self._metrics.waited_seconds += job.started - job.accepted
        job.stepping = True
        state = await self._inside(lease, job, partial(job.advance, lease.engine))
        job.stepping = False
        if state is None or job.done.is_set():
            return
        if state.transcript is not None:
            self._metrics.recognised += 1
            self._metrics.audio_seconds += state.transcript.duration
            job.finish(transcript=state.transcript)
            return
        job.stands(state)
        job.settle()

    async def _guess(self, lease: Lease[Transcriber], job: _Job) -> None:
        begin = trio.current_time()
        state = await self._inside(lease, job, partial(job.guess, lease.engine))
        now = trio.current_time()
        job.next_guess = now + GUESS_PAUSE * (now - begin)
        if state is not None:
            job.stands(state)

    async def _inside(
        self, lease: Lease[Transcriber], job: _Job, call: Callable[[], _State]
    ) -> _State | None:
        """Run a call in the engine's thread; what it raises ends the job that asked for it."""
        begin = trio.current_time()
        try:
            return await lease.step(call, self._step_timeout)
        except StepHung as error:
            self._loader.report(lease, str(error))
            self._fail(job, error)
        except EngineReplaced as error:
            job.finish(error=error)
        except LifeEchoError as error:
            self._fail(job, error)
        finally:
            self._metrics.busy_seconds += trio.current_time() - begin
        return None

    def _fail(self, job: _Job, cause: Exception) -> None:
        self._metrics.failed += 1
        failure = EngineFailed("the recording could not be recognised")
        failure.__cause__ = cause
        job.finish(error=failure)
