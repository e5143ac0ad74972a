"""The speech lane: sentences are read aloud, one after the other, in turn."""

from dataclasses import dataclass, field

import trio

from lifeecho_server.engines.speaker import Speaker, Spoken, Voice
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.activity import Activity
from lifeecho_server.inference.capabilities import EngineState
from lifeecho_server.inference.errors import EngineFailed, StepHung, TtsUnavailable
from lifeecho_server.inference.lease import Lease
from lifeecho_server.inference.loading import EngineLoader
from lifeecho_server.inference.metrics import TtsMetrics
from lifeecho_server.inference.schedule import Priority, TurnTaking


@dataclass(eq=False, slots=True)
class _Job:
    sentence: str
    voice: Voice
    accepted: float
    wanted: bool = True
    spoken: Spoken | None = None
    error: LifeEchoError | None = None
    done: trio.Event = field(default_factory=trio.Event)

    def speak(self, speaker: Speaker) -> Spoken:
        """Read the sentence aloud, until nobody waits for it any more; blocking."""
        pieces: list[bytes] = []

        def take(piece: bytes) -> bool:
            pieces.append(piece)
            return self.wanted

        if self.wanted:
            speaker.speak(self.sentence, self.voice, take)
        return Spoken(b"".join(pieces), speaker.sample_rate)

    def finish(self, *, spoken: Spoken | None = None, error: LifeEchoError | None = None) -> None:
        """Tell whoever waits."""
        self.spoken, self.error = spoken, error
        self.done.set()


class SpeechLane:
    """Those who want a sentence read aloud, and the task that does it.

    A sentence is one step: it takes some milliseconds, and looks at every piece of it whether it
    is still wanted, so that cancelling stops it in its middle.
    """

    def __init__(
        self,
        loader: EngineLoader[Speaker],
        activity: Activity,
        metrics: TtsMetrics,
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

    async def speak(self, sentence: str, voice: Voice, *, owner: str) -> Spoken:
        """See ``Inference.speak``."""
        if self._loader.lease is None:
            raise self._unavailable()
        job = _Job(sentence, voice, accepted=trio.current_time())
        self._jobs.add(job, owner=owner, priority=Priority.SPEECH)
        self._metrics.waiting = len(self._jobs)
        self._bell.ring()
        try:
            with self._activity.under_way(Priority.SPEECH):
                await job.done.wait()
        finally:
            job.wanted = False
            self._jobs.remove(job)
            self._metrics.waiting = len(self._jobs)
        if job.error is not None:
            raise job.error
        assert job.spoken is not None
        return job.spoken

    async def run(self) -> None:
        """Read aloud what waits, a sentence a step, until cancelled."""
        while True:
            lease = await self._loader.ready()
            while not lease.ended:
                job = self._jobs.next(self._runnable)
                if job is None:
                    await self._bell.wait()
                else:
                    await self._step(lease, job)

    def engine_changed(self) -> None:
        """Look at the loader again: those who wait for an engine that is gone are told."""
        if self._loader.lease is None:
            for job in self._jobs:
                job.finish(error=self._unavailable())
        self._bell.ring()

    def _runnable(self, job: _Job) -> bool:
        return not job.done.is_set() and self._activity.allows(Priority.SPEECH)

    def _unavailable(self) -> TtsUnavailable:
        if self._loader.state is EngineState.LOADING:
            return TtsUnavailable("the speech engine is still loading")
        return TtsUnavailable(self._loader.reason or "no speech engine is installed")

    async def _step(self, lease: Lease[Speaker], job: _Job) -> None:
        begin = trio.current_time()
        self._metrics.waited_seconds += begin - job.accepted
        try:
            spoken = await lease.step(lambda: job.speak(lease.engine), self._step_timeout)
        except StepHung as error:
            self._loader.report(lease, str(error))
            self._fail(job, error)
        except LifeEchoError as error:
            self._fail(job, error)
        else:
            self._finish(job, spoken)
        finally:
            self._metrics.busy_seconds += trio.current_time() - begin

    def _finish(self, job: _Job, spoken: Spoken) -> None:
        if job.wanted:
            self._metrics.sentences += 1
            self._metrics.audio_seconds += spoken.duration
        else:
            self._metrics.cancelled += 1
        job.finish(spoken=spoken)

    def _fail(self, job: _Job, cause: Exception) -> None:
        self._metrics.failed += 1
        failure = EngineFailed("the sentence could not be read aloud")
        failure.__cause__ = cause
        job.finish(error=failure)
