"""The engines that the settings choose, loaded from what is installed. Blocking."""

from dataclasses import dataclass
from typing import Protocol

from lifeecho_server.engines.catalogue import ModelKind
from lifeecho_server.engines.chat_model import ChatModel
from lifeecho_server.engines.espeak import load_espeak
from lifeecho_server.engines.installed import Installed, choose, installed, verify
from lifeecho_server.engines.llama import load_llama
from lifeecho_server.engines.speaker import Speaker
from lifeecho_server.engines.transcriber import Transcriber
from lifeecho_server.settings import Settings

SWITCHED_OFF = "none"
"""The setting that goes without an engine, whatever is installed."""


class EngineSource(Protocol):
    """Where engines come from."""

    def load_transcriber(self) -> Transcriber | None:
        """Load the recognition model; None when there is none. Raises LifeEchoError."""
        ...

    def load_chat_model(self) -> ChatModel | None:
        """Load the language model; None when there is none. Raises LifeEchoError."""
        ...

    def load_speaker(self) -> Speaker | None:
        """Load the speech engine; None when there is none. Raises LifeEchoError."""
        ...

    def fingerprint(self) -> object:
        """Return something that differs when other models are installed; cheap."""
        ...


@dataclass(frozen=True, slots=True)
class InstalledEngines:
    """The engines in the models folder; implements EngineSource."""

    settings: Settings

    def load_transcriber(self) -> Transcriber | None:
        """Load the recognition model; None when there is none.

        Raises NotInstalled, ModelBroken.
        """
        settings = self.settings
        model = _chosen(settings, settings.asr_model, "whisper")
        if model is None:
            return None
        # faster-whisper takes its time to import: not before a model is there.
        from lifeecho_server.engines.whisper import load_whisper

        verify(model)
        return load_whisper(model.path, settings.asr_threads)

    def load_chat_model(self) -> ChatModel | None:
        """Load the language model; None when there is none.

        Raises NotInstalled, ModelBroken, and what ``load_llama`` raises.
        """
        settings = self.settings
        model = _chosen(settings, settings.llm_model, "llm")
        if model is None:
            return None
        verify(model)
        return load_llama(
            model.path,
            context=settings.llm_context,
            sequences=settings.llm_sequences,
            batch=settings.llm_batch,
            threads=settings.llm_threads,
        )

    def load_speaker(self) -> Speaker | None:
        """Load espeak-ng; None when it is not installed. Raises ModelBroken."""
        return None if self.settings.speech_engine == SWITCHED_OFF else load_espeak()

    def fingerprint(self) -> object:
        """Return the models that are there, with their sizes and times."""
        return tuple(
            (model.name, model.bytes, model.path.stat().st_mtime_ns)
            for model in installed(self.settings.models_dir)
        )


def _chosen(settings: Settings, setting: str | None, kind: ModelKind) -> Installed | None:
    return None if setting == SWITCHED_OFF else choose(settings.models_dir, setting, kind)
