"""Whose words a turn holds."""

from enum import StrEnum


class Speaker(StrEnum):
    """Who speaks. A relative's words are context, never evidence or memoir."""

    NARRATOR = "narrator"
    RELATIVE = "relative"
    INTERVIEWER = "interviewer"
