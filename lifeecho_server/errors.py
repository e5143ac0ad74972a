"""The root of the errors that are told to people, each in one plain sentence."""


class LifeEchoError(Exception):
    """Something a person can be told. ``str()`` is one plain sentence, saying what to do."""
