"""A model's own chat template, rendered so that nobody's text can pose as part of it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from lifeecho_server.engines.chat_model import Message
from lifeecho_server.errors import LifeEchoError

_MARK = re.compile("\ue000([0-9]+)\ue001")


class TemplateError(LifeEchoError):
    """A chat template cannot be rendered."""


class Part(NamedTuple):
    """A stretch of a rendered prompt: the template's own text, or what somebody said."""

    text: str
    said: bool


class ChatTemplate:
    """A Jinja chat template from a model's metadata.

    The template is rendered around marks that stand for the messages' texts, and the texts are
    put in their places afterwards: so the tokenizer can be told which stretches may spell control
    tokens (the template's) and which are only words (people's), and a message's tokens do not
    depend on its neighbours, which keeps an evaluated prefix valid from turn to turn.
    """

    def __init__(self, source: str, *, begin: str, end: str) -> None:
        """Compile; ``begin`` and ``end`` spell the text's first and last token.

        Raises TemplateError when the template does not take a plain conversation.
        """
        from jinja2 import TemplateError as JinjaError
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        self._failures = (JinjaError, ValueError, TypeError, LookupError)
        try:
            self._format = Jinja2ChatFormatter(template=source, bos_token=begin, eos_token=end)
        except self._failures as error:
            raise TemplateError(f"it cannot be read: {error}") from error
        self.render(_PROBE)

    def render(self, messages: Sequence[Message]) -> list[Part]:
        """Return the prompt's stretches in order. Raises TemplateError."""
        marked = [
            {"role": message.role, "content": f"\ue000{index}\ue001"}
            for index, message in enumerate(messages)
        ]
        try:
            # Thinking aloud is for models that reason; an interviewer answers at once.
            prompt = self._format(messages=marked, enable_thinking=False).prompt  # type: ignore[arg-type]
        except self._failures as error:
            raise TemplateError(f"it refuses a conversation: {error}") from error
        pieces = _MARK.split(prompt)
        parts = [
            Part(messages[int(piece)].content.strip(), said=True)
            if place % 2
            else Part(piece, said=False)
            for place, piece in enumerate(pieces)
        ]
        return [part for part in parts if part.text]


_PROBE = (
    Message("system", "s"),
    Message("user", "u"),
    Message("assistant", "a"),
    Message("user", "u"),
)
