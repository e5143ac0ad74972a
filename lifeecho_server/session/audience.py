"""Whoever is connected to a conversation, as tasks of the server see them."""

from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.protocol.outgoing import Outgoing
from lifeecho_server.session.heard import Heard
from lifeecho_server.session.seats import Seats


class Audience:
    """Tells the client of a conversation, if there is one; nothing here waits."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats

    def heard(self, conversation_id: str, heard: Heard) -> None:
        """Tell what came of a recording."""
        occupant = self._seats.occupant(conversation_id)
        if occupant is not None:
            occupant.heard(heard)

    def show(self, conversation_id: str, message: Outgoing) -> None:
        """Show a message as it is."""
        occupant = self._seats.occupant(conversation_id)
        if occupant is not None:
            occupant.show(message)

    def unreadable(self, conversation_id: str, voice_session_id: str, index: int) -> None:
        """Tell that a slice is kept but cannot be read."""
        occupant = self._seats.occupant(conversation_id)
        if occupant is not None:
            occupant.told(Fault(Code.BAD_AUDIO).about_slice(voice_session_id, index))
