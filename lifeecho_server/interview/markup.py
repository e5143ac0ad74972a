"""Markup of chat templates: cut out of people's words before they go in, of a model's after."""

import re
import unicodedata

PART_BREAK = "[SPLIT]"

_ROLES = "user|human|person|assistant|model|ai|bot|system|tool|developer|observation"

_BARRED = r"<[|｜][^<>]{0,60}?[|｜]>"  # <|im_start|> of ChatML, <｜User｜> of DeepSeek
_TURN = (
    rf"{_BARRED}"
    r"|</?(?:s|bos|eos|start_of_turn|end_of_turn|eod|eop|sop|endoftext)>"
    r"|<(?:BOS|EOS|START_OF_TURN|END_OF_TURN|USER|CHATBOT|SYSTEM)(?:_TOKEN)?>"  # Command-R
    r"|\[/?INST\]|\[/?(?:BOS|EOS)\]"
    rf"|\[\|(?:{_ROLES}|endofturn)\|\]"  # EXAONE
    r"|<(?:用户|AI|assistant|user|system)>"  # MiniCPM
    r"|<reserved_\d+>"  # Baichuan
)

_TURN_TOKEN = re.compile(_TURN, re.IGNORECASE)

_TEMPLATE_TOKEN = re.compile(
    rf"{_TURN}"
    r"|</?(?:pad|unk|mask|think|thinking|thought|reasoning|reflection|scratchpad|analysis|answer"
    r"|final|response|output|tool_call|tool_response|tools|SYS|message|context)>"
    r"|<(?:unused\d+|extra_id_\d+|0x[0-9A-F]{2})>"
    r"|<<\s*/?SYS\s*>>|\[/?(?:SYS|SYSTEM|SYSTEM_PROMPT|SPLIT|AVAILABLE_TOOLS|TOOL_CALLS"
    r"|TOOL_RESULTS|THINK)\]|\[[gs]?MASK\]",
    re.IGNORECASE,
)

ANSWERING, OTHERS = ("assistant", "model"), ("user", "human", "system", "tool")
"""Whose turn it is, as chat templates name them: a model's own, and everybody else's."""

_LISTED = re.compile(
    r"^\s*(?:[-–—*+•·▪■●○◦►➤|>]\s|[-•▪■●○◦►➤]\S|\d{1,2}[.)、．](?!\d)|[\da-zA-Z一二三四五][)）]"
    r"|[①-⑳]|#|[一二三四五六七八九十]、|\*(?![*A-Z])[^*]{1,40}\*\s)"  # at last *smiles*
)
_MARKED_UP = re.compile(
    r"[\[\]{}【】<>|\\^=（()）]|```|&[a-z]{2,6};|https?:|www\.|\S@\S|\$\$|_{3,}|-{3,}"
    r"|\b[\w-]+\.(?:com|org|net|cn|uk)\b",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(
    r"\*{1,3}|(?<!`)`(?!``)|(?<!\w)_{1,2}(?=\w)|(?<=[\w.,!?])_{1,2}(?!\w)|~~|[:;]-?[)(DP](?=\s|$)"
)
_QUOTES = (("“", "”"), ('"', '"'), ("「", "」"), ("『", "』"), ("«", "»"))
_JOINERS = "\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff\u20e3"


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


def without_dress(text: str) -> str:
    """Return a sentence without what is only for the eye: emoji, emphasis, quotes around it all."""
    bare = _unquoted(text if _LISTED.match(text) else _EMPHASIS.sub("", text))
    return "".join(one for one in bare if not _is_picture(one)).strip()


def is_marked_up(text: str) -> bool:
    """Whether a sentence is no talk: of a list, a heading, a link, a stage direction, a role."""
    return bool(_LISTED.match(text) or _MARKED_UP.search(text))


def _is_picture(character: str) -> bool:
    if character in _JOINERS:
        return True
    return ord(character) > 0x2000 and unicodedata.category(character) in ("So", "Sk", "Co", "Cn")


def _unquoted(text: str) -> str:
    """Take off quotes around a whole sentence, and one whose other half is in another sentence."""
    text = text.strip()
    for opening, closing in _QUOTES:
        marks = text.count(opening) + (text.count(closing) if opening != closing else 0)
        opens, closes = text.startswith(opening), text.endswith(closing)
        if 0 < marks == opens + closes < len(text):
            return text[opens : len(text) - closes].strip()
    return text
