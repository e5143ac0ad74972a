"""The edge to foreign libraries: the one place here that catches whatever they may raise."""

from collections.abc import Callable
from typing import TypeVar

from lifeecho_server.errors import LifeEchoError
from lifeecho_server.inference.errors import EngineFailed

Result = TypeVar("Result")


class EngineBroke(EngineFailed):
    """A library raised something that is no error of ours; the text names its kind only."""


def at_the_edge(call: Callable[[], Result]) -> Result:
    """Call into an engine; what it raises comes out as a LifeEchoError.

    The libraries have no common error (onnxruntime and ctypes raise bare Exceptions), and one
    request that meets a fault must not take the server with it.
    """
    try:
        return call()
    except LifeEchoError:
        raise
    except Exception as error:
        raise EngineBroke(f"the engine failed ({type(error).__name__})") from error
