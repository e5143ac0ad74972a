"""What can be wrong with a model, and with one recognition."""

from lifeecho_server.errors import LifeEchoError


class ModelBroken(LifeEchoError):
    """A model's files are incomplete, damaged or not what they should be."""


class NotInstalled(LifeEchoError):
    """The model that the settings or a command name is not there."""


class CannotRemove(LifeEchoError):
    """A model's files could not be deleted."""


class SpeechFailed(LifeEchoError):
    """The speech engine gave up on one sentence."""


class RecognitionFailed(LifeEchoError):
    """The engine gave up on one recording; the model itself may be used again."""
