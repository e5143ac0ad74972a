"""The interviewer's voice on one connection: read aloud while the rest is still being generated."""

import io
import logging
import wave
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import trio

from lifeecho_server.engines.speaker import Spoken, Voice
from lifeecho_server.inference import EngineFailed, EngineState, QueueFull, TtsUnavailable
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.outgoing import TtsAudio, TtsCancelled
from lifeecho_server.session.admission import Admitted
from lifeecho_server.session.boundary import boundary
from lifeecho_server.session.outbox import Outbox
from lifeecho_server.session.services import Services
from lifeecho_server.session.told import told_as_faults
from lifeecho_server.store.narrators import speaking_rate

log = logging.getLogger("lifeecho.speech")

SENTENCES_MAX = 64
"""Sentences of one message that may wait to be read aloud; what is beyond them stays silent."""

Keep = Callable[[], Awaitable[bool]]
"""Puts a sentence into the history, just before it is heard; False when it must not be heard."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    keep: Keep


class Aloud:
    """One message being read aloud. Nothing here waits: speech never delays the text."""

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self.sequence = 0
        self._put, self.sentences = trio.open_memory_channel[_Sentence](SENTENCES_MAX)

    def say(self, sentence: str, keep: Keep) -> None:
        """Read a sentence after those before it, unless the message was silenced."""
        try:
            self._put.send_nowait(_Sentence(sentence, keep))
        except trio.BrokenResourceError:
            pass  # silenced
        except trio.WouldBlock:
            log.warning("a message is too long to be read aloud whole")

    def finish(self) -> None:
        """Say that no sentence follows."""
        self._put.close()

    def silence(self) -> None:
        """Read nothing more of it."""
        self.sentences.close()

    @property
    def at_end(self) -> bool:
        """Whether the sentence just taken was the last, as far as is known yet."""
        left = self.sentences.statistics()
        return not left.open_send_channels and not left.current_buffer_used


class Speech:
    """Reads messages aloud, one after the other, in a task of its own.

    ``begin``, ``stop`` and ``cancel`` may be called at any time and never wait.
    """

    def __init__(self, services: Services, outbox: Outbox, admitted: Admitted) -> None:
        self._services = services
        self._outbox = outbox
        self._narrator = admitted.narrator
        self._owner = admitted.conversation.id
        self._wanted = admitted.request.speech
        self._epoch = 0
        self._messages: deque[Aloud] = deque()
        self._stirred = trio.Event()
        self._reading = trio.CancelScope()

    def begin(self, message_id: str) -> Aloud:
        """Take up a message; it stays silent if nobody wants to hear it, or no engine is there."""
        aloud = Aloud(message_id)
        if self._wanted and self._services.inference.capabilities.tts is EngineState.READY:
            self._messages.append(aloud)
            self._stirred.set()
        else:
            aloud.silence()
        return aloud

    def stop(self) -> None:
        """Fall silent: what was begun is not gone on with, what waits to be sent is not sent."""
        self._reading.cancel()
        while self._messages:
            self._messages.popleft().silence()
        self._outbox.withdraw()

    def cancel(self) -> None:
        """Answer ``tts_cancel``: fall silent, say so, and begin the next epoch."""
        self.stop()
        self._outbox.put(TtsCancelled(self._epoch))
        self._epoch += 1

    async def run(self) -> None:
        """Read aloud until cancelled."""
        while True:
            while not self._messages:
                self._stirred = trio.Event()
                await self._stirred.wait()
            aloud = self._messages[0]
            with trio.CancelScope() as self._reading:
                await self._read_or_leave(aloud)
            if self._messages and self._messages[0] is aloud:
                self._messages.popleft()

    async def _read_or_leave(self, aloud: Aloud) -> None:
        """Read one message; a fault of its own silences it, and ends nothing else."""
        try:
            with boundary("speech"), told_as_faults():
                await self._read(aloud)
        except Fault as fault:
            log.warning("a message was not read to its end code=%s", fault.code)
            aloud.silence()

    async def _read(self, aloud: Aloud) -> None:
        voice = await self._voice()
        rate, ended = 0, False
        async for sentence in aloud.sentences:
            spoken = await self._spoken(sentence.text, voice)
            if spoken is not None:
                rate = spoken.sample_rate
                ended = await self._send(aloud, sentence, spoken)
        if aloud.sequence and not ended:
            # The last sentence had gone out before anybody knew that it was the last.
            await self._outbox.flush()
            self._put(aloud, Spoken(b"", rate), "", last=True)

    async def _voice(self) -> Voice:
        """Return how this narrator is spoken to; they may just have asked for it slower."""
        rate = await self._services.store.read(
            partial(speaking_rate, narrator_id=self._narrator.id)
        )
        return Voice(self._narrator.language, rate or self._services.settings.speech_rate)

    async def _spoken(self, text: str, voice: Voice) -> Spoken | None:
        """Return a sentence as sound; None where there is none to be had."""
        try:
            spoken = await self._services.inference.speak(text, voice, owner=self._owner)
        except (EngineFailed, QueueFull, TtsUnavailable) as error:
            log.warning("a sentence stays silent kind=%s", type(error).__name__)
            return None
        return spoken if spoken.pcm else None

    async def _send(self, aloud: Aloud, sentence: _Sentence, spoken: Spoken) -> bool:
        """Send a sentence when the one before it has gone; return whether it was the last.

        One at a time, so that little waits for a slow network and little must be taken back.
        """
        await self._outbox.flush()
        await trio.lowlevel.checkpoint_if_cancelled()  # the network may be free and we stopped
        if not await sentence.keep():
            return False
        last = aloud.at_end
        self._put(aloud, spoken, sentence.text, last=last)
        return last

    def _put(self, aloud: Aloud, spoken: Spoken, text: str, *, last: bool) -> None:
        if self._reading.cancel_called:
            return  # stopped in the very moment in which what was waited for had come
        self._outbox.put_last(
            TtsAudio(
                assistant_message_id=aloud.message_id,
                epoch=self._epoch,
                sequence=aloud.sequence,
                sample_rate=spoken.sample_rate,
                audio_base64=wav(spoken),
                text=text,
                last=last,
            )
        )
        aloud.sequence += 1


def wav(spoken: Spoken) -> bytes:
    """Return speech as a WAV file (16 bit, mono)."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(spoken.sample_rate)
        writer.writeframes(spoken.pcm)
    return file.getvalue()
