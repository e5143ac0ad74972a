"""The one place that catches what nobody expected: logs it under a reference, and goes on."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.faults import Fault

log = logging.getLogger("lifeecho.fault")


@contextmanager
def boundary(where: str, code: Code = Code.INTERNAL) -> Iterator[None]:
    """Turn a fault of ours into a Fault with a ``reference`` under which it is logged.

    Faults pass as they are. The log has the kind of the error and the trace, never its text: that
    may quote what a person said.
    """
    try:
        yield
    except Fault:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary
        reference = secrets.token_hex(4)
        log.error("fault reference=%s where=%s at=%s", reference, where, _places(error))
        raise Fault(code, reference=reference) from None


def _places(error: BaseException) -> str:
    """Return the innermost frames of an error as ``file:line``, innermost last."""
    if isinstance(error, BaseExceptionGroup):
        return " | ".join(_places(inner) for inner in error.exceptions)
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(error).__name__}({','.join(frames[-6:])})"
