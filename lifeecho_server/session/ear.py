"""How to listen to a narrator."""

from lifeecho_server.engines.transcriber import Hearing
from lifeecho_server.store.database import Connection
from lifeecho_server.store.narrators import hotwords, narrator


def ear_for(db: Connection, *, narrator_id: str, languages: tuple[str, ...]) -> Hearing:
    """Return how to listen: in their script, and with the names of their family in mind."""
    teller = narrator(db, narrator_id)
    return Hearing(
        languages=languages,
        script=None if teller is None else teller.script,
        hotwords=hotwords(db, narrator_id),
    )
