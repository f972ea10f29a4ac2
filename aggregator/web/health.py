"""Whether the service works, for whoever watches it: an orchestrator, a proxy, people.

Three questions, since three different things follow. A process that does not answer `/alive` is started
anew; one that is not `/ready` is sent nobody for a while; what `/health` says somebody looks into.
"""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aggregator import __version__
from aggregator.flows import views
from aggregator.store import schema
from aggregator.store.database import Database, StoreError, StoreFull, StoreUnusable
from aggregator.web.context import Service, service_of
from feeds.dates import rfc3339

router = APIRouter(include_in_schema=False)
page = partial(router.api_route, methods=["GET", "HEAD"])

Here = Annotated[Service, Depends(service_of)]

#: What is answered without a look at what editors defined, which asks the database too.
PROBES = frozenset({"/alive", "/ready"})

#: How long `/ready` waits for the database, in seconds: shorter than whoever asks is patient.
PATIENCE = 2.0


@page("/alive")
async def alive() -> Response:
    """Whether this process answers; nothing is asked of the database."""
    return _well()


@page("/ready")
async def ready(request: Request) -> Response:
    """Whether this process can answer everything: the database is there, and as this program expects it."""
    readiness: Readiness = request.app.state.readiness
    fault = await readiness.fault()
    return _well() if fault is None else _failing(fault)


@page("/health")
async def health(service: Here) -> Response:
    """How the service as a whole is doing, in figures."""
    try:
        found = await service.database.read(views.health)
    except StoreError as error:
        return _failing(_reason(error))
    return _well(
        stories=found.stories,
        sources=found.sources,
        failing=found.failing,
        last_fetch=rfc3339(found.last_fetch) if found.last_fetch else None,
    )


class Readiness:
    """What keeps a process from answering everything: one look at the database for all who ask at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looking: asyncio.Task[str | None] | None = None

    async def fault(self) -> str | None:
        """Why it is not ready, as a sentence; None where it is. Told within `PATIENCE`."""
        # While the database hangs, askers must not queue up behind one another.
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        done, _ = await asyncio.wait({self._looking}, timeout=PATIENCE)
        if not done:
            return "The database does not answer in time."
        return self._looking.result()

    async def _look(self) -> str | None:
        try:
            found = await self._database.read(schema.revision)
        except StoreError as error:
            return _reason(error)
        wanted = schema.head()
        if found is None:
            return "The database holds no tables of wirebrief: run `wirebrief init`."
        if found != wanted:
            return f"The database is that of another wirebrief (schema {found}); this one needs {wanted}."
        return None


def _well(**figures: object) -> Response:
    return _said(HTTPStatus.OK, {"status": "ok", "version": __version__, **figures})


def _failing(reason: str) -> Response:
    said: dict[str, object] = {"status": "failing", "version": __version__, "reason": reason}
    return _said(HTTPStatus.SERVICE_UNAVAILABLE, said)


def _said(status: HTTPStatus, said: dict[str, object]) -> Response:
    return JSONResponse(said, status, {"Cache-Control": "no-store"})


def _reason(error: StoreError) -> str:
    """Why the database fails, in words that tell a stranger nothing about the machine."""
    match error:
        case StoreFull():
            return "The disk that holds the database is full or failing."
        case StoreUnusable():
            return "The database cannot be opened or read."
        case _:
            return "The database refuses to work."
