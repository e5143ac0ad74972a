"""What recordings in slices need of the server while they are listened to."""

from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

from lifeecho_server.clock import Clock
from lifeecho_server.engines.slices import SliceSource
from lifeecho_server.engines.transcriber import Hearing
from lifeecho_server.inference import Inference
from lifeecho_server.session.audience import Audience
from lifeecho_server.session.ear import ear_for
from lifeecho_server.session.recogniser import Recogniser
from lifeecho_server.settings import Settings
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
        """Return how to listen to whose recording it is. Raises StoreFailed."""
        languages = self.settings.languages
        return await self.store.read(
            partial(ear_for, narrator_id=session.narrator_id, languages=languages)
        )
