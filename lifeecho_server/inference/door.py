"""The only door to the engines: recognition, generation and speech, in turn, by priority."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from typing import Final

import trio

from lifeecho_server.engines.chat_model import ChatModel, Message, Sampling
from lifeecho_server.engines.speaker import Speaker, Spoken, Voice
from lifeecho_server.engines.transcriber import Hearing, Transcriber, Transcript
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.activity import Activity
from lifeecho_server.inference.capabilities import Capabilities
from lifeecho_server.inference.chat import ChatLane
from lifeecho_server.inference.decoding import DECODING_THREADS, Audio, AudioSource, Decoding
from lifeecho_server.inference.generation import Prompt
from lifeecho_server.inference.live_audio import LiveAudio
from lifeecho_server.inference.loading import EngineLoader
from lifeecho_server.inference.metrics import Metrics
from lifeecho_server.inference.recognition import Progress, RecognitionLane
from lifeecho_server.inference.schedule import Priority
from lifeecho_server.inference.speech import SpeechLane
from lifeecho_server.settings import Settings

DEFAULT_SAMPLING: Final = Sampling()


class Inference:
    """Loads the engines in the background and shares them out.

    ``load_transcriber``, ``load_chat_model`` and ``load_speaker`` block; they return ``None`` when
    nothing is installed and raise LifeEchoError when it cannot be loaded. ``fingerprint`` says
    (blocking, but cheap) what is installed: while an engine is missing it is loaded when that
    changes.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        load_transcriber: Callable[[], Transcriber | None],
        load_chat_model: Callable[[], ChatModel | None],
        load_speaker: Callable[[], Speaker | None] = lambda: None,
        fingerprint: Callable[[], object],
        metrics: Metrics | None = None,
    ) -> None:
        self._changed = trio.Event()
        self.metrics = metrics or Metrics()
        self._asr = EngineLoader(load_transcriber, fingerprint, on_change=self._engine_changed)
        self._llm = EngineLoader(
            lambda: _roomy(load_chat_model()), fingerprint, on_change=self._engine_changed
        )
        self._tts = EngineLoader(load_speaker, fingerprint, on_change=self._engine_changed)
        activity = Activity()
        self._limit_seconds = settings.audio_seconds_max
        self._slice_threads = trio.CapacityLimiter(DECODING_THREADS)
        self._decoding = Decoding(activity, limit_seconds=settings.audio_seconds_max)
        self._recognition = RecognitionLane(
            self._asr,
            activity,
            self.metrics.asr,
            queue=settings.recognition_queue,
            step_timeout=settings.step_timeout,
        )
        self._chat = ChatLane(
            self._llm,
            activity,
            self.metrics.llm,
            queue=settings.reply_queue,
            chunk=settings.prefill_chunk,
            step_timeout=settings.step_timeout,
        )
        self._speech = SpeechLane(
            self._tts,
            activity,
            self.metrics.tts,
            queue=settings.speech_queue,
            step_timeout=settings.step_timeout,
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; started at once, the engines load behind it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._asr.run)
            nursery.start_soon(self._llm.run)
            nursery.start_soon(self._tts.run)
            nursery.start_soon(self._recognition.run)
            nursery.start_soon(self._chat.run)
            nursery.start_soon(self._speech.run)
            task_status.started()

    @property
    def capabilities(self) -> Capabilities:
        """What the engines can do just now."""
        return Capabilities(asr=self._asr.state, llm=self._llm.state, tts=self._tts.state)

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why an engine failed, in a sentence, for each that did (``asr``, ``llm``, ``tts``)."""
        reasons = {"asr": self._asr.reason, "llm": self._llm.reason, "tts": self._tts.reason}
        return {name: reason for name, reason in reasons.items() if reason}

    async def changed(self, known: Capabilities) -> Capabilities:
        """Wait until the capabilities are others than ``known``; return them.

        Any number of tasks may wait; what changes there and back meanwhile goes unseen.
        """
        while (now := self.capabilities) == known:
            await self._changed.wait()
        return now

    async def transcribe(
        self,
        source: AudioSource,
        hearing: Hearing,
        *,
        owner: str,
        priority: Priority = Priority.LIVE,
    ) -> Transcript:
        """Recognise a recording; ``owner`` is whose turn it takes.

        While the engine is loading it waits. Cancelling takes the recording out between two
        windows. Raises AsrUnavailable, EngineFailed, QueueFull, BadAudio and DiskFailed.
        """
        return await self._recognition.transcribe(
            partial(self._decoding.opened, source, priority),
            hearing,
            owner=owner,
            priority=priority,
        )

    def live_audio(self) -> LiveAudio:
        """Return a recording whose slices are still to come, for ``listen``; close it after."""
        return LiveAudio(limit_seconds=self._limit_seconds, threads=self._slice_threads)

    async def listen(
        self,
        audio: Audio,
        hearing: Hearing,
        *,
        owner: str,
        priority: Priority = Priority.LIVE,
        progress: Progress | None = None,
    ) -> Transcript:
        """Recognise sound while it comes in, in windows that follow the talk.

        ``progress`` is told what has been recognised so far. The transcript depends on the sound
        alone, not on how and when it came. Raises AsrUnavailable, EngineFailed, QueueFull, what
        reading ``audio`` raises, and EngineReplaced: then listen again from the beginning.
        """
        return await self._recognition.recognise(
            audio, replace(hearing, live=True), owner=owner, priority=priority, progress=progress
        )

    def reply(
        self,
        messages: Sequence[Message],
        *,
        conversation: str,
        sampling: Sampling = DEFAULT_SAMPLING,
        max_tokens: int,
        priority: Priority = Priority.REPLY,
    ) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Generate a reply for as long as the block runs; iterate for its text, piece by piece.

        Entering raises LlmUnavailable (also while the model is loading) and QueueFull; iterating
        raises EngineFailed, ContextOverflow and LlmUnavailable. Turns too old for the context are
        left out. ``max_tokens`` is at least 1.
        """
        prompt = Prompt(conversation, tuple(messages), sampling, max(1, max_tokens), priority)
        return self._chat.reply(prompt)

    async def prepare(
        self,
        messages: Sequence[Message],
        *,
        conversation: str,
        priority: Priority = Priority.PREPARING,
    ) -> None:
        """Evaluate a prompt ahead, so that a reply to one that begins like it comes sooner.

        The last message is taken as not at its end yet. Raises what ``reply`` raises.
        """
        prompt = Prompt(conversation, tuple(messages), Sampling(), 0, priority)
        async with self._chat.reply(prompt) as nothing:
            async for _ in nothing:
                pass

    async def speak(self, sentence: str, voice: Voice, *, owner: str) -> Spoken:
        """Read a sentence aloud; ``owner`` is whose turn it takes.

        Cancelling stops it in its middle. Raises TtsUnavailable (also while the engine is loading),
        EngineFailed and QueueFull.
        """
        return await self._speech.speak(sentence, voice, owner=owner)

    def _engine_changed(self) -> None:
        self._recognition.engine_changed()
        self._chat.engine_changed()
        self._speech.engine_changed()
        changed, self._changed = self._changed, trio.Event()
        changed.set()


def _roomy(model: ChatModel | None) -> ChatModel | None:
    """A model with one sequence would let work that gives way block a reply for ever."""
    if model is not None and model.max_sequences < 2:
        model.close()
        raise LifeEchoError("the language model needs room for two sequences: raise llm_sequences")
    return model
