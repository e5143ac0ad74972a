"""Plays an interview: a narrator and an interviewer, over several sittings."""

from dataclasses import dataclass, field
from datetime import timedelta

from bench.interview.interviewer import Interviewer, Reply
from bench.interview.narrator import Kind, Narrator, Utterance
from bench.interview.sheet import Sheet, Wished

SITTING = 26
"""Turns after which a sitting ends of itself."""
AWAY = (timedelta(hours=10), timedelta(days=1), timedelta(days=12), timedelta(days=200))
"""How long a narrator stays away after each sitting, in turn."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the narrator said and what the interviewer replied."""

    said: Utterance
    reply: Reply
    back: Reply | None = None
    """The greeting when the narrator came back, where the sitting ended with this exchange."""

    @property
    def heard_next(self) -> Reply:
        """What the narrator answers next."""
        return self.back or self.reply


@dataclass
class Interview:
    """A whole interview, from the greeting on."""

    sheet: Sheet
    greeting: Reply
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def replies(self) -> list[Reply]:
        """All that the interviewer said, in order."""
        said = [self.greeting]
        for exchange in self.exchanges:
            said += [exchange.reply, *([exchange.back] if exchange.back else [])]
        return said

    def first(self, turns: int) -> "Interview":
        """Return the interview up to so many turns."""
        return Interview(self.sheet, self.greeting, self.exchanges[:turns])


def play(sheet: Sheet, interviewer: Interviewer, turns: int, seed: int = 0) -> Interview:
    """Play so many turns of the narrator's."""
    narrator = Narrator(sheet, seed)
    interview = Interview(sheet, interviewer.begin())
    heard, here, sittings = interview.greeting, 0, 0
    for turn in range(turns):
        said = narrator.answer(heard.text)
        reply = interviewer.answer(said.text)
        here += 1
        back = None
        if (_leaves(said) or (here >= SITTING and reply.complete)) and turn + 1 < turns:
            back = interviewer.come_back(AWAY[sittings % len(AWAY)])
            here, sittings = 0, sittings + 1
        exchange = Exchange(said, reply, back)
        interview.exchanges.append(exchange)
        heard = exchange.heard_next
    return interview


def _leaves(said: Utterance) -> bool:
    return said.kind is Kind.WISH and said.wish is Wished.END
