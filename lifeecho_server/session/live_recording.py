"""A recording that is being made: listened to while its slices arrive, then stored as a turn."""

import logging
from dataclasses import dataclass
from functools import partial

import trio

from lifeecho_server.engines.audio import BadAudio
from lifeecho_server.engines.disk import DiskFailed
from lifeecho_server.engines.transcriber import SoFar, Transcript
from lifeecho_server.inference import (
    AsrUnavailable,
    EngineFailed,
    EngineReplaced,
    LiveAudio,
    QueueFull,
    beside,
)
from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.outgoing import TranscriptPartial
from lifeecho_server.protocol.slices import Patience, SliceOrder, waits
from lifeecho_server.session.facilities import Facilities
from lifeecho_server.session.heard import Heard
from lifeecho_server.store import quota
from lifeecho_server.store.errors import NotFound, StoreFailed
from lifeecho_server.store.transcripts import StoredTranscript
from lifeecho_server.store.voice_sessions import Slice, VoiceSession, close_session

log = logging.getLogger("lifeecho.recording")

REST_SECONDS = 900.0
"""How long nobody is there before a recording lets go of the engine and its files. On their return
it is listened to from the beginning, so not too soon."""

AGAIN_SECONDS = 5.0
"""After what pause a full queue or a failing disk is tried again; the slices are safe meanwhile."""

