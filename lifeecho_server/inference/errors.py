"""What can go wrong at the door to the engines, told in plain sentences."""

from lifeecho_server.errors import LifeEchoError


class AsrUnavailable(LifeEchoError):
    """No recognition model is installed, or it could not be loaded."""


class LlmUnavailable(LifeEchoError):
    """No language model is ready to answer."""


class TtsUnavailable(LifeEchoError):
    """No speech engine is ready to read aloud."""


class EngineFailed(LifeEchoError):
    """An engine raised or hung over this request."""


class QueueFull(LifeEchoError):
    """More is waiting than the settings allow."""


class EngineReplaced(EngineFailed):
    """The engine was loaded anew in the middle; begin again from the start of the recording."""


class ContextOverflow(LifeEchoError):
    """A prompt does not fit into the model's context, even without its oldest turns."""


class StepHung(LifeEchoError):
    """A step took longer than it may; its thread was left behind."""


# What libraries and the adapters over them raise when an engine fails. Their bindings define no
# common error; a mistake in our own code (TypeError, AttributeError, AssertionError) is not here.
ENGINE_FAULTS = (LifeEchoError, ArithmeticError, LookupError, MemoryError, OSError, RuntimeError,
                 ValueError)  # fmt: skip
