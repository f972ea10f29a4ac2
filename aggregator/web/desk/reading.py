"""New texts are held against the wire at once, and waited for no longer than a page may take."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta

from starlette.requests import Request

from aggregator.flows.suggest import suggest_named
from aggregator.web.context import Service

log = logging.getLogger(__name__)

#: So long a page waits for what is found in a new text. What is found later comes to it by itself.
PATIENCE = timedelta(milliseconds=400)


@dataclass(slots=True)
class Readings:
    """The briefs that are being read in this process, each by one task."""

    service: Service
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def begin(self, slug: str) -> asyncio.Task[None]:
        """Read the newest text of a brief, unless that is under way."""
        task = self._running.get(slug)
        if task is None:
            task = self._running[slug] = asyncio.create_task(self._read(slug))
        return task

    async def read(self, slug: str) -> None:
        """Read the newest text of a brief; while that goes on for longer, it goes on by itself."""
        await asyncio.wait([self.begin(slug)], timeout=PATIENCE.total_seconds())

    async def _read(self, slug: str) -> None:
        service = self.service
        try:
            # Again, where somebody saved another text meanwhile.
            while await suggest_named(service.database, service.clock, slug):
                pass
        except Exception:
            # The schedule reads it again; the page says so until then.
            log.exception("a brief could not be read", extra={"brief": slug})
        finally:
            self._running.pop(slug, None)


def readings_of(request: Request) -> Readings:
    """The readings of the process that a request came to."""
    found = request.app.state.readings
    assert isinstance(found, Readings)  # noqa: S101 - put there by `make_service`
    return found
