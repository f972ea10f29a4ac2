"""The web service, put together: documents in front, then pages and the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator import __version__
from aggregator.flows.catalogue import Declared, Keeper
from aggregator.flows.ingest import FetchSettings
from aggregator.flows.looking import Looker
from aggregator.flows.push import PushSettings
from aggregator.flows.upkeep import KeepSettings
from aggregator.model import Clock
from aggregator.rules.channels import Channel, Site
from aggregator.rules.topics import Topic
from aggregator.store import notices
from aggregator.store.database import Database
from aggregator.web import api, embed, health, hub, opml, pages, partners, problems, static
from aggregator.web.context import Holder, Service
from aggregator.web.desk import (
    briefs,
    events,
    publishing,
    signing_in,
    source_add,
    sources,
    today,
    views,
    wire,
)
from aggregator.web.desk import channels as desk_channels
from aggregator.web.desk import partners as desk_partners
from aggregator.web.desk import topics as topic_pages
from aggregator.web.desk.reading import Readings
from aggregator.web.documents import Documents
from aggregator.web.keys import Meter
from aggregator.web.live import PATH as EVENTS
from aggregator.web.live import Live
from aggregator.web.policies import SECURITY
from aggregator.web.settings import ServeSettings


def make_service(
    database: Database,
    clock: Clock,
    site: Site,
    serve: ServeSettings,
    channels: Sequence[Channel],
    topics: Sequence[Topic],
    holder: Holder,
    push: PushSettings | None = None,
    keep: KeepSettings | None = None,
    fetch: FetchSettings | None = None,
    soon: Callable[[str], None] | None = None,
) -> Front:
    """The ASGI application that readers, partners and subscribers talk to."""
    app = FastAPI(
        title=site.title,
        version=__version__,
        openapi_url="/api/openapi.json",
        # Both would load their scripts from another site.
        docs_url=None,
        redoc_url=None,
    )
    keeper = Keeper(database, clock, Declared(topics, channels))
    service = Service(database, clock, site, serve, keeper, holder, push or PushSettings(), Meter(clock))
    service = replace(service, keep=keep or service.keep, soon=soon or service.soon)
    service = replace(service, looker=Looker.of(fetch) if fetch else service.looker)
    app.state.service = service
    app.state.failures = signing_in.Failures(clock)
    app.state.readings = Readings(service)
    app.state.streams = streams = events.Streams()
    app.state.readiness = health.Readiness(database)
    for router in (
        pages.router,
        health.router,
        embed.router,
        opml.router,
        static.router,
        api.router,
        partners.router,
        hub.router,
        source_add.router,
        sources.router,
        signing_in.router,
        today.router,
        desk_channels.router,
        desk_partners.router,
        wire.router,
        views.router,
        briefs.router,
        publishing.router,
        events.router,
        topic_pages.router,
    ):
        app.include_router(router)
    problems.handle(app)
    documents = Documents(service)
    return Front(documents, keeper, Live(documents.shelf, service), streams, _secured(app))


class Front:
    """Documents and events are answered here, without a router; everything else goes on to the pages."""

    def __init__(
        self, documents: Documents, keeper: Keeper, live: Live, streams: events.Streams, pages: ASGIApp
    ) -> None:
        self.documents = documents
        self.keeper = keeper
        self.live = live
        self.streams = streams
        self.pages = pages
        self._events = _secured(live)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI), with the topics and channels that hold now."""
        known = self.documents.remembered(scope)
        if known is not None:
            for message in known:
                await send(message)
            return
        if scope["type"] == "http" and scope["path"] in health.PROBES:
            # A database that hangs must not make this process look dead.
            await self.pages(scope, receive, send)
            return
        await self.documents.follow()
        await self._endpoint(scope)(scope, receive, send)

    def hear(self, notice: str) -> None:
        """Look again where a notice says so (`aggregator.store.notices`)."""
        if notice in (notices.ALL, notices.LOST):
            self.documents.shelf.is_told = notice == notices.ALL
        if notice in (notices.DOCUMENTS, notices.ALL):
            self.documents.shelf.doubt()
        if notice in (notices.DEFINITIONS, notices.ALL):
            self.keeper.doubt()
        if notice in (notices.DOCUMENTS, notices.DEFINITIONS, notices.ALL):
            self.live.stir()
        if notice in (notices.DESK, notices.ALL):
            self.streams.stir()

    def close(self) -> None:
        """End what would go on for as long as its client stays, since the server ends."""
        self.live.close()
        self.streams.close()

    def _endpoint(self, scope: Scope) -> ASGIApp:
        if scope["type"] != "http":
            return self.pages
        if scope["path"] == EVENTS:
            return self._events
        return self.documents if self.documents.owns(scope["path"]) else self.pages


def _secured(app: ASGIApp) -> ASGIApp:
    """The application with `SECURITY` on whatever it answers, its errors included.

    What an answer says itself holds: a page that others may frame, a page that hears events.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = list(message.get("headers", ()))
                names = {name for name, _ in said}
                message["headers"] = [*said, *(header for header in SECURITY if header[0] not in names)]
            await send(message)

        await app(scope, receive, add)

    return answer
