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
from aggregator.web import api, hub, pages, partners, problems, static
from aggregator.web.answers import encode
from aggregator.web.context import Holder, Service
from aggregator.web.documents import Documents
from aggregator.web.keys import Meter
from aggregator.web.settings import ServeSettings

#: On everything but documents. Nothing is loaded from elsewhere, and nothing runs in the page.
SECURITY = encode(
    [
        (
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'",
        ),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ]
)


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
    for router in (pages.router, static.router, api.router, partners.router, hub.router):
        app.include_router(router)
    problems.handle(app)
    return Front(Documents(service), _secured(app))


class Front:
    """Documents are answered here, without a router; everything else goes on to the pages."""

    def __init__(self, documents: Documents, pages: ASGIApp) -> None:
        self.documents = documents
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        is_document = scope["type"] == "http" and self.documents.owns(scope["path"])
        await (self.documents if is_document else self.pages)(scope, receive, send)


def _secured(app: ASGIApp) -> ASGIApp:
    """The application with `SECURITY` on whatever it answers, its errors included."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *SECURITY]
            await send(message)

        await app(scope, receive, add)

    return answer
