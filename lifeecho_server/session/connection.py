"""One open conversation: what it knows dies with its nursery."""

import logging
from collections.abc import Awaitable, Callable
from typing import assert_never

import trio

from lifeecho_server.inference import Capabilities as Engines
from lifeecho_server.protocol.codes import TOO_MANY_BAD_MESSAGES, Closing, Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.incoming import (
    AudioMessage,
    AudioSegment,
    EndConversation,
    Ignored,
    Incoming,
    Ping,
    RecordingStarted,
    Text,
    TranscribeOnly,
    TtsCancel,
)
from lifeecho_server.protocol.outgoing import (
    Capabilities,
    Connect,
    NarratorName,
    OpenVoiceSession,
    Outgoing,
    Pong,
    Resume,
    TranscriptPartial,
)
from lifeecho_server.protocol.reading import ID_MAX, read_binary_frame, read_text_frame
from lifeecho_server.protocol.writing import error_message, write_frame
from lifeecho_server.session.admission import Admitted
from lifeecho_server.session.dialogue import Dialogue
from lifeecho_server.session.heard import Heard
from lifeecho_server.session.inbox import Inbox
from lifeecho_server.session.intake import Intake
from lifeecho_server.session.keep_alive import until_silent
from lifeecho_server.session.listening import Listening
from lifeecho_server.session.outbox import Outbox
from lifeecho_server.session.revocation import Held, revoked
from lifeecho_server.session.services import Services
from lifeecho_server.session.socket import PeerGone, Socket
from lifeecho_server.session.speech import Speech
from lifeecho_server.store.database import Connection as Database
from lifeecho_server.store.turns import last_message_id
from lifeecho_server.store.voice_sessions import open_voice_sessions

log = logging.getLogger("lifeecho.connection")

BAD_MESSAGES_MAX = 20
"""Bad messages in a row after which the connection closes (docs/protocol.md)."""
DRAIN_SHARE = 0.5
"""How much of the time to shut down may go into what was taken in; the rest is for the goodbye."""
UNKNOWN_TYPES_NOTED = 16
"""How many types that the server does not know are logged, once each a connection."""


