"""What came of listening to a recording."""

from dataclasses import dataclass

from lifeecho_server.engines.transcriber import Transcript
from lifeecho_server.protocol.codes import Code


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording's turn with its transcript, or with the code of what went wrong.

    ``voice_session_id`` is the client's name of a recording in slices, ``missing`` the slices that
    it lacks; ``taken`` is True where its turn has just been committed and is to be acknowledged.
    """

    turn_id: str
    transcript: Transcript | None
    fault: Code | None = None
    client_id: str | None = None
    revision: int = 1
    voice_session_id: str | None = None
    missing: tuple[int, ...] = ()
    taken: bool = False
