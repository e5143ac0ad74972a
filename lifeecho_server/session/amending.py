"""Closed recordings in slices, recognised anew: a slice came late, or a model has come at last."""

import logging
from collections import Counter
from dataclasses import replace
from functools import partial

import trio

from lifeecho_server.engines.audio import BadAudio
from lifeecho_server.engines.disk import DiskFailed
from lifeecho_server.engines.transcriber import Transcript
from lifeecho_server.inference import (
    AsrUnavailable,
    EngineFailed,
    EngineReplaced,
    EngineState,
    Priority,
    QueueFull,
)
from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.slices import SliceOrder
from lifeecho_server.session.boundary import boundary
from lifeecho_server.session.facilities import Facilities
from lifeecho_server.session.heard import Heard
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import NotFound, StoreFailed
from lifeecho_server.store.transcripts import mark_failed
from lifeecho_server.store.voice_sessions import (
    VoiceSession,
    amend_session,
    sessions_to_recognise,
    voice_session,
)

log = logging.getLogger("lifeecho.recording")

ATTEMPTS = 3
"""How often a recording that the engine fails over is tried, until it is asked for or a restart."""

SWEEP_SECONDS = 5.0
"""How often recordings that wait for recognition are looked for."""


class Amending:
    """Makes transcripts of closed recordings; what is due stands in the database."""

    def __init__(self, facilities: Facilities) -> None:
        self._facilities = facilities
        self._under_way: set[str] = set()
        self._failed = Counter[str]()
        self._late, self._to_amend = trio.open_memory_channel[str](float("inf"))

    def late(self, session_id: str) -> None:
        """A slice has come to a closed recording, or somebody asks again; never waits."""
        del self._failed[session_id]
        self._late.send_nowait(session_id)

    async def run(self) -> None:
        """Amend what is due until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._sweep)
            async for session_id in self._to_amend:
                nursery.start_soon(self._amend, session_id, Priority.REPLY)

    async def _sweep(self) -> None:
        """Take up recordings that had found no engine, once there is one."""
        inference = self._facilities.inference
        while True:
            capabilities = inference.capabilities
            if capabilities.asr is EngineState.READY:
                for session_id in await self._left():
                    if self._failed[session_id] < ATTEMPTS:
                        await self._amend(session_id, Priority.BACKGROUND)
                await trio.sleep(SWEEP_SECONDS)
            else:
                await inference.changed(capabilities)

    async def _left(self) -> list[str]:
        try:
            return await self._facilities.store.read(sessions_to_recognise)
        except StoreFailed as error:
            log.warning("waiting recordings unread kind=%s", type(error).__name__)
            return []

    async def _amend(self, session_id: str, priority: Priority) -> None:
        """Make the transcript of one recording anew until it holds every slice."""
        if session_id in self._under_way:
            return  # whoever is at it looks again when it is done
        self._under_way.add(session_id)
        try:
            with boundary("recording"):
                while await self._amended(session_id, priority):
                    pass
        except Fault as fault:
            log.error("recording left session=%s reference=%s", session_id, fault.reference)
        finally:
            self._under_way.discard(session_id)

    async def _amended(self, session_id: str, priority: Priority) -> bool:
        """Make a transcript anew if it is due; False when there is nothing to do just now."""
        try:
            session = await self._facilities.store.read(
                partial(voice_session, session_id=session_id)
            )
            if session is None or not session.due:
                return False
            heard = await self._heard(session, priority)
            # Whoever reads the history before they are told leaves the turn to be told.
            with self._facilities.recogniser.expecting(heard.turn_id):
                return await self._told(session, heard)
        except (AsrUnavailable, EngineReplaced, QueueFull, StoreFailed, DiskFailed) as error:
            # It stays due in the database, and the sweep takes it up again.
            log.warning("recording waits kind=%s", type(error).__name__)
            return False
        except NotFound:
            return False

    async def _heard(self, session: VoiceSession, priority: Priority) -> Heard:
        """Listen to a recording; nothing is stored yet."""
        heard = Heard(
            session.turn_id or "",
            None,
            voice_session_id=session.client_id,
            missing=_order(session).missing,
        )
        try:
            return replace(heard, transcript=await self._transcript(session, priority))
        except EngineReplaced:
            raise
        except BadAudio:
            return replace(heard, fault=Code.BAD_AUDIO)
        except EngineFailed:
            return replace(heard, fault=Code.ASR_FAILED)

    async def _told(self, session: VoiceSession, heard: Heard) -> bool:
        """Store what came of a recording and tell it; whether it may be looked at again."""
        store, audience = self._facilities.store, self._facilities.audience
        if heard.transcript is None:
            self._failed[session.id] += 1
            await store.write(partial(_give_up, session=session))
        else:
            stored = await store.write(
                partial(
                    amend_session,
                    session=session,
                    transcript=heard.transcript,
                    at=self._facilities.clock.now(),
                )
            )
            heard = replace(heard, revision=stored.revision, taken=stored.appeared)
        audience.heard(session.conversation_id, heard)
        return heard.fault is None

    async def _transcript(self, session: VoiceSession, priority: Priority) -> Transcript:
        inference = self._facilities.inference
        hearing = await self._facilities.hearing(session)
        slices = {piece.index: piece for piece in session.slices}
        async with inference.live_audio() as audio:
            for index in _order(session).ready():
                audio.append(self._facilities.source(slices[index]))
            audio.end()
            return await inference.listen(
                audio, hearing, owner=session.conversation_id, priority=priority
            )


def _order(session: VoiceSession) -> SliceOrder:
    order = SliceOrder.of((piece.index for piece in session.slices), session.last)
    order.give_up()
    return order


def _give_up(db: Connection, *, session: VoiceSession) -> None:
    """Remember that a recording could not be recognised.

    One that had been before keeps its words and stays stale: it lacks a slice.
    """
    if session.turn_id is not None:
        mark_failed(db, session.turn_id)
