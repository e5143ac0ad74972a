"""What every session works with, built once by the composition root."""

import logging
from dataclasses import dataclass
from datetime import tzinfo

from lifeecho_server.clock import Clock
from lifeecho_server.inference import Inference
from lifeecho_server.interview.bank import Bank
from lifeecho_server.session.banks import Banks
from lifeecho_server.session.recogniser import Recogniser
from lifeecho_server.session.seats import Seats
from lifeecho_server.session.voice import VoiceSessions
from lifeecho_server.settings import Plan, Settings, SettingsError
from lifeecho_server.store.people import User
from lifeecho_server.store.recordings import RecordingFiles
from lifeecho_server.store.store import Store

log = logging.getLogger("lifeecho.session")


@dataclass(frozen=True, slots=True)
class Services:
    """The server's parts; ``timezone`` says when a day begins."""

    settings: Settings
    clock: Clock
    store: Store
    files: RecordingFiles
    inference: Inference
    recogniser: Recogniser
    voice: VoiceSessions
    seats: Seats
    banks: Banks
    timezone: tzinfo
    secret: bytes

    def bank(self, language: str) -> Bank:
        """Return the question bank of a language (BCP 47), once that is ready."""
        return self.banks.of(language)

    def plan_of(self, user: User) -> Plan:
        """Return a user's plan; one that the settings no longer define limits nothing."""
        try:
            return self.settings.plan(user.plan)
        except SettingsError:
            log.warning("plan of user=%s is not in the settings", user.id)
            return Plan()
