"""What the history keeps of a reply: whatever a person gets of it is committed just before."""

from dataclasses import dataclass
from functools import partial

import trio

from lifeecho_server.interview.decision import Decision
from lifeecho_server.interview.situation import Turn
from lifeecho_server.interview.summary import facts_of
from lifeecho_server.session.admission import Admitted
from lifeecho_server.session.services import Services
from lifeecho_server.store.database import Connection
from lifeecho_server.store.memory import apply
from lifeecho_server.store.replies import add_part, begin_reply, extend_part
from lifeecho_server.store.summary import summarise


@dataclass(frozen=True, slots=True)
class Said:
    """How far a reply has come: ``text`` is that of part ``index`` so far, ``whole`` with its end.

    ``sentences`` counts those of the part; ``final`` is that the reply ends with it.
    """

    index: int
    sentences: int
    text: str
    whole: bool = False
    final: bool = False

    @property
    def reach(self) -> tuple[int, bool, int]:
        """What compares: of two, the greater contains the lesser."""
        return (self.index, self.whole, self.sentences)


class Record:
    """The history's side of one reply that is being made.

    Two tasks write to it, what is sent and what is read aloud: each has what it is about to give
    away committed, and finds it there if the other was before it.
    """

    def __init__(
        self, services: Services, admitted: Admitted, decision: Decision, answers: tuple[Turn, ...]
    ) -> None:
        self.reply_id = services.clock.new_id()
        self._services = services
        self._bank = services.bank(admitted.narrator.language)
        self._here = admitted.conversation
        self._decision = decision
        self._answers = tuple(turn.id for turn in answers)
        self._kept: Said | None = None
        self._closed = False
        self._lock = trio.Lock()

    @property
    def begun(self) -> bool:
        """Whether anything of the reply is in the history."""
        return self._kept is not None

    @property
    def complete(self) -> bool:
        """Whether all of it is."""
        return self._kept is not None and self._kept.final

    async def keep(self, said: Said) -> bool:
        """Commit that so much is said; False when the reply was cut off before.

        What is committed is given away: nobody may cut in between, so this is not cancelled.
        """
        with trio.CancelScope(shield=True):
            async with self._lock:
                if not self._has(said) and not self._closed:
                    await self._services.store.write(partial(self._commit, said=said))
                    self._kept = said
        return self._has(said)

    async def close(self) -> None:
        """Keep nothing more of it."""
        with trio.CancelScope(shield=True):
            async with self._lock:
                self._closed = True

    def _has(self, said: Said) -> bool:
        return self._kept is not None and said.reach <= self._kept.reach

    def _commit(self, db: Connection, *, said: Said) -> None:
        if self._kept is None:
            self._begin(db, said)
        elif said.index > self._kept.index:
            add_part(db, self.reply_id, said.text, final=said.final)
        else:
            extend_part(db, self.reply_id, said.text, final=said.final)

    def _begin(self, db: Connection, said: Said) -> None:
        """Store the reply's beginning, with everything that its decision changes."""
        here, now = self._here, self._services.clock.now()
        # Applied first: what is sealed takes the replies to it along, but not this one.
        apply(
            db,
            here.narrator_id,
            here.id,
            self._decision.changes,
            now,
            usual_rate=self._services.settings.speech_rate,
        )
        begin_reply(
            db,
            reply_id=self.reply_id,
            conversation_id=here.id,
            text=said.text,
            answers=self._answers,
            at=now,
            final=said.final,
        )
        summarise(db, here.narrator_id, partial(facts_of, bank=self._bank))
