"""The question banks of the languages that are served, each read once, in a thread.

A bank holds some thousand patterns: compiling them takes as long as all the rest of a start, so the
server listens before it is done, and the first connection waits for what is left.
"""

from collections.abc import Sequence
from pathlib import Path

import trio

from lifeecho_server.interview.bank import Bank


class Banks:
    """Question banks by language; the first of the languages stands for those without one."""

    def __init__(self, languages: Sequence[str], folder: Path | None = None) -> None:
        """Serve these languages, at least one of them; ``folder`` holds files of further ones."""
        self._languages = tuple(languages)
        self._folder = folder
        self._read: dict[str, Bank] = {}
        self._reading = trio.Lock()

    async def read_all(self) -> None:
        """Read every bank. Raises UnknownLanguage."""
        for language in self._languages:
            await self.ready(language)

    async def ready(self, language: str) -> None:
        """Wait until the bank of a language (BCP 47) is there. Raises UnknownLanguage."""
        name = self._name(language)
        async with self._reading:
            if name not in self._read:
                self._read[name] = await trio.to_thread.run_sync(Bank.load, name, self._folder)

    def of(self, language: str) -> Bank:
        """Return the bank of a language. Raises KeyError before it is ``ready``."""
        return self._read[self._name(language)]

    def _name(self, language: str) -> str:
        name = language.partition("-")[0]
        return name if name in self._languages else self._languages[0]
