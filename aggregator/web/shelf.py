"""Documents in memory: at most four times a second the store is asked which of them changed.

Where the store tells of each change (`is_told`), it is asked then, and rarely besides.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from aggregator.flows.views import Changed, changed_documents
from aggregator.model import Clock
from aggregator.outgoing import StoredDocument
from aggregator.store.database import Database, StoreError
from aggregator.web.answers import Resource

log = logging.getLogger(__name__)

#: How long the copies in memory are taken for fresh.
FRESH = timedelta(milliseconds=250)
#: And how long where each change is told.
TOLD_FRESH = timedelta(seconds=5)

#: How long a request waits for the store, in seconds, where something is held.
PATIENCE = 0.05

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """A document in memory."""

    #: Of the plain body, as it is stored.
    etag: str
    resource: Resource
    #: The id and the revision of every entry in it.
    holds: tuple[tuple[str, int], ...]
    last_modified: datetime


class Shelf:
    """Documents in memory, as fresh as a moment ago."""

    def __init__(self, database: Database, clock: Clock, make: Callable[[StoredDocument], Held]) -> None:
        self._database = database
        self._clock = clock
        self._make = make
        self._held: dict[Key, Held] = {}
        #: Rises whenever what is held changes.
        self.revision = 0
        #: Whether `doubt` is called whenever a document changes, whoever changed it.
        self.is_told = False
        self._doubts = 0
        self._checked: datetime | None = None
        self._checking: asyncio.Task[None] | None = None
        self._failure: StoreError | None = None

    async def stamps(self) -> dict[Key, str]:
        """The ETag of every document, as fresh as a moment ago."""
        if self.is_due:
            await self._check()
        return {key: held.etag for key, held in self._held.items()}

    async def get(self, channel: str, format: str) -> Held | None:
        """The document, or None where it was never rendered.

        While the store does not answer, what is held goes on being served.

        Raises:
            StoreError: the store does not answer, and this document is not held.
        """
        if self.is_due:
            await self._check()
        held = self._held.get((channel, format))
        if held is None and self._failure is not None:
            raise self._failure
        return held

    def forget(self, channels: Collection[str]) -> None:
        """Take the documents of these channels anew."""
        if channels:
            self._held = {key: held for key, held in self._held.items() if key[0] not in channels}
            self._checked = None
            self.revision += 1

    def doubt(self) -> None:
        """Ask the store at the next request: a document changed."""
        self._doubts += 1
        self._checked = None

    @property
    def is_due(self) -> bool:
        """Whether it is time to ask the store again."""
        fresh = TOLD_FRESH if self.is_told else FRESH
        # A clock that was set back must not stop the checks, so the distance counts.
        return self._checked is None or abs(self._clock() - self._checked) >= fresh

    async def _check(self) -> None:
        """Ask the store once, however many requests are waiting for the answer.

        Where it is busy with other things, what is held is served meanwhile.
        """
        if self._checking is None:
            self._checking = asyncio.create_task(self._refresh())
            self._checking.add_done_callback(self._forget_check)
        # Not awaited itself: a client that goes away must not take the check from the others.
        await asyncio.wait({self._checking}, timeout=PATIENCE if self._held else None)

    def _forget_check(self, _done: asyncio.Task[None]) -> None:
        self._checking = None

    async def _refresh(self) -> None:
        known = {key: held.etag for key, held in self._held.items()}
        doubts = self._doubts
        try:
            changed = await self._database.read(partial(changed_documents, known=known))
        except StoreError as error:
            log.warning("documents could not be checked", extra={"reason": str(error)})
            self._failure = error
        else:
            self._failure = None
            self._take(changed)
        # What changed while the store was asked is not in its answer.
        self._checked = self._clock() if doubts == self._doubts else None

    def _take(self, changed: Changed) -> None:
        self.revision += bool(changed.gone or changed.new)
        for key in changed.gone:
            # It may have been forgotten while the store was asked.
            self._held.pop(key, None)
        for document in changed.new:
            self._held[document.channel, document.format] = self._make(document)
