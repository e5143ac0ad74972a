"""Which code a client is told for what went wrong below."""

import pytest

from lifeecho_server.protocol.codes import Code
from lifeecho_server.protocol.faults import Fault
from lifeecho_server.session.told import told_as_faults
from lifeecho_server.store.errors import ConversationDeleted, NotFound


@pytest.mark.parametrize("gone", [ConversationDeleted("deleted"), NotFound("erased")])
def test_what_was_deleted_is_told_as_deleted(gone: Exception) -> None:
    with pytest.raises(Fault) as told, told_as_faults():
        raise gone
    assert told.value.code is Code.DELETED
