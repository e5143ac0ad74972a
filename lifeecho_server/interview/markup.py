"""Markup of chat templates: cut out of people's words before they go in, of a model's after."""

import re

PART_BREAK = "[SPLIT]"

_TEMPLATE_TOKEN = re.compile(
    r"<[|｜][^<>]{0,60}?[|｜]>"
    r"|</?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|think|thinking|tool_call|SYS)>"
    r"|<<\s*/?SYS\s*>>|\[/?(?:INST|SYS|SYSTEM|SPLIT|AVAILABLE_TOOLS|TOOL_CALLS)\]",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """Return ``text`` without chat-template tokens, until none is left (nested ones too)."""
    before = None
    while before != text:
        before, text = text, _TEMPLATE_TOKEN.sub("", text)
    return text.strip()
