"""Which error code a client is told for what went wrong below."""

from collections.abc import Iterator
from contextlib import contextmanager

from lifeecho_server.engines.audio import BadAudio
from lifeecho_server.inference import AsrUnavailable, EngineFailed, QueueFull
from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.session.inbox import RETRY_AFTER
from lifeecho_server.store.errors import (
    ConversationDeleted,
    ConversationEnded,
    NotFound,
    QuotaExceeded,
    StoreBusy,
    StoreFailed,
)


@contextmanager
def told_as_faults() -> Iterator[None]:
    """Raise the errors of the store and the engines as what a client is told."""
    try:
        yield
    except QuotaExceeded as error:
        raise Fault(Code.QUOTA_EXCEEDED, resets_at=error.resets_at.isoformat()) from None
    except ConversationEnded:
        raise Fault(Code.ENDED) from None
    except (ConversationDeleted, NotFound):  # its row may be gone by now
        raise Fault(Code.DELETED) from None
    except (StoreBusy, QueueFull):
        raise Fault(Code.BUSY, retry_after=RETRY_AFTER) from None
    except StoreFailed:
        raise Fault(Code.STORE_FAILED) from None
    except BadAudio:
        raise Fault(Code.BAD_AUDIO) from None
    except AsrUnavailable:
        raise Fault(Code.ASR_UNAVAILABLE) from None
    except EngineFailed:
        raise Fault(Code.ASR_FAILED) from None
