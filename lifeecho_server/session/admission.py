"""Who may open which conversation, decided in the order of the socket's contract."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from lifeecho_server.accounts.tokens import Bearer, Refusal, TokenRefused
from lifeecho_server.errors import LifeEchoError
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.connecting import aligned_stage
from lifeecho_server.protocol.codes import (
    CONVERSATION_DELETED,
    INVALID_CONTENT,
    INVALID_TOKEN,
    MISSING_TOKEN,
    NARRATOR_NEEDED,
    NOT_YOURS,
    SERVER_BUSY,
    Closing,
    Code,
)
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.session.seats import Full
from lifeecho_server.session.services import Services
from lifeecho_server.store.conversations import (
    Conversation,
    conversation,
    create_conversation,
    set_stage,
)
from lifeecho_server.store.database import Connection
from lifeecho_server.store.errors import ConversationDeleted
from lifeecho_server.store.memory import interview_state
from lifeecho_server.store.narrators import Narrator, narrator, narrators_to_talk_for
from lifeecho_server.store.people import User, may_talk

TOKEN_CLOSINGS = {
    Refusal.MISSING: MISSING_TOKEN,
    Refusal.INVALID: INVALID_TOKEN,
    Refusal.CONTENT: INVALID_CONTENT,
}


class Refused(LifeEchoError):
    """A connection is refused: closed with ``closing``, after ``fault`` if there is one."""

    def __init__(self, closing: Closing, fault: Fault | None = None) -> None:
        super().__init__(closing.en)
        self.closing = closing
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for when it opened the socket; a later ``arrival`` is the newer one."""

    conversation_id: str
    arrival: int
    narrator_id: str | None = None
    language: str | None = None
    deltas: bool = False
    speech: bool = True


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who talks in which conversation; ``language`` is that of error texts and close reasons."""

    user: User
    device_id: str | None
    conversation: Conversation
    narrator: Narrator
    language: str
    request: Request


def closing_for(error: TokenRefused) -> Closing:
    """Return how a connection with a refused token is closed."""
    return TOKEN_CLOSINGS[error.refusal]


async def admit(services: Services, user: User, bearer: Bearer, request: Request) -> Admitted:
    """Check right, deletion and limits; open the conversation, or create it.

    Raises Refused, StoreFailed.
    """
    language = request.language or user.language
    there: Conversation
    found, teller = await services.store.read(partial(_looked_up, user=user, request=request))
    try:
        services.seats.check_room(request.conversation_id, user.id)
    except Full:
        raise Refused(SERVER_BUSY) from None
    if found is not None:
        there = found
    else:
        there, teller = await services.store.write(
            partial(_created, user=user, request=request, teller=teller, at=services.clock.now())
        )
    return Admitted(user, bearer.device_id, there, teller, language, request)


def _looked_up(
    db: Connection, *, user: User, request: Request
) -> tuple[Conversation | None, Narrator]:
    """Return the conversation, if it exists, and whose story it is or will be."""
    there = conversation(db, request.conversation_id)
    if there is None:
        return None, _teller(db, user, request.narrator_id)
    teller = narrator(db, there.narrator_id)
    if teller is None or not may_talk(db, user.id, teller.id):
        raise Refused(NOT_YOURS, Fault(Code.FORBIDDEN))
    if there.deleted_at is not None:
        raise Refused(CONVERSATION_DELETED, Fault(Code.DELETED))
    return there, teller


def _created(
    db: Connection, *, user: User, request: Request, teller: Narrator, at: datetime
) -> tuple[Conversation, Narrator]:
    try:
        created = create_conversation(
            db,
            conversation_id=request.conversation_id,
            narrator_id=teller.id,
            opened_by=user.id,
            stage=None,
            at=at,
        )
    except ConversationDeleted:
        raise Refused(CONVERSATION_DELETED, Fault(Code.DELETED)) from None
    if created.narrator_id == teller.id:
        return created, teller
    # Somebody else created it in between, for another narrator: look again.
    there, other = _looked_up(db, user=user, request=request)
    return there or created, other


def _teller(db: Connection, user: User, narrator_id: str | None) -> Narrator:
    """Return whose story a new conversation belongs to. Raises Refused."""
    tellers = narrators_to_talk_for(db, user.id)
    if narrator_id is not None:
        tellers = [teller for teller in tellers if teller.id == narrator_id]
    if not tellers:
        raise Refused(NOT_YOURS, Fault(Code.FORBIDDEN))
    if len(tellers) > 1:
        raise Refused(NARRATOR_NEEDED, Fault(Code.MISSING_FIELD, field="narrator"))
    return tellers[0]


async def align_stage(services: Services, admitted: Admitted, bank: Bank) -> Admitted:
    """Bring the conversation's stage up to the memoir's; it never goes back."""
    here = admitted.conversation

    def aligned(db: Connection) -> str:
        memoir = interview_state(db, here.narrator_id).stage
        stage = aligned_stage(here.stage, memoir, bank)
        if stage != here.stage:
            set_stage(db, here.id, stage)
        return stage

    stage = await services.store.write(aligned)
    return replace(admitted, conversation=replace(here, stage=stage))
