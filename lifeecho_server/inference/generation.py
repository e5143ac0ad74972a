"""Several replies generated side by side on one chat model. Blocking; no trio.

Everything here runs in the engine's thread, one ``turn`` at a time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from lifeecho_server.engines.chat_model import Advance, ChatModel, ContextFull, Message, Sampling
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.errors import ENGINE_FAULTS, ContextOverflow, EngineFailed
from lifeecho_server.inference.fitting import fit
from lifeecho_server.inference.metrics import LlmMetrics
from lifeecho_server.inference.schedule import Priority, TurnTaking, may_run
from lifeecho_server.inference.sequences import Sequences, common_prefix


@dataclass(frozen=True, eq=False, slots=True)
class Prompt:
    """What is asked of the model.

    ``max_tokens`` 0 only evaluates the messages ahead; the last of them may still go on.
    """

    conversation: str
    messages: Sequence[Message]
    sampling: Sampling
    max_tokens: int
    priority: Priority


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a turn gave one prompt: bytes of its reply, and whether it is over, by what error."""

    prompt: Prompt
    piece: bytes = b""
    over: bool = False
    error: LifeEchoError | None = None


@dataclass(eq=False, slots=True)
class _Run:
    prompt: Prompt
    tokens: list[int]
    sequence: int
    produced: int = 0
    drawn: list[int] = field(default_factory=list)
    """The token drawn last, when it is still to be evaluated."""


@dataclass(frozen=True, slots=True)
class _Share:
    run: _Run
    advance: Advance


