"""The recognition lane: recordings are recognised window by window, in turn."""

from dataclasses import dataclass, field
from functools import partial

import trio

from lifeecho_server.engines.transcriber import (
    Hearing,
    Recognition,
    Samples,
    Transcriber,
    Transcript,
)
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.activity import Activity
from lifeecho_server.inference.decoding import AudioSource, Decoding
from lifeecho_server.inference.errors import AsrUnavailable, EngineFailed, StepHung
from lifeecho_server.inference.lease import Lease
from lifeecho_server.inference.loading import EngineLoader
from lifeecho_server.inference.metrics import AsrMetrics
from lifeecho_server.inference.schedule import Priority, TurnTaking

HURRIED_MAX = 4
UNHURRIED_MAX = 2
"""Recordings that are in memory as samples at once, live ones and others: 2 h are 460 MB."""


@dataclass(eq=False, slots=True)
class _Job:
    hearing: Hearing
    priority: Priority
    accepted: float
    started: float | None = None
    samples: Samples | None = None
    recognition: Recognition | None = None
    begun_by: Transcriber | None = None
    transcript: Transcript | None = None
    error: LifeEchoError | None = None
    done: trio.Event = field(default_factory=trio.Event)

    def advance(self, transcriber: Transcriber) -> Transcript | None:
        """Recognise one window; blocking. With another engine than before, from the start."""
        assert self.samples is not None
        if self.recognition is None or self.begun_by is not transcriber:
            self.recognition = transcriber.begin(self.samples, self.hearing)
            self.begun_by = transcriber
        return self.recognition.step()

    def finish(
        self, *, transcript: Transcript | None = None, error: LifeEchoError | None = None
    ) -> None:
        """Tell whoever waits."""
        self.transcript, self.error = transcript, error
        self.done.set()


class RecognitionLane:
    """Those who want a recording recognised, and the task that does it."""

    def __init__(
        self,
        loader: EngineLoader[Transcriber],
        decoding: Decoding,
        activity: Activity,
        metrics: AsrMetrics,
        *,
        queue: int,
        step_timeout: float,
    ) -> None:
        self._loader = loader
        self._decoding = decoding
        self._activity = activity
        self._bell = activity.bell()
        self._metrics = metrics
        self._jobs: TurnTaking[_Job] = TurnTaking(queue)
        self._step_timeout = step_timeout
        self._hurried = trio.Semaphore(HURRIED_MAX)
        self._unhurried = trio.Semaphore(UNHURRIED_MAX)

    async def transcribe(
        self, source: AudioSource, hearing: Hearing, *, owner: str, priority: Priority
    ) -> Transcript:
        """See ``Inference.transcribe``."""
        if self._loader.unavailable:
            raise self._unavailable()
        job = _Job(hearing, priority, accepted=trio.current_time())
        self._jobs.add(job, owner=owner, priority=priority)
        self._metrics.waiting += 1
        try:
            with self._activity.under_way(priority):
                async with self._hurried if priority <= Priority.SPEECH else self._unhurried:
                    return await self._recognised(job, source)
        finally:
            self._metrics.waiting -= 1
            self._jobs.remove(job)

    async def run(self) -> None:
        """Recognise what waits, one window a step, until cancelled."""
        while True:
            lease = await self._loader.ready()
            while not lease.ended:
                job = self._jobs.next(self._runnable)
                if job is None:
                    await self._bell.wait()
                else:
                    await self._step(lease, job)

    def engine_changed(self) -> None:
        """Look at the loader again: those who wait for an engine that will not come are told."""
        if self._loader.unavailable:
            for job in self._jobs:
                job.finish(error=self._unavailable())
        self._bell.ring()

    async def _recognised(self, job: _Job, source: AudioSource) -> Transcript:
        job.samples = await self._decoding.decode(source, job.priority)
        self._bell.ring()
        await job.done.wait()
        if job.error is not None:
            raise job.error
        assert job.transcript is not None
        return job.transcript

    def _runnable(self, job: _Job) -> bool:
        waiting = job.samples is not None and not job.done.is_set()
        return waiting and self._activity.allows(job.priority)

    def _unavailable(self) -> AsrUnavailable:
        return AsrUnavailable(self._loader.reason or "no recognition model is installed")

    async def _step(self, lease: Lease[Transcriber], job: _Job) -> None:
        begin = trio.current_time()
        if job.started is None:
            job.started = begin
            self._metrics.waited_seconds += begin - job.accepted
        try:
            transcript = await lease.step(partial(job.advance, lease.engine), self._step_timeout)
        except StepHung as error:
            self._loader.report(lease, str(error))
            self._fail(job, error)
        except LifeEchoError as error:
            self._fail(job, error)
        else:
            if transcript is not None:
                self._metrics.recognised += 1
                self._metrics.audio_seconds += transcript.duration
                job.finish(transcript=transcript)
        finally:
            self._metrics.busy_seconds += trio.current_time() - begin

    def _fail(self, job: _Job, cause: Exception) -> None:
        self._metrics.failed += 1
        failure = EngineFailed("the recording could not be recognised")
        failure.__cause__ = cause
        job.finish(error=failure)
