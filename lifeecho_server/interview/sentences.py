"""A model's stream of text, cut into sentences as it comes."""

import re

from lifeecho_server.interview.markup import PART_BREAK

__all__ = ["PART_BREAK", "SentenceSplitter", "sentences_of"]

_THOUGHT = "(?:think|thinking|thought|reasoning|reflection|analysis|scratchpad)"
_TAG = re.compile(f"</?{_THOUGHT}>", re.IGNORECASE)
_CLOSE = re.compile(f"</{_THOUGHT}>", re.IGNORECASE)
_CLOSERS = "\"'”’」』)）]"
_END = re.compile(rf"[。!?！？…؟।]+[{re.escape(_CLOSERS)}]*|\.+[{re.escape(_CLOSERS)}]*(?=\s)|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Prof|Rev|Jr|Sr|vs|etc|No|a\.m|p\.m|e\.g|i\.e)|\b[A-Z])\.$"
)
_LISTED = re.compile(r"\s*\d{1,2}\.")  # the number of a list's item ends no sentence
_ENOUGH = 12  # characters before a point that tell whether it belongs to a word
_HELD = len("</scratchpad>") - 1  # so much of a tag may stand at a chunk's end


class SentenceSplitter:
    """Cuts chunks of any size into whole sentences; think blocks are left out, unclosed ones too.

    A part boundary comes out as an element of its own, ``PART_BREAK``.
    """

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._incoming = ""
        self._text = ""
        self._thinking = False

    def feed(self, chunk: str) -> tuple[str, ...]:
        """Read a chunk; return the sentences that are whole now."""
        self._incoming += chunk
        while self._pass_tag():
            pass
        self._take_over(final=False)
        return tuple(self._whole(final=False))

    def flush(self) -> tuple[str, ...]:
        """Return what is left at the end of the stream; nothing of an unclosed think block."""
        self._take_over(final=True)
        return tuple(self._whole(final=True))

    def _pass_tag(self) -> bool:
        """Go past the next tag of a think block, if one has come whole."""
        tag = (_CLOSE if self._thinking else _TAG).search(self._incoming)
        if tag is None:
            return False
        closing = _CLOSE.fullmatch(tag.group()) is not None
        if closing:
            self._text = self._text if self._thinking else ""  # all before a lone one was thought
        else:
            self._text += self._incoming[: tag.start()]
        self._incoming = self._incoming[tag.end() :]
        self._thinking = not closing
        return True

    def _take_over(self, *, final: bool) -> None:
        """Take what has come for said or thought, but for what may be the start of a tag."""
        cut = self._incoming.rfind("<", -_HELD) if self._incoming else -1
        held = len(self._incoming) if final or cut < 0 else cut
        if not self._thinking:
            self._text += self._incoming[:held]
        self._incoming = self._incoming[held:]

    def _whole(self, *, final: bool) -> list[str]:
        found: list[str] = []
        while True:
            piece = self._next(final=final)
            if piece is None:
                return found
            if piece.strip():
                found.append(piece.strip())

    def _next(self, *, final: bool) -> str | None:
        """Take the next sentence or part boundary off the text; ``None`` when none is whole."""
        boundary = self._text.find(PART_BREAK)
        end = self._sentence_end(final=final)
        if boundary == 0:
            return self._take(len(PART_BREAK))
        if boundary > 0 and (end is None or boundary < end):
            return self._take(boundary)
        if end is not None:
            return self._take(end)
        return self._take(len(self._text)) if final and self._text else None

    def _sentence_end(self, *, final: bool) -> int | None:
        for found in _END.finditer(self._text):
            if _ends_nothing(self._text, 0, found.start()):
                continue
            if found.end() == len(self._text) and not final:
                return None  # a closing quote or more marks may still come
            return found.end()
        return None

    def _take(self, length: int) -> str:
        piece, self._text = self._text[:length], self._text[length:]
        return piece


def _ends_nothing(text: str, start: int, point: int) -> bool:
    """Whether what stands at ``point`` is the point of a word or number of a sentence so far."""
    if text[point] != ".":
        return False
    near = text[max(start, point + 1 - _ENOUGH) : point + 1]
    return bool(_ABBREVIATION.search(near) or _LISTED.fullmatch(text, start, point + 1))


def sentences_of(text: str) -> tuple[str, ...]:
    """Return the sentences of a whole text."""
    if "<" in text or PART_BREAK in text:
        splitter = SentenceSplitter()
        return (*splitter.feed(text), *splitter.flush())
    # What people say has neither tags nor boundaries, and a reply looks at all of a history.
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if not _ends_nothing(text, start, end.start()):
            found.append(text[start : end.end()].strip())
            start = end.end()
    return tuple(one for one in (*found, text[start:].strip()) if one)
