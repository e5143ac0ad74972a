"""A short sign now and then, while somebody talks for long, that they are listened to."""

from collections.abc import Callable, Iterable

import trio

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decide import listening_feedback
from lifeecho_server.protocol.outgoing import ListeningFeedback

SESSIONS_REMEMBERED = 1_000
"""Voice sessions of one connection that get their sign; who makes more gets none."""


class Listening:
    """Gives one sign in each voice session, ``after`` seconds into it, unless it ends before."""

    def __init__(self, bank: Bank, show: Callable[[ListeningFeedback], None], after: float) -> None:
        self._bank = bank
        self._show = show
        self._after = after
        self._due: dict[str, float] = {}
        self._known: set[str] = set()
        self._said: str | None = None
        self._stirred = trio.Event()

    def started(self, voice_session_id: str) -> None:
        """Somebody has begun to talk."""
        if voice_session_id in self._known or len(self._known) >= SESSIONS_REMEMBERED:
            return
        self._known.add(voice_session_id)
        self._due[voice_session_id] = trio.current_time() + self._after
        self._stirred.set()

    def known(self, voice_session_ids: Iterable[str]) -> None:
        """These were begun before: they have had their sign, or were too short for one."""
        self._known.update(voice_session_ids)

    def ended(self, voice_session_id: str) -> None:
        """The last slice is here: nothing is said any more."""
        self._known.add(voice_session_id)
        self._due.pop(voice_session_id, None)

    async def run(self) -> None:
        """Give signs until cancelled."""
        while True:
            self._stirred = trio.Event()
            with trio.move_on_at(min(self._due.values(), default=float("inf"))):
                await self._stirred.wait()
            now = trio.current_time()
            for session in [session for session, due in self._due.items() if due <= now]:
                del self._due[session]
                self._said = listening_feedback(self._said, self._bank)
                self._show(ListeningFeedback(self._said, session))