class Connection:
    """A client talking in one conversation; implements ``seats.Occupant``."""

    def __init__(self, services: Services, socket: Socket, admitted: Admitted) -> None:
        settings = services.settings
        self.user_id = admitted.user.id
        self.device_id = admitted.device_id
        self.arrival = admitted.request.arrival
        self.closing: Closing | None = None
        self._services = services
        self._socket = socket
        self._admitted = admitted
        self._connected = False
        self._engines_told = services.inference.capabilities
        self._heard_early: list[Heard] = []
        self._bad_messages = 0
        self._unknown_types: set[str] = set()
        self._reading = trio.CancelScope()
        self._inbox = Inbox(settings.inbox_bytes)
        self._outbox = Outbox(
            socket,
            self._frame,
            limit=settings.outbox_bytes,
            timeout=settings.send_timeout,
        )
        self._speech = Speech(services, self._outbox, admitted)
        self._dialogue = Dialogue(services, self._outbox, self._speech, admitted)
        self._listening = Listening(
            services.bank(admitted.narrator.language),
            self._outbox.put,
            settings.listening_feedback_after,
        )
        self._intake = Intake(
            services, self._inbox, self._outbox, admitted, self._dialogue, self.close
        )

    def close(self, closing: Closing) -> None:
        """Ask the connection to end; the first reason given is the one that is told."""
        self.closing = self.closing or closing
        self._reading.cancel()

    def heard(self, heard: Heard) -> None:
        """A recording of this conversation has been listened to."""
        if self._connected:
            self._dialogue.heard(heard)
        else:
            self._heard_early.append(heard)

    def show(self, message: Outgoing) -> None:
        """Show a message as it is; what comes before ``connect`` is of no use."""
        if self._connected:
            self._outbox.put(message)
        if isinstance(message, TranscriptPartial):
            self._dialogue.preparing.overheard(message)

    def told(self, fault: Fault) -> None:
        """Something of this conversation went wrong."""
        self.show(error_message(fault, self._admitted.language))

    async def run(self) -> None:
        """Talk until the client goes or ``close`` is called; what was taken in is committed."""
        connect = await self._connect()
        if self.closing is not None:
            return  # locked out or replaced just now: refused, and told so by the close alone
        self._outbox.put(connect)
        self._connected = True
        for heard in self._heard_early:
            self._dialogue.heard(heard)
        presence = self._services.voice.presence(self._admitted.conversation.id)
        with presence:
            await self._live()

    async def _live(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._until_gone, self._outbox.run)
            nursery.start_soon(self._keep_alive)
            nursery.start_soon(self._tell_capabilities)
            nursery.start_soon(self._intake.run)
            await self._talk()
            with trio.move_on_after(self._services.settings.shutdown_timeout * DRAIN_SHARE):
                await self._inbox.drained()
                await self._outbox.flush()
            nursery.cancel_scope.cancel()

    async def _talk(self) -> None:
        """Read and answer; a reply in the making ends with the reading, and so does speech."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._dialogue.run)
            nursery.start_soon(self._speech.run)
            nursery.start_soon(self._listening.run)
            nursery.start_soon(self._dialogue.preparing.run)
            with self._reading:
                await self._until_gone(self._receive)
            self._speech.stop()
            nursery.cancel_scope.cancel()

    async def _until_gone(self, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except PeerGone:
            self._reading.cancel()

    async def _receive(self) -> None:
        """Hand every message on and read again; nothing here waits for work."""
        while True:
            frame = await self._socket.receive()
            try:
                incoming = (
                    read_binary_frame(frame) if isinstance(frame, bytes) else read_text_frame(frame)
                )
                self._accept(incoming)
                self._bad_messages = 0
            except Fault as fault:
                self._refuse(fault)

    def _accept(self, incoming: Incoming) -> None:
        match incoming.body:
            case Ping():
                self._outbox.put(Pong())
            case EndConversation() | AudioSegment():
                self._put(incoming)
            case Ignored(unknown=str(name)):
                self._note_unknown(name)
            case _ if self._admitted.conversation.ended_at is not None:
                raise Fault(Code.ENDED, reply_to=incoming.id)
            case Ignored():
                pass
            case TtsCancel():
                self._speech.cancel()
            case RecordingStarted(voice_session_id):
                self._speech.stop()
                self._listening.started(voice_session_id)
                self._dialogue.preparing.talking(voice_session_id)
            case Text() | AudioMessage() | TranscribeOnly():
                self._inbox.put(incoming)
            case _:
                assert_never(incoming.body)

    def _put(self, incoming: Incoming) -> None:
        """Queue what may come to an ended conversation too: late slices of its recordings."""
        match incoming.body:
            case AudioSegment(voice_session_id=session, index=index, is_last=is_last) as piece:
                try:
                    self._inbox.put(incoming)
                except Fault as fault:
                    raise fault.about_slice(session, index) from None
                self._dialogue.preparing.talking(session, piece.speaker)
                if is_last:
                    self._listening.ended(session)
            case _:
                self._inbox.put(incoming)

    def _note_unknown(self, name: str) -> None:
        known = name[:ID_MAX]
        if known not in self._unknown_types and len(self._unknown_types) < UNKNOWN_TYPES_NOTED:
            self._unknown_types.add(known)
            log.info("unknown message type length=%d", len(name))

    def _refuse(self, fault: Fault) -> None:
        self._outbox.put(error_message(fault, self._admitted.language))
        if fault.malformed:
            self._bad_messages += 1
        if self._bad_messages >= BAD_MESSAGES_MAX:
            self.close(TOO_MANY_BAD_MESSAGES)

    async def _keep_alive(self) -> None:
        settings = self._services.settings
        await until_silent(
            self._socket, interval=settings.ping_interval, silence=settings.silence_timeout
        )
        self._reading.cancel()

    async def _connect(self) -> Connect:
        conversation, narrator = self._admitted.conversation, self._admitted.narrator
        last, open_sessions, closing = await self._services.store.read(self._on_connecting)
        if closing is not None:
            self.close(closing)
        self._listening.known(session.voice_session_id for session in open_sessions)
        self._engines_told = self._services.inference.capabilities
        return Connect(
            narrator=NarratorName(narrator.id, narrator.name),
            ended=conversation.ended_at is not None,
            capabilities=self._capabilities(self._engines_told),
            resume=Resume(last, open_sessions),
        )

    def _on_connecting(
        self, db: Database
    ) -> tuple[str | None, tuple[OpenVoiceSession, ...], Closing | None]:
        """Return where to go on, and why this client must go if it was locked out just now.

        From here on a revocation finds the connection in its seat.
        """
        conversation_id = self._admitted.conversation.id
        held = Held(conversation_id, self.user_id, self.device_id)
        sessions = tuple(
            OpenVoiceSession(s.voice_session_id, s.received, s.last, s.closed)
            for s in open_voice_sessions(db, conversation_id)
        )
        return last_message_id(db, conversation_id), sessions, revoked(db, held)

    async def _tell_capabilities(self) -> None:
        inference = self._services.inference
        while True:
            self._engines_told = await inference.changed(self._engines_told)
            self._outbox.put(self._capabilities(self._engines_told))
            self._dialogue.reconsider()

    def _capabilities(self, now: Engines) -> Capabilities:
        return Capabilities(now.asr, now.llm, now.tts, tuple(self._services.settings.languages))

    def _frame(self, message: Outgoing) -> str:
        return write_frame(message, self._admitted.conversation.id, self._services.clock.now())
