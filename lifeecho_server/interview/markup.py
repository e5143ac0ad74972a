"""Markup of chat templates: cut out of people's words before they go in, of a model's after."""

import re

PART_BREAK = "[SPLIT]"

_TEMPLATE_TOKEN = re.compile(
    r"<[|｜][^<>]{0,60}?[|｜]>"
    r"|</?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|think|thinking|tool_call|SYS)>"
    r"|<<\s*/?SYS\s*>>|\[/?(?:INST|SYS|SYSTEM|SPLIT|AVAILABLE_TOOLS|TOOL_CALLS)\]",
    re.IGNORECASE,
)

_TURN_TOKEN = re.compile(
    r"<[|｜][^<>]{0,60}?[|｜]>|</?(?:s|bos|eos|start_of_turn|end_of_turn)>|\[/?INST\]",
    re.IGNORECASE,
)

ANSWERING, OTHERS = ("assistant", "model"), ("user", "human", "system", "tool")
"""Whose turn it is, as chat templates name them: a model's own, and everybody else's."""


def before_turn(text: str) -> str | None:
    """Return what stands before the first token that begins or ends a turn; None without one."""
    token = _TURN_TOKEN.search(text)
    return None if token is None else text[: token.start()].strip()


def clean(text: str) -> str:
    """Return ``text`` without chat-template tokens, until none is left (nested ones too)."""
    before = None
    while before != text:
        before, text = text, _TEMPLATE_TOKEN.sub("", text)
    return text.strip()
