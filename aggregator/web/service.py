"""The web service, put together: documents in front, then pages and the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator import __version__
from aggregator.flows.catalogue import Declared, Keeper
from aggregator.flows.ingest import FetchSettings
from aggregator.flows.looking import Looker
from aggregator.flows.oidc_provider import OidcSettings
from aggregator.flows.passwords import Passwords
from aggregator.flows.push import PushSettings
from aggregator.flows.upkeep import KeepSettings
from aggregator.model import Clock
from aggregator.rules.channels import Channel, Site
from aggregator.rules.topics import Topic
from aggregator.store import notices
from aggregator.store.database import Database
from aggregator.web import (
    api,
    bounds,
    described,
    embed,
    health,
    hub,
    metrics,
    opml,
    pages,
    partners,
    problems,
    static,
)
from aggregator.web.context import Service
from aggregator.web.desk import (
    asked,
    audit,
    briefs,
    events,
    oidc,
    passkeys,
    people,
    publishing,
    signing_in,
    source_add,
    sources,
    today,
    views,
    wire,
    you,
)
from aggregator.web.desk import channels as desk_channels
from aggregator.web.desk import partners as desk_partners
from aggregator.web.desk import topics as topic_pages
from aggregator.web.desk.reading import Readings
from aggregator.web.documents import Documents
from aggregator.web.keys import Meter
from aggregator.web.live import PATH as EVENTS
from aggregator.web.live import Live
from aggregator.web.policies import SECURITY, UNDER_TLS
from aggregator.web.requests import ARCHIVE, DOCUMENT, Watched, note_poll, set_route
from aggregator.web.settings import MetricsSettings, ServeSettings

#: Everything that is answered by a route, in the order in which it is looked for.
ROUTERS = (
    pages.router,
    health.router,
    metrics.router,
    embed.router,
    opml.router,
    static.router,
    api.router,
    partners.router,
    hub.router,
    source_add.router,
    sources.router,
    signing_in.router,
    passkeys.router,
    oidc.router,
    you.router,
    people.router,
    audit.router,
    today.router,
    desk_channels.router,
    desk_partners.router,
    wire.router,
    views.router,
    briefs.router,
    publishing.router,
    events.router,
    topic_pages.router,
)


def make_service(
    database: Database,
    clock: Clock,
    site: Site,
    serve: ServeSettings,
    channels: Sequence[Channel],
    topics: Sequence[Topic],
    push: PushSettings | None = None,
    keep: KeepSettings | None = None,
    fetch: FetchSettings | None = None,
    soon: Callable[[str], None] | None = None,
    seen: MetricsSettings | None = None,
    passwords: Passwords | None = None,
    sign_in: OidcSettings | None = None,
) -> Front:
    """The ASGI application that readers, partners and subscribers talk to."""
    app = FastAPI(
        title=site.title,
        version=__version__,
        openapi_url="/api/openapi.json",
        # Both would load their scripts from another site.
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(bounds.require_readable)],
    )
    keeper = Keeper(database, clock, Declared(topics, channels))
    service = Service(database, clock, site, serve, keeper, push or PushSettings(), Meter(clock))
    service = replace(service, keep=keep or service.keep, soon=soon or service.soon)
    service = replace(service, looker=Looker.of(fetch) if fetch else service.looker)
    service = replace(service, passwords=passwords or service.passwords)
    service = replace(service, oidc=oidc.provider_of(sign_in, clock, site))
    app.state.service = service
    app.state.throttle = signing_in.Throttle.of(clock)
    app.state.asks = signing_in.Failures(clock, most=asked.MOST_ASKED)
    app.state.readings = Readings(service)
    app.state.streams = streams = events.Streams()
    app.state.readiness = health.Readiness(database)
    for router in ROUTERS:
        app.include_router(router)
    problems.handle(app)
    described.describe(app)
    documents = Documents(service)
    live = Live(documents.shelf, service)
    app.state.metrics = metrics.Metrics(
        database, clock, seen, lambda: {"channels": live.open, "desk": streams.open}
    )
    return Front(documents, service, live, streams, bounds.bounded(app))


#: What is answered without a look at what editors defined, which asks the database too.
_UNASKING = health.PROBES | {metrics.PATH}


class Front:
    """Documents and events are answered here, without a router; everything else goes on to the pages."""

    def __init__(
        self, documents: Documents, service: Service, live: Live, streams: events.Streams, pages: ASGIApp
    ) -> None:
        self.documents = documents
        self.keeper = service.keeper
        self.live = live
        self.streams = streams
        self.pages = _secured(pages, service.site)
        self._events = _secured(live, service.site)
        self._watched = Watched(self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI), with the topics and channels that hold now."""
        began = perf_counter()
        known = self.documents.remembered(scope)
        if known is None:
            await self._watched(scope, receive, send)
            return
        for message in known:
            await send(message)
        note_poll(known[0]["status"], began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in _UNASKING:
            # A database that hangs must not make this process look dead, nor hide its figures.
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
        path = scope["path"]
        if path == EVENTS:
            set_route(scope, EVENTS)
            return self._events
        if not self.documents.owns(path):
            return self.pages
        set_route(scope, ARCHIVE if "/archive/" in path else DOCUMENT)
        return self.documents


def _secured(app: ASGIApp, site: Site) -> ASGIApp:
    """The application with `SECURITY` on whatever it answers, its errors included.

    What an answer says itself holds: a page that others may frame, a page that hears events.
    """

    always = [*SECURITY, *(UNDER_TLS if site.url.startswith("https://") else ())]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = list(message.get("headers", ()))
                names = {name for name, _ in said}
                message["headers"] = [*said, *(header for header in always if header[0] not in names)]
            await send(message)

        await app(scope, receive, add)

    return answer
