"""Which sequence of a chat model belongs to which conversation. Blocking; no trio."""

from collections import OrderedDict
from collections.abc import Sequence

from lifeecho_server.engines.chat_model import ChatModel, ContextFull


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two sequences begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # comparing slices by halves: n comparisons in C instead of a loop
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class Sequences:
    """Lends each conversation its own sequence and keeps it afterwards, evaluated.

    A beginning that another sequence has evaluated (the system prompt above all) is shared with
    it instead of evaluated again.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._kept: OrderedDict[str, int] = OrderedDict()  # idle ones, least recently used first
        self._lent: set[int] = set()

    def lend(self, conversation: str) -> int:
        """Return the conversation's sequence, or another one when it has none that is idle.

        Raises ContextFull when all are lent.
        """
        sequence = self._kept.pop(conversation, None)
        if sequence is None:
            sequence = self._open()
        self._lent.add(sequence)
        return sequence

    def keep(self, conversation: str, sequence: int) -> None:
        """Take a sequence back as the conversation's most recent."""
        self._lent.discard(sequence)
        older = self._kept.pop(conversation, None)
        if older is not None:
            self._model.close_sequence(older)
        self._kept[conversation] = sequence

    def discard(self, sequence: int) -> None:
        """Take back a sequence that is of no use any more."""
        self._lent.discard(sequence)
        self._model.close_sequence(sequence)

    def evict(self) -> bool:
        """Close the least recently used idle sequence; whether there was one."""
        if not self._kept:
            return False
        _, sequence = self._kept.popitem(last=False)
        self._model.close_sequence(sequence)
        return True

    def share(self, sequence: int, prompt: Sequence[int]) -> int:
        """Make a sequence hold what is evaluated already of ``prompt`` and nothing else.

        Returns how many tokens that is.
        """
        own = common_prefix(self._model.tokens_of(sequence), prompt)
        length, source = max(
            (common_prefix(self._model.tokens_of(other), prompt), other) for other in self._others()
        )
        if length > own:
            self._model.fork(source, sequence, length)
        else:
            self._model.truncate(sequence, own)
        return len(self._model.tokens_of(sequence))

    def _others(self) -> list[int]:
        return [*self._kept.values(), *self._lent]

    def _open(self) -> int:
        try:
            return self._model.open()
        except ContextFull:
            if not self._kept:
                raise
        # The least recently used one changes hands as it is: its beginning may serve.
        return self._kept.popitem(last=False)[1]
