"""Audio kept as it came, before anything else is done with it."""

from functools import partial

import trio

from lifeecho_server.engines.audio_format import sniff
from lifeecho_server.protocol.incoming import Audio
from lifeecho_server.session.services import Services
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


async def discard(services: Services, recording: NewRecording) -> None:
    """Delete audio of which no row will know."""
    await trio.to_thread.run_sync(services.files.delete, [recording.path])
