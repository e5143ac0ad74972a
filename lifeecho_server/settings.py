"""Settings: defaults < ``lifeecho.toml`` < ``LIFEECHO_…`` < flags, with where each came from."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from lifeecho_server.errors import LifeEchoError


class SettingsError(LifeEchoError):
    """A setting is unknown or has a value that cannot be used; the text names it."""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a user may use a day; ``None`` is without limit."""

    turns_a_day: int | None = None
    audio_minutes_a_day: float | None = None
    recordings_at_once: int | None = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set. Times are in seconds unless the name says otherwise."""

    data_dir: Path = Path("data")
    models_dir: Path = Path("models")
    host: str = "0.0.0.0"
    port: int = 8443
    allowed_hosts: tuple[str, ...] = ()
    """Names besides this machine's own under which the server may be addressed."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    languages: tuple[str, ...] = ("zh", "en")
    """Languages that are spoken here: what recognition expects and interviews are held in."""

    max_message_bytes: int = 16 * 1024 * 1024
    inbox_bytes: int = 32 * 1024 * 1024
    outbox_bytes: int = 8 * 1024 * 1024
    connections_max: int = 200
    connections_per_user: int = 8
    head_timeout: float = 10.0
    ping_interval: float = 20.0
    silence_timeout: float = 40.0
    send_timeout: float = 20.0
    shutdown_timeout: float = 10.0
    access_token_ttl: int = 900

    asr_model: str | None = None
    """A model's name or path; unset takes the first Whisper model found, ``none`` goes without."""
    llm_model: str | None = None
    """A model's name or path; unset takes the first GGUF found, ``none`` goes without."""
    speech_engine: Literal["espeak", "none"] = "espeak"
    """What reads replies aloud; ``none`` goes without."""
    speech_rate: int = 130
    """Words a minute, for narrators who have no wish of their own."""
    asr_threads: int | None = None
    llm_threads: int | None = None
    llm_context: int = 8192
    llm_sequences: int = 8
    llm_batch: int = 512
    prefill_chunk: int = 64
    step_timeout: float = 60.0
    recognition_queue: int = 64
    reply_queue: int = 32
    speech_queue: int = 64

    first_words_timeout: float = 12.0
    """What the model has until its first sentence that can be said; then the script speaks."""
    reply_timeout: float = 45.0
    reply_tokens_max: int = 160
    part_pause: float = 0.5
    slice_wait: float = 30.0
    """How long a recording waits for a missing slice, while somebody is connected."""
    session_idle: float = 600.0
    """How long a recording without a last slice stays open, while somebody is connected."""
    session_abandoned: float = 86_400.0
    """After how long a recording is closed to whose conversation nobody has come back."""
    listening_feedback_after: float = 8.0
    history_turns: int = 30
    re_greeting: bool = True
    re_greeting_idle_hours: float = 6.0
    chips: bool = True
    topic_chips_max: int = 4
    audio_seconds_max: float = 7200.0

    plans: dict[str, Plan] = {}

    @property
    def languages_dir(self) -> Path:
        """The folder for question banks of further languages; it need not be there."""
        return self.data_dir / "languages"

    def plan(self, name: str) -> Plan:
        """Return a plan by name; ``unlimited`` is always there. Raises SettingsError."""
        if name in self.plans:
            return self.plans[name]
        if name == "unlimited":
            return Plan()
        raise SettingsError(f"there is no plan {name!r}; define it under [plans.{name}]")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings with the source of each: ``default``, ``file``, ``environment`` or ``flag``."""

    settings: Settings
    sources: Mapping[str, str]


ENV_PREFIX = "LIFEECHO_"


def load(
    flags: Mapping[str, Any] | None = None,
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """Merge all layers. Raises SettingsError naming the setting that is wrong."""
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    layers = (
        ("file", _from_file(config)),
        ("environment", _from_environment(environment)),
        ("flag", {k: v for k, v in (flags or {}).items() if v is not None}),
    )
    for source, layer in layers:
        for name, value in layer.items():
            values[name] = _checked(name, value, textual=source == "environment")
            sources[name] = source
    settings = Settings(**values)
    every = Settings.__struct_fields__
    return Loaded(settings, {name: sources.get(name, "default") for name in every})


def _from_file(config: Path | None) -> dict[str, Any]:
    path = config or Path("lifeecho.toml")
    if not path.exists():
        if config is not None:
            raise SettingsError(f"the settings file {path} does not exist")
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {path} cannot be read: {error}") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name[len(ENV_PREFIX) :].lower(): value
        for name, value in environment.items()
        if name.startswith(ENV_PREFIX)
    }


def _checked(name: str, value: Any, *, textual: bool) -> Any:
    kinds = {f.name: f.type for f in msgspec.structs.fields(Settings)}
    if name not in kinds:
        raise SettingsError(f"unknown setting {name!r}")
    if textual and name in ("plans", "allowed_hosts", "languages"):
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            raise SettingsError(f"setting {name!r} must be JSON in the environment") from None
    try:
        return msgspec.convert(value, kinds[name], strict=not textual, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise SettingsError(f"setting {name!r} is wrong: {error}") from None


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str | Path):
        return Path(value).expanduser()
    raise NotImplementedError(kind)
