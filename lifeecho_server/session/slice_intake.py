"""Slices of recordings, taken in: on disk with their row, then acknowledged, then listened to."""

from datetime import timedelta
from functools import partial

import trio

from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.incoming import AudioSegment
from lifeecho_server.protocol.outgoing import SegmentAck
from lifeecho_server.session.admission import Admitted
from lifeecho_server.session.boundary import boundary
from lifeecho_server.session.keeping import commit, keep
from lifeecho_server.session.outbox import Outbox
from lifeecho_server.session.services import Services
from lifeecho_server.session.shown import stored_message
from lifeecho_server.session.told import told_as_faults
from lifeecho_server.store import quota
from lifeecho_server.store.database import Connection
from lifeecho_server.store.recordings import NewRecording
from lifeecho_server.store.slices import (
    KnownSlice,
    NewSlice,
    TakenSlice,
    known_slice,
    require_new_session,
    take_slice,
)
from lifeecho_server.store.voice_sessions import Slice, listen_again, shown_session


class SliceIntake:
    """Takes the slices of one connection in, one at a time."""

    def __init__(self, services: Services, outbox: Outbox, admitted: Admitted) -> None:
        self._services = services
        self._outbox = outbox
        self._admitted = admitted
        self._plan = services.plan_of(admitted.user)
        self._idle = timedelta(seconds=services.settings.session_idle)

    async def take(self, segment: AudioSegment) -> None:
        """Keep a slice, acknowledge it and hand it on. Raises Fault about it."""
        try:
            with boundary("intake"), told_as_faults():
                await self._take(segment)
        except Fault as fault:
            raise fault.about_slice(segment.voice_session_id, segment.index) from None

    async def _take(self, segment: AudioSegment) -> None:
        known = await self._services.store.read(partial(self._known, segment=segment))
        if known.duplicate:
            await self._again(segment, known)
            return
        recording = await keep(self._services, segment.audio)
        # What is committed is handed on, also when the connection ends in between.
        with trio.CancelScope(shield=True):
            await self._store(segment, recording)

    async def _store(self, segment: AudioSegment, recording: NewRecording) -> None:
        taken = await self._committed(self._new_slice(segment, recording))
        self._acknowledge(segment, taken.duplicate)
        if not taken.duplicate:
            piece = Slice(segment.index, recording.path, recording.format, recording.sample_rate)
            await self._services.voice.arrived(taken, piece, is_last=segment.is_last)

    def _known(self, db: Connection, *, segment: AudioSegment) -> KnownSlice:
        """Look a slice up; the first of a session is let in only if the plan allows it."""
        here = self._admitted.conversation.id
        known = known_slice(db, here, segment.voice_session_id, segment.index)
        if not known.session_known:
            now = self._services.clock.now()
            require_new_session(
                db,
                here,
                self._admitted.user.id,
                plan=self._plan,
                day=quota.day_of(now, self._services.timezone),
                at=now,
                idle=self._idle,
            )
        return known

    async def _again(self, segment: AudioSegment, known: KnownSlice) -> None:
        """Acknowledge a slice that is here; the last one asks for the transcript once more.

        Of a recording whose recognition had failed, or that lacks slices that have come, it asks
        to try again.
        """
        self._acknowledge(segment, duplicate=True)
        if not segment.is_last or segment.index != known.last or not known.closed:
            return
        shown = await self._services.store.read(
            partial(
                shown_session,
                conversation_id=self._admitted.conversation.id,
                client_id=segment.voice_session_id,
            )
        )
        if shown is not None:
            self._outbox.put(stored_message(shown))
            if shown.stale:
                self._services.voice.listen_again(shown.id)
            return
        failed = await self._services.store.write(
            partial(
                listen_again,
                conversation_id=self._admitted.conversation.id,
                client_id=segment.voice_session_id,
            )
        )
        if failed is not None:
            self._services.voice.listen_again(failed)

    async def _committed(self, new: NewSlice) -> TakenSlice:
        day = quota.day_of(new.received_at, self._services.timezone)
        work = partial(take_slice, new=new, plan=self._plan, day=day, idle=self._idle)
        return await commit(self._services, new.recording, work)

    def _new_slice(self, segment: AudioSegment, recording: NewRecording) -> NewSlice:
        now = self._services.clock.now()
        return NewSlice(
            session_id=self._services.clock.new_id(),
            conversation_id=self._admitted.conversation.id,
            client_id=segment.voice_session_id,
            user_id=self._admitted.user.id,
            index=segment.index,
            is_last=segment.is_last,
            speaker=segment.speaker,
            said_at=segment.recorded_at or now,
            received_at=now,
            recording=recording,
        )

    def _acknowledge(self, segment: AudioSegment, duplicate: bool) -> None:
        status = "duplicate" if duplicate else "stored"
        self._outbox.put(SegmentAck(segment.voice_session_id, segment.index, status))
