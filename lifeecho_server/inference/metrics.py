"""What is counted: plain numbers, read by whoever reports them."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class AsrMetrics:
    """Recognition. Times in seconds, sums since the start."""

    waiting: int = 0
    """Recordings accepted and not yet recognised."""
    recognised: int = 0
    failed: int = 0
    waited_seconds: float = 0.0
    """From acceptance to the first step, over all recognised or failed recordings."""
    audio_seconds: float = 0.0
    busy_seconds: float = 0.0
    """Time in recognition steps, and what they recognised above: their ratio is the speed."""

    @property
    def real_time_factor(self) -> float:
        """Seconds of work a second of audio took; 0 before the first."""
        return self.busy_seconds / self.audio_seconds if self.audio_seconds else 0.0


@dataclass(slots=True)
class LlmMetrics:
    """Generation. Times in seconds, sums since the start."""

    waiting: int = 0
    """Requests accepted and not yet taken up."""
    active: int = 0
    finished: int = 0
    failed: int = 0
    waited_seconds: float = 0.0
    first_tokens: int = 0
    first_token_seconds: float = 0.0
    """From acceptance to the first token, over ``first_tokens`` replies."""
    prompt_tokens: int = 0
    """Tokens of all prompts, and how many of them had to be evaluated below."""
    evaluated_tokens: int = 0
    generated_tokens: int = 0
    busy_seconds: float = 0.0
    steps_hung: int = 0

    @property
    def tokens_per_second(self) -> float:
        """Tokens generated a second of work; 0 before the first."""
        return self.generated_tokens / self.busy_seconds if self.busy_seconds else 0.0


@dataclass(slots=True)
class TtsMetrics:
    """Speech. Times in seconds, sums since the start."""

    waiting: int = 0
    """Sentences accepted and not yet read aloud."""
    sentences: int = 0
    cancelled: int = 0
    """Sentences that were stopped while they were read."""
    failed: int = 0
    waited_seconds: float = 0.0
    audio_seconds: float = 0.0
    busy_seconds: float = 0.0
    """Time at work, and the sound that came of it above: their ratio is the speed."""

    @property
    def real_time_factor(self) -> float:
        """Seconds of work a second of sound took; 0 before the first."""
        return self.busy_seconds / self.audio_seconds if self.audio_seconds else 0.0


@dataclass(slots=True)
class ReplyMetrics:
    """Whose words the interviewer said, in whole replies and greetings; no words, only numbers."""

    by_model: int = 0
    """Replies that hold words of a model, made for this reply."""
    by_script: int = 0
    """Replies in the script's words alone, but for a question worded ahead."""
    asked_ahead: int = 0
    """Replies of either kind whose question was worded ahead."""
    cut_off: int = 0
    """Replies that were not said to their end: a new turn came, or the client left."""
    model_faults: Counter[str] = field(default_factory=Counter)
    """Attempts in which the model failed or was too slow, by the kind of the error."""
    refused: Counter[str] = field(default_factory=Counter)
    """Sentences of a model that the guards kept back, by reason; also in questions ahead."""
    questions_worded: int = 0
    """Questions worded ahead, and those of which nothing fit came."""
    questions_unfit: int = 0


@dataclass(slots=True)
class Metrics:
    """By engine, and of the interviewer's words."""

    asr: AsrMetrics = field(default_factory=AsrMetrics)
    llm: LlmMetrics = field(default_factory=LlmMetrics)
    tts: TtsMetrics = field(default_factory=TtsMetrics)
    replies: ReplyMetrics = field(default_factory=ReplyMetrics)
