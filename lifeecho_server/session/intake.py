"""What a person says, taken in: checked, committed, acknowledged, handed on. One at a time."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import assert_never

import trio

from lifeecho_server.inference import AudioSource, Priority
from lifeecho_server.interview.situation import Hearing
from lifeecho_server.protocol.codes import CONVERSATION_ENDED, Closing, Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.incoming import (
    Audio,
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
from lifeecho_server.protocol.outgoing import Ended, MessageAck
from lifeecho_server.protocol.speaker import Speaker
from lifeecho_server.protocol.writing import error_message
from lifeecho_server.session.admission import Admitted
from lifeecho_server.session.boundary import boundary
from lifeecho_server.session.dialogue import Dialogue
from lifeecho_server.session.ear import ear_for
from lifeecho_server.session.inbox import RETRY_AFTER, Inbox
from lifeecho_server.session.keeping import commit, keep
from lifeecho_server.session.outbox import Outbox
from lifeecho_server.session.services import Services
from lifeecho_server.session.shown import passing_message
from lifeecho_server.session.slice_intake import SliceIntake
from lifeecho_server.session.told import told_as_faults
from lifeecho_server.store import quota
from lifeecho_server.store.conversations import end_conversation
from lifeecho_server.store.database import Connection
from lifeecho_server.store.recordings import NewRecording
from lifeecho_server.store.transcripts import WaitingRecognition, wait_again
from lifeecho_server.store.turns import NewTurn, Taken, find_duplicate, take_turn

TRANSCRIPTIONS_AT_ONCE = 2
"""How many ``transcribe_only`` one connection may have under way."""


class Intake:
    """Takes the messages of one connection out of its inbox, in order."""

    def __init__(
        self,
        services: Services,
        inbox: Inbox,
        outbox: Outbox,
        admitted: Admitted,
        dialogue: Dialogue,
        close: Callable[[Closing], None],
    ) -> None:
        self._services = services
        self._inbox = inbox
        self._outbox = outbox
        self._admitted = admitted
        self._dialogue = dialogue
        self._close = close
        self._slices = SliceIntake(services, outbox, admitted)
        self._plan = services.plan_of(admitted.user)
        self._transcribing = 0

    async def run(self) -> None:
        """Take messages in until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                async with self._inbox.next() as incoming:
                    await self._told(incoming, partial(self._take, incoming, nursery))

    async def _told(self, incoming: Incoming, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work of a message; tell the client what goes wrong with it."""
        try:
            with boundary("intake"), told_as_faults():
                await work()
        except Fault as fault:
            told = error_message(fault.about(incoming.id), self._admitted.language)
            self._outbox.put(told)

    async def _take(self, incoming: Incoming, nursery: trio.Nursery) -> None:
        match incoming.body:
            case Text() as text:
                await self._text(incoming.id, text)
            case AudioSegment() as segment:
                await self._slices.take(segment)
            case AudioMessage() as message:
                await self._recording(incoming.id, message)
            case TranscribeOnly(audio):
                await self._begin_transcription(incoming, audio, nursery)
            case EndConversation():
                await self._end()
            case Ping() | RecordingStarted() | TtsCancel() | Ignored():
                pass  # never put into the inbox
            case _:
                assert_never(incoming.body)

    async def _text(self, client_id: str | None, text: Text) -> None:
        new = self._new_turn(client_id, text.speaker, text.recorded_at, text=text.text)
        async with self._dialogue.taking:
            taken = await self._commit(new)
            self._acknowledge(client_id, taken)
            if not taken.duplicate:
                self._dialogue.turn_taken(taken.message_id, readable=True)

    async def _recording(self, client_id: str | None, message: AudioMessage) -> None:
        """Keep a recording, acknowledge it, and have it listened to."""
        known = await self._known(client_id)
        if known is not None:
            self._acknowledge(client_id, known)
            await self._listen_again(client_id, known)
            return
        recording = await keep(self._services, message.audio)
        new = self._new_turn(
            client_id,
            message.speaker,
            message.recorded_at,
            hearing=Hearing.WAITING,
            recording=recording,
        )
        with self._services.recogniser.expecting(new.id):
            async with self._dialogue.taking:
                taken = await self._commit(new)
                self._acknowledge(client_id, taken)
            if not taken.duplicate:
                self._listen(client_id, self._waiting(new, recording))

    def _listen(self, client_id: str | None, waiting: WaitingRecognition) -> None:
        """Have a turn's recording recognised; a reply in the making waits for its words."""
        self._dialogue.turn_taken(waiting.turn_id, readable=False)
        self._services.recogniser.submit(waiting, client_id)

    def _waiting(self, new: NewTurn, recording: NewRecording) -> WaitingRecognition:
        return WaitingRecognition(
            turn_id=new.id,
            conversation_id=new.conversation_id,
            narrator_id=self._admitted.narrator.id,
            user_id=new.user_id,
            speaker=new.speaker,
            recording_id=recording.id,
            path=recording.path,
            format=recording.format,
            sample_rate=recording.sample_rate,
        )

    async def _listen_again(self, client_id: str | None, known: Taken) -> None:
        """Have a recording recognised once more if its recognition had failed."""
        if known.hearing is not Hearing.FAILED:
            return
        turn_id = known.message_id
        with self._services.recogniser.expecting(turn_id):
            waiting = await self._services.store.write(partial(wait_again, turn_id=turn_id))
            if waiting is not None:
                self._listen(client_id, waiting)

    async def _known(self, client_id: str | None) -> Taken | None:
        if client_id is None:
            return None
        return await self._services.store.read(
            partial(
                find_duplicate,
                conversation_id=self._admitted.conversation.id,
                client_id=client_id,
            )
        )

    async def _commit(self, new: NewTurn) -> Taken:
        day = quota.day_of(new.stored_at, self._services.timezone)
        work = partial(take_turn, new=new, plan=self._plan, day=day)
        if new.recording is None:
            return await self._services.store.write(work)
        return await commit(self._services, new.recording, work)

    def _new_turn(
        self,
        client_id: str | None,
        speaker: Speaker,
        recorded_at: datetime | None,
        *,
        text: str = "",
        hearing: Hearing = Hearing.TYPED,
        recording: NewRecording | None = None,
    ) -> NewTurn:
        now = self._services.clock.now()
        return NewTurn(
            id=self._services.clock.new_id(),
            conversation_id=self._admitted.conversation.id,
            user_id=self._admitted.user.id,
            client_id=client_id,
            speaker=speaker,
            text=text,
            said_at=recorded_at or now,
            stored_at=now,
            hearing=hearing,
            recording=recording,
        )

    def _acknowledge(self, client_id: str | None, taken: Taken) -> None:
        status = "duplicate" if taken.duplicate else "stored"
        self._outbox.put(MessageAck(client_id, taken.message_id, status))

    async def _begin_transcription(
        self, incoming: Incoming, audio: Audio, nursery: trio.Nursery
    ) -> None:
        if self._transcribing >= TRANSCRIPTIONS_AT_ONCE:
            raise Fault(Code.BUSY, retry_after=RETRY_AFTER)
        await self._services.store.read(self._require_minutes)
        self._transcribing += 1
        nursery.start_soon(self._told, incoming, partial(self._transcribe, incoming.id, audio))

    async def _transcribe(self, client_id: str | None, audio: Audio) -> None:
        """Recognise and forget: only the minutes are counted."""
        services, admitted = self._services, self._admitted
        try:
            hearing = await services.store.read(
                partial(
                    ear_for,
                    narrator_id=admitted.narrator.id,
                    languages=services.settings.languages,
                )
            )
            transcript = await services.inference.transcribe(
                AudioSource(
                    data=audio.data, format=audio.format or "", sample_rate=audio.sample_rate
                ),
                hearing,
                owner=admitted.conversation.id,
                priority=Priority.LIVE,
            )
        finally:
            self._transcribing -= 1
        await services.store.write(partial(self._charge, seconds=transcript.duration))
        self._outbox.put(passing_message(transcript, reply_to=client_id))

    def _require_minutes(self, db: Connection) -> None:
        now = self._services.clock.now()
        day = quota.day_of(now, self._services.timezone)
        quota.require(db, self._admitted.user.id, self._plan, day, quota.Wish(audio=True))

    def _charge(self, db: Connection, *, seconds: float) -> None:
        day = quota.day_of(self._services.clock.now(), self._services.timezone)
        quota.charge(db, self._admitted.user.id, day.date, audio_seconds=seconds)

    async def _end(self) -> None:
        """End the conversation: the reply in the making is cut off, the socket closes."""
        self._dialogue.silence()
        now = self._services.clock.now()
        conversation_id = self._admitted.conversation.id
        ended = False
        try:
            await self._services.store.write(
                partial(end_conversation, conversation_id=conversation_id, at=now)
            )
            ended = True
            self._services.voice.finish(conversation_id)
        finally:
            if not ended:
                self._dialogue.speak_again()
        self._outbox.put(Ended())
        self._close(CONVERSATION_ENDED)
