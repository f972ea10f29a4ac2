"""The web service, put together: documents in front, then pages and the API."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator import __version__
from aggregator.flows.push import PushSettings
from aggregator.model import Clock
from aggregator.rules.channels import Channel, Site
from aggregator.rules.topics import Topic, compile_topic
from aggregator.store.database import Database
from aggregator.web import api, embed, hub, opml, pages, partners, problems, static
from aggregator.web.context import Holder, Service
from aggregator.web.desk import briefs, signing_in, wire
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
) -> ASGIApp:
    """The ASGI application that readers, partners and subscribers talk to."""
    app = FastAPI(
        title=site.title,
        version=__version__,
        openapi_url="/api/openapi.json",
        # Both would load their scripts from another site.
        docs_url=None,
        redoc_url=None,
    )
    compiled = {topic.slug: compile_topic(topic) for topic in topics}
    service = Service(
        database, clock, site, serve, channels, compiled, holder, push or PushSettings(), Meter(clock)
    )
    app.state.service = service
    app.state.failures = signing_in.Failures(clock)
    for router in (
        pages.router,
        embed.router,
        opml.router,
        static.router,
        api.router,
        partners.router,
        hub.router,
        signing_in.router,
        wire.router,
        briefs.router,
    ):
        app.include_router(router)
    problems.handle(app)
    documents = Documents(service)
    return Front(documents, Live(documents.shelf, service.public), _secured(app))


class Front:
    """Documents and events are answered here, without a router; everything else goes on to the pages."""

    def __init__(self, documents: Documents, live: Live, pages: ASGIApp) -> None:
        self.documents = documents
        self.live = live
        self.pages = pages
        self._events = _secured(live)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        await self._endpoint(scope)(scope, receive, send)

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
