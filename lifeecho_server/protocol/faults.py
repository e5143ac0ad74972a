"""A fault to be told to the client: an error code with what belongs to it."""

from lifeecho_server.errors import LifeEchoError
from lifeecho_server.protocol.codes import Code


class Fault(LifeEchoError):
    """Something that a client is told in an ``error`` message; the connection goes on.

    ``reply_to`` is the client's id of the message at fault, where it could be read.
    """

    def __init__(
        self,
        code: Code,
        *,
        field: str | None = None,
        reply_to: str | None = None,
        resets_at: str | None = None,
        retry_after: float | None = None,
        reference: str | None = None,
        voice_session_id: str | None = None,
        segment_index: int | None = None,
    ) -> None:
        super().__init__(code.value if field is None else f"{code.value} ({field})")
        self.code = code
        self.field = field
        self.reply_to = reply_to
        self.resets_at = resets_at
        self.retry_after = retry_after
        self.reference = reference
        self.voice_session_id = voice_session_id
        self.segment_index = segment_index

    @property
    def malformed(self) -> bool:
        """Whether this counts toward the run of bad messages that closes a connection."""
        return self.code in (Code.BAD_MESSAGE, Code.MISSING_FIELD, Code.BAD_FIELD)

    def about(self, reply_to: str | None) -> "Fault":
        """Name the message at fault, if that is not known yet."""
        self.reply_to = self.reply_to or reply_to
        return self

    def about_slice(self, voice_session_id: str | None, segment_index: int | None) -> "Fault":
        """Name the slice at fault, as far as it could be read."""
        self.voice_session_id = self.voice_session_id or voice_session_id
        if self.segment_index is None:
            self.segment_index = segment_index
        return self
