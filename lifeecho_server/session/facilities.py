"""What recordings in slices need of the server while they are listened to."""

from dataclasses import dataclass
from datetime import tzinfo

from lifeecho_server.clock import Clock
from lifeecho_server.engines.slices import SliceSource
from lifeecho_server.engines.transcriber import Hearing
from lifeecho_server.inference import Inference
from lifeecho_server.session.audience import Audience
from lifeecho_server.session.recogniser import Recogniser
from lifeecho_server.settings import Settings
from lifeecho_server.store.database import Connection
from lifeecho_server.store.narrators import hotwords, narrator
from lifeecho_server.store.recordings import RecordingFiles
from lifeecho_server.store.store import Store
from lifeecho_server.store.voice_sessions import Slice, VoiceSession


@dataclass(frozen=True, slots=True)
class Facilities:
    """The server's parts that turn slices into turns; ``timezone`` says when a day begins."""

    settings: Settings
    store: Store
    files: RecordingFiles
    inference: Inference
    recogniser: Recogniser
    clock: Clock
    timezone: tzinfo
    audience: Audience

    def source(self, piece: Slice) -> SliceSource:
        """Return where the sound of a slice is."""
        path = self.files.path(piece.path)
        return SliceSource(piece.index, path, piece.format, piece.sample_rate)

    async def hearing(self, session: VoiceSession) -> Hearing:
        """Return how to listen to a narrator: their script, and the names of their family."""

        def read(db: Connection) -> Hearing:
            teller = narrator(db, session.narrator_id)
            return Hearing(
                languages=self.settings.languages,
                script=None if teller is None else teller.script,
                hotwords=hotwords(db, session.narrator_id),
            )

        return await self.store.read(read)
