"""Audio kept as it came, before anything else is done with it."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

import trio

from lifeecho_server.engines.audio_format import sniff
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.protocol.incoming import Audio
from lifeecho_server.session.services import Services
from lifeecho_server.store.database import Connection
from lifeecho_server.store.recordings import NewRecording

UNKNOWN_FORMAT = "bin"
"""The file name ending of a recording whose bytes tell nothing."""


async def keep(services: Services, audio: Audio) -> NewRecording:
    """Write audio under an id of the server's own; it is on disk on return. Raises StoreFailed."""
    clock = services.clock
    name = "pcm_s16le" if audio.sample_rate is not None else sniff(audio.data)
    return await trio.to_thread.run_sync(
        partial(
            services.files.write,
            clock.new_id(),
            audio.data,
            format=name or UNKNOWN_FORMAT,
            at=clock.now(),
            sample_rate=audio.sample_rate,
        )
    )


class Taken(Protocol):
    """What became of something that was to be stored with its audio."""

    @property
    def duplicate(self) -> bool:
        """Whether it had been stored before."""
        ...


Result = TypeVar("Result", bound=Taken)


async def commit(
    services: Services, recording: NewRecording, work: Callable[[Connection], Result]
) -> Result:
    """Do the work that stores audio's row; if it is refused or a duplicate no file is left."""
    try:
        taken = await services.store.write(work)
    except LifeEchoError:
        await _discard(services, recording)
        raise
    if taken.duplicate:
        await _discard(services, recording)
    return taken


async def _discard(services: Services, recording: NewRecording) -> None:
    await trio.to_thread.run_sync(services.files.delete, [recording.path])