ENGINES_MOST = 4
"""How many engines may be replaced under a recording before it counts as what breaks them; one
that fails over it counts twice."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    transcript: Transcript | None = None
    fault: Code | None = None


class LiveRecording:
    """One voice session that is not closed. It belongs to the server, not to a connection.

    ``arrived``, ``present``, ``finish`` and ``drop`` may be called at any time and never wait.
    """

    def __init__(self, facilities: Facilities, session: VoiceSession, *, present: bool) -> None:
        self.session = session
        self._facilities = facilities
        self._slices = {piece.index: piece for piece in session.slices}
        self._order = SliceOrder.of(self._slices, session.last)
        self._patience = Patience()
        self._stirred = trio.Event()
        self._scope = trio.CancelScope()
        self._told_unreadable: set[int] = set()
        self._absent_since: float | None = trio.current_time()
        if present:
            self.present(True)
        if session.ended:
            self.finish()

    def arrived(self, piece: Slice, *, is_last: bool) -> None:
        """A slice is on disk."""
        self._slices[piece.index] = piece
        self._order.arrive(piece.index, is_last=is_last)
        self._patience.arrived(trio.current_time())
        self._stir()

    def present(self, somebody: bool) -> None:
        """Somebody has connected to its conversation, or has left it."""
        now = trio.current_time()
        if somebody:
            self._patience.connected(now)
            self._absent_since = None
        else:
            self._patience.disconnected(now)
            self._absent_since = now
        self._stir()

    def finish(self) -> None:
        """Close it as if its last slice had come."""
        self._order.give_up()
        self._stir()

    def drop(self) -> None:
        """Leave it off for good: it was deleted."""
        self._scope.cancel()

    async def run(self) -> None:
        """Listen until it is over, and store it as a turn."""
        with self._scope:
            await self._until_stored()

    async def _until_stored(self) -> None:
        outcome = await self._outcome()
        turn_id = self._facilities.clock.new_id()
        with self._facilities.recogniser.expecting(turn_id):
            stored = await self._stored(turn_id, outcome)
            if stored is not None:
                self._tell(turn_id, outcome, stored)

    async def _outcome(self) -> _Outcome:
        """Listen, and wait for its end also where there is nothing to listen with."""
        engines = 0
        while True:
            self._order.rewind()
            try:
                await self._until_somebody_is_there()
                outcome = await self._listen()
                if outcome is not None:
                    return outcome
            except AsrUnavailable:
                if await self._over_before_an_engine():
                    return _Outcome(fault=Code.ASR_UNAVAILABLE)
            except QueueFull:
                await trio.sleep(AGAIN_SECONDS)
            except (StoreFailed, DiskFailed) as error:
                log.warning("recording waits kind=%s", type(error).__name__)
                await trio.sleep(AGAIN_SECONDS)
            except BadAudio:
                return await self._over_with(Code.BAD_AUDIO)
            except EngineFailed as error:
                engines += 1 if isinstance(error, EngineReplaced) else ENGINES_MOST // 2
                if engines > ENGINES_MOST:
                    return await self._over_with(Code.ASR_FAILED)

    async def _listen(self) -> _Outcome | None:
        """Listen to the end; None if it was left off because nobody has come back for long."""
        inference = self._facilities.inference
        hearing = await self._facilities.hearing(self.session)
        async with (
            inference.live_audio() as audio,
            beside(partial(self._feed, audio), self._rest),
        ):
            try:
                transcript = await inference.listen(
                    audio,
                    hearing,
                    owner=self.session.conversation_id,
                    progress=partial(self._show, audio),
                )
            finally:
                self._tell_unreadable(audio)
            if audio.too_long:  # the rest is kept, and is nothing to listen to anew
                await self._until_over()
            return _Outcome(transcript, Code.BAD_AUDIO if audio.too_long else None)
        return None

    async def _rest(self, listening: trio.CancelScope) -> None:
        """Leave off listening when nobody is there for long, unless it ends by itself."""
        while True:
            due = None if self._ending else self._absent_since
            with trio.move_on_at(float("inf") if due is None else due + REST_SECONDS) as waiting:
                await self._stirred.wait()
            if waiting.cancelled_caught:
                listening.cancel()

    @property
    def _ending(self) -> bool:
        """Whether nothing more is waited for."""
        return self._order.closed or self._order.complete

    async def _until_somebody_is_there(self) -> None:
        """Rest; what is given up for good meanwhile is over."""
        while self._absent_since is not None and not self._ending:
            await self._more()

    async def _feed(self, audio: LiveAudio, _: trio.CancelScope) -> None:
        """Hand slices on in order as they arrive, until the recording is over."""
        while True:
            for index in self._order.ready():
                audio.append(self._facilities.source(self._slices[index]))
            if self._order.over:
                break
            await self._more()
        audio.end()

    async def _more(self) -> None:
        """Wait for something to happen; give up what was waited for too long."""
        settings = self._facilities.settings
        limit = waits(
            self._order, slice_wait=settings.slice_wait, session_idle=settings.session_idle
        )
        ends_at = None if limit is None else self._patience.ends_at(limit)
        if self._absent_since is not None and not self._ending:
            ends_at = self._absent_since + settings.session_abandoned
        with trio.move_on_at(float("inf") if ends_at is None else ends_at) as waiting:
            await self._stirred.wait()
        if waiting.cancelled_caught:
            self._order.give_up()

    def _stir(self) -> None:
        stirred, self._stirred = self._stirred, trio.Event()
        stirred.set()

    async def _until_over(self) -> None:
        while not self._order.over:
            self._order.ready()
            if not self._order.over:
                await self._more()

    async def _over_with(self, fault: Code) -> _Outcome:
        """Wait for the end of a recording that cannot be listened to."""
        await self._until_over()
        return _Outcome(fault=fault)

    async def _over_before_an_engine(self) -> bool:
        """Wait until the recording is over, or there is an engine; whether the end came first."""
        inference = self._facilities.inference
        known = inference.capabilities

        async def until_an_engine(waiting: trio.CancelScope) -> None:
            await inference.changed(known)
            waiting.cancel()

        async with beside(until_an_engine):
            await self._until_over()
            return True
        return False

    def _show(self, audio: LiveAudio, so_far: SoFar) -> None:
        self._tell_unreadable(audio)
        partial_ = TranscriptPartial(
            voice_session_id=self.session.client_id,
            segment_index=audio.contributed or 0,
            text=so_far.text,
            stable_chars=so_far.stable,
        )
        self._facilities.audience.show(self.session.conversation_id, partial_)

    def _tell_unreadable(self, audio: LiveAudio) -> None:
        for index in set(audio.unreadable) - self._told_unreadable:
            self._told_unreadable.add(index)
            self._facilities.audience.unreadable(
                self.session.conversation_id, self.session.client_id, index
            )

    async def _stored(self, turn_id: str, outcome: _Outcome) -> StoredTranscript | None:
        """Store the turn, however long the disk takes; None if the recording was deleted."""
        while True:
            try:
                return await self._store(turn_id, outcome)
            except NotFound:
                return None
            except StoreFailed as error:
                log.warning("recording not closed yet kind=%s", type(error).__name__)
                await trio.sleep(AGAIN_SECONDS)

    async def _store(self, turn_id: str, outcome: _Outcome) -> StoredTranscript:
        facilities, order = self._facilities, self._order
        now = facilities.clock.now()
        return await facilities.store.write(
            partial(
                close_session,
                session_id=self.session.id,
                turn_id=turn_id,
                transcript=outcome.transcript,
                failed=outcome.fault in (Code.BAD_AUDIO, Code.ASR_FAILED),
                heard=order.handed,
                day=quota.day_of(now, facilities.timezone),
                at=now,
            )
        )

    def _tell(self, turn_id: str, outcome: _Outcome, stored: StoredTranscript) -> None:
        heard = Heard(
            turn_id,
            outcome.transcript,
            outcome.fault,
            revision=stored.revision,
            voice_session_id=self.session.client_id,
            missing=self._order.missing,
            taken=stored.hearing is not None,
        )
        self._facilities.audience.heard(self.session.conversation_id, heard)
