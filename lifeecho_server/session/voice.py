"""The recordings in slices of all conversations: they live on when a connection drops."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import trio

from lifeecho_server.protocol.faults import Fault
from lifeecho_server.session.amending import Amending
from lifeecho_server.session.boundary import boundary
from lifeecho_server.session.facilities import Facilities
from lifeecho_server.session.live_recording import LiveRecording
from lifeecho_server.store.errors import StoreFailed
from lifeecho_server.store.slices import TakenSlice
from lifeecho_server.store.voice_sessions import Slice, unfinished_sessions, voice_session

log = logging.getLogger("lifeecho.recording")

LEFT_SECONDS = 5.0
"""How often recordings that are not closed and that nobody listens to are looked for."""


class VoiceSessions:
    """Takes slices to the recordings they belong to, and closed ones up again where it is due."""

    def __init__(self, facilities: Facilities) -> None:
        self._facilities = facilities
        self._live: dict[str, LiveRecording] = {}
        self._amending = Amending(facilities)
        self._present: set[str] = set()
        self._begin, self._begun = trio.open_memory_channel[LiveRecording](float("inf"))

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Take up what an earlier run has left, then what comes, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._amending.run)
            nursery.start_soon(self._take_up_left)
            task_status.started()
            async for live in self._begun:
                nursery.start_soon(self._run, live)

    @contextmanager
    def presence(self, conversation_id: str) -> Iterator[None]:
        """Let time pass for a conversation's recordings while somebody is connected to it."""
        self._be_present(conversation_id, True)
        try:
            yield
        finally:
            self._be_present(conversation_id, False)

    async def arrived(self, taken: TakenSlice, piece: Slice, *, is_last: bool) -> None:
        """A slice was committed: hand it on. What cannot be read just now is taken up later."""
        live = self._live.get(taken.session_id)
        if live is not None and not taken.closed:
            live.arrived(piece, is_last=is_last)
            return
        try:
            closed = taken.closed or not await self._take_up(taken.session_id)
        except StoreFailed as error:
            log.warning("recording taken up later kind=%s", type(error).__name__)
            return
        if closed:
            self._amending.late(taken.session_id)

    def listen_again(self, session_id: str) -> None:
        """Recognise a closed recording anew, or at last; never waits."""
        self._amending.late(session_id)

    def finish(self, conversation_id: str) -> None:
        """Close a conversation's recordings as if their last slice had come."""
        for live in self._of(conversation_id):
            live.finish()

    @property
    def conversations(self) -> frozenset[str]:
        """The conversations of which something is being recorded."""
        return frozenset(live.session.conversation_id for live in self._live.values())

    def drop(self, conversation_id: str) -> None:
        """Leave a conversation's recordings off: it was deleted, and they with it."""
        for live in self._of(conversation_id):
            live.drop()

    def _of(self, conversation_id: str) -> list[LiveRecording]:
        every = self._live.values()
        return [live for live in every if live.session.conversation_id == conversation_id]

    def _be_present(self, conversation_id: str, somebody: bool) -> None:
        if somebody:
            self._present.add(conversation_id)
        else:
            self._present.discard(conversation_id)
        for live in self._of(conversation_id):
            live.present(somebody)

    async def _take_up_left(self) -> None:
        """Take up what is not closed and nobody listens to: an earlier run or a fault left it."""
        while True:
            try:
                for session_id in await self._facilities.store.read(unfinished_sessions):
                    if session_id not in self._live:
                        await self._take_up(session_id)
            except StoreFailed as error:
                log.warning("recordings left unread kind=%s", type(error).__name__)
            await trio.sleep(LEFT_SECONDS)

    async def _take_up(self, session_id: str) -> bool:
        """Begin to listen to a recording that is not closed; False for one that is."""
        session = await self._facilities.store.read(partial(voice_session, session_id=session_id))
        if session is None or session.closed:
            return False
        if session_id not in self._live:
            present = session.conversation_id in self._present
            live = LiveRecording(self._facilities, session, present=present)
            self._live[session_id] = live
            self._begin.send_nowait(live)
        return True

    async def _run(self, live: LiveRecording) -> None:
        """Listen to one recording; after a fault of ours it is taken up again later."""
        try:
            with boundary("recording"):
                await live.run()
        except Fault as fault:
            log.error("recording left session=%s reference=%s", live.session.id, fault.reference)
        finally:
            del self._live[live.session.id]