class Generation:
    """The prompts that are being evaluated and replied to.

    In a turn every reply advances by one token and one prompt by one piece of at most ``chunk``
    tokens, all in one decode.
    """

    def __init__(self, model: ChatModel, *, chunk: int, metrics: LlmMetrics) -> None:
        self._model = model
        self._chunk = chunk
        self._metrics = metrics
        self._sequences = Sequences(model)
        self._runs: dict[Prompt, _Run] = {}
        self._prefilling: TurnTaking[_Run] = TurnTaking(model.max_sequences)

    def turn(
        self, joining: Iterable[Prompt], leaving: Iterable[Prompt], most_urgent: Priority
    ) -> list[Outcome]:
        """Let prompts in and out, then advance those that may run beside ``most_urgent`` work."""
        for prompt in leaving:
            if prompt in self._runs:
                self._end(self._runs[prompt])
        outcomes = [failed for prompt in joining if (failed := self._join(prompt))]
        return outcomes + self._advance(most_urgent)

    def _join(self, prompt: Prompt) -> Outcome | None:
        budget = self._model.context_size - max(1, prompt.max_tokens)
        try:
            messages = fit_to(self._model, prompt.messages, budget)
            tokens = self._model.prompt(messages)
            if not prompt.max_tokens:
                tokens = open_ended(self._model, messages, tokens)
            run = _Run(prompt, tokens, self._sequences.lend(prompt.conversation))
        except ContextOverflow as error:
            return Outcome(prompt, over=True, error=error)
        except ENGINE_FAULTS as error:
            return Outcome(prompt, over=True, error=failure(error))
        self._metrics.prompt_tokens += len(tokens)
        self._runs[prompt] = run
        self._prefilling.add(run, owner=prompt.conversation, priority=prompt.priority)
        return None

    def _advance(self, most_urgent: Priority) -> list[Outcome]:
        running = [run for run in self._runs.values() if may_run(run.prompt.priority, most_urgent)]
        shares = [
            _Share(run, Advance(run.sequence, run.drawn, True, run.prompt.sampling))
            for run in running
            if run.drawn
        ]
        next_up = self._prefilling.next(lambda run: run in running)
        if next_up is None:
            return self._decode(shares)
        try:
            piece = self._prefill(next_up)
        except ENGINE_FAULTS as error:
            return [self._failed(next_up, failure(error)), *self._decode(shares)]
        if piece is None:
            return [self._finished(next_up), *self._decode(shares)]
        return self._decode([*shares, piece])

    def _prefill(self, run: _Run) -> _Share | None:
        """The next piece of a prompt, after what another sequence may have evaluated of it."""
        replied_to = run.prompt.max_tokens > 0
        # What a reply begins with is drawn after the last token: that one is evaluated in any case.
        known = run.tokens[:-1] if replied_to else run.tokens
        start = self._sequences.share(run.sequence, known)
        end = min(start + self._chunk, len(run.tokens))
        last = end == len(run.tokens)
        if start == end:
            return None
        sample = last and replied_to
        return _Share(
            run, Advance(run.sequence, run.tokens[start:end], sample, run.prompt.sampling)
        )

    def _decode(self, shares: list[_Share]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        while shares:
            try:
                return outcomes + self._step(shares)
            except ContextFull:
                if not self._sequences.evict():
                    outcomes.append(self._sacrifice())
                    shares = [share for share in shares if share.run.prompt in self._runs]
            except ENGINE_FAULTS as error:
                return outcomes + self._one_by_one(shares, error)
        return outcomes

    def _one_by_one(self, shares: list[_Share], error: Exception) -> list[Outcome]:
        """After a fault: only the share that raises alone as well is to fail."""
        if len(shares) == 1:
            return [self._failed(shares[0].run, failure(error))]
        return [outcome for share in shares for outcome in self._decode([share])]

    def _step(self, shares: list[_Share]) -> list[Outcome]:
        drawn = self._model.step([share.advance for share in shares])
        self._metrics.evaluated_tokens += sum(len(share.advance.tokens) for share in shares)
        return [
            outcome
            for share, token in zip(shares, drawn, strict=True)
            if (outcome := self._took(share, token))
        ]

    def _took(self, share: _Share, token: int | None) -> Outcome | None:
        run, limit = share.run, share.run.prompt.max_tokens
        if token is None:
            evaluated = len(self._model.tokens_of(run.sequence))
            return self._finished(run) if evaluated == len(run.tokens) else None
        self._prefilling.remove(run)
        if self._model.is_end(token):
            return self._finished(run)
        run.produced += 1
        run.drawn = [token]
        self._metrics.generated_tokens += 1
        over = run.produced == limit
        if over:
            self._end(run)
        return Outcome(run.prompt, piece=self._model.piece(token), over=over)

    def _sacrifice(self) -> Outcome:
        """Fail the least urgent prompt, of several the last to come, for want of room."""
        victim = max(reversed(self._runs.values()), key=lambda run: run.prompt.priority)
        return self._failed(victim, ContextOverflow("the language model has no room for this"))

    def _finished(self, run: _Run) -> Outcome:
        self._end(run)
        return Outcome(run.prompt, over=True)

    def _end(self, run: _Run) -> None:
        self._forget(run)
        self._sequences.keep(run.prompt.conversation, run.sequence)

    def _failed(self, run: _Run, error: LifeEchoError) -> Outcome:
        self._forget(run)
        self._sequences.discard(run.sequence)
        return Outcome(run.prompt, over=True, error=error)

    def _forget(self, run: _Run) -> None:
        del self._runs[run.prompt]
        self._prefilling.remove(run)


def fit_to(model: ChatModel, messages: Sequence[Message], budget: int) -> list[Message]:
    """Drop the oldest turns until the model's prompt has at most ``budget`` tokens.

    Raises ContextOverflow.
    """
    return fit(messages, budget, lambda some: len(model.prompt(some)))


def open_ended(model: ChatModel, messages: Sequence[Message], tokens: Sequence[int]) -> list[int]:
    """Return what of a prompt's ``tokens`` stays when its last message goes on.

    What the template closes a message with is not worth evaluating, nor is a last token that
    changes with the words after it.
    """
    last = messages[-1]
    going_on = replace(last, content=f"{last.content}\n\n[")
    return list(tokens[: common_prefix(tokens, model.prompt([*messages[:-1], going_on]))])


def failure(cause: Exception) -> EngineFailed:
    """What a request is told when the model raised or hung over it."""
    error = EngineFailed("the language model could not answer")
    error.__cause__ = cause
    return error
