"""Listening to kept recordings: owned by the server, so that a lost connection loses nothing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

import trio

from lifeecho_server.clock import Clock
from lifeecho_server.engines.audio import BadAudio
from lifeecho_server.engines.disk import DiskFailed
from lifeecho_server.engines.transcriber import Transcript
from lifeecho_server.inference import (
    AsrUnavailable,
    AudioSource,
    EngineFailed,
    EngineState,
    Inference,
    Priority,
    QueueFull,
)
from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.session.boundary import boundary
from lifeecho_server.session.ear import ear_for
from lifeecho_server.session.heard import Heard
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import StoreFailed
from lifeecho_server.store.recordings import RecordingFiles
from lifeecho_server.store.store import Store
from lifeecho_server.store.transcripts import (
    StoredTranscript,
    WaitingRecognition,
    mark_failed,
    store_transcript,
    waiting_recognitions,
)

log = logging.getLogger("lifeecho.recognition")

SWEEP_PAUSE = 5.0
"""Seconds after which recordings that were left waiting are looked at again."""


class Listener(Protocol):
    """Who wants to know what came of a conversation's recordings."""

    def __call__(self, conversation_id: str, heard: Heard) -> None:
        """Take note; must not wait."""
        ...


@dataclass(frozen=True, slots=True)
class _Job:
    waiting: WaitingRecognition
    client_id: str | None
    priority: Priority


class Recogniser:
    """Turns the recordings of turns into their words, and tells whoever is connected.

    A recording waits in the database until it has been recognised; stopping loses nothing.
    """

    def __init__(
        self,
        store: Store,
        files: RecordingFiles,
        inference: Inference,
        clock: Clock,
        *,
        languages: tuple[str, ...],
        tell: Listener,
    ) -> None:
        self._store = store
        self._files = files
        self._inference = inference
        self._clock = clock
        self._languages = languages
        self._tell = tell
        self._pending: set[str] = set()
        self._expected: set[str] = set()
        self._submit, self._submitted = trio.open_memory_channel[_Job](float("inf"))

    def listening_to(self, turn_id: str) -> bool:
        """Whether a turn's recording is being recognised, or is about to be."""
        return turn_id in self._pending or turn_id in self._expected

    @contextmanager
    def expecting(self, turn_id: str) -> Iterator[None]:
        """Leave a turn that is being committed to whoever is about to submit it."""
        self._expected.add(turn_id)
        try:
            yield
        finally:
            self._expected.discard(turn_id)

    def submit(self, waiting: WaitingRecognition, client_id: str | None = None) -> None:
        """Recognise a recording that was just made, before all older ones; never waits."""
        if waiting.turn_id not in self._pending:
            self._pending.add(waiting.turn_id)
            self._submit.send_nowait(_Job(waiting, client_id, Priority.LIVE))

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Recognise what is submitted, and what an earlier run or a missing model left."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._sweep)
            task_status.started()
            async for job in self._submitted:
                nursery.start_soon(self._recognise, job)

    async def _sweep(self) -> None:
        while True:
            capabilities = self._inference.capabilities
            if capabilities.asr is EngineState.READY:
                await self._recognise_left()
                await trio.sleep(SWEEP_PAUSE)
            else:
                await self._inference.changed(capabilities)

    async def _recognise_left(self) -> None:
        """Recognise what waits, looking anew each time; one that stays holds up no other."""
        tried: set[str] = set()
        while (waiting := await self._longest_waiting(tried)) is not None:
            tried.add(waiting.turn_id)
            self._pending.add(waiting.turn_id)
            await self._recognise(_Job(waiting, None, Priority.BACKGROUND))

    async def _longest_waiting(self, tried: set[str]) -> WaitingRecognition | None:
        try:
            left = await self._store.read(waiting_recognitions)
        except StoreFailed as error:
            log.warning("waiting recordings unread kind=%s", type(error).__name__)
            return None
        free = (each for each in left if not self.listening_to(each.turn_id))
        return next((each for each in free if each.turn_id not in tried), None)

    async def _recognise(self, job: _Job) -> None:
        """Recognise one recording and tell, unless it goes on waiting."""
        try:
            with boundary("recognition", Code.ASR_FAILED):
                heard = await self._heard(job)
        except Fault as fault:
            heard = await self._failed(job, fault.code)
        finally:
            self._pending.discard(job.waiting.turn_id)
        if heard is not None:
            self._tell(job.waiting.conversation_id, heard)

    async def _heard(self, job: _Job) -> Heard | None:
        """Recognise one recording and store what came of it; None if it goes on waiting."""
        waiting = job.waiting
        try:
            transcript = await self._transcript(job)
            stored = await self._store.write(
                partial(
                    _store, turn_id=waiting.turn_id, transcript=transcript, at=self._clock.now()
                )
            )
        except AsrUnavailable:
            return Heard(waiting.turn_id, None, Code.ASR_UNAVAILABLE, job.client_id)
        except (QueueFull, StoreFailed, DiskFailed) as error:
            # It goes on waiting in the database, and the sweep takes it up.
            log.warning("recording waits turn=%s kind=%s", waiting.turn_id, type(error).__name__)
            return None
        except BadAudio:
            return await self._failed(job, Code.BAD_AUDIO)
        except EngineFailed:
            return await self._failed(job, Code.ASR_FAILED)
        return Heard(waiting.turn_id, transcript, None, job.client_id, stored.revision)

    async def _failed(self, job: _Job, code: Code) -> Heard | None:
        """Remember that a recording could not be recognised, so that it is not tried for ever."""
        turn_id = job.waiting.turn_id
        try:
            await self._store.write(partial(mark_failed, turn_id=turn_id))
        except StoreFailed as error:
            log.warning("failure unstored turn=%s kind=%s", turn_id, type(error).__name__)
            return None
        return Heard(turn_id, None, code, job.client_id)

    async def _transcript(self, job: _Job) -> Transcript:
        waiting = job.waiting
        hearing = await self._store.read(
            partial(ear_for, narrator_id=waiting.narrator_id, languages=self._languages)
        )
        source = AudioSource(
            path=self._files.path(waiting.path),
            format=waiting.format,
            sample_rate=waiting.sample_rate,
        )
        return await self._inference.transcribe(
            source,
            hearing,
            owner=waiting.conversation_id,
            priority=job.priority,
        )


def _store(
    db: Connection, *, turn_id: str, transcript: Transcript, at: datetime
) -> StoredTranscript:
    return store_transcript(db, turn_id, transcript, model="whisper", at=at)
