"""The web service, put together: documents in front, then pages and the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator import __version__
from aggregator.model import Account, Clock
from aggregator.rules.channels import Channel, Site
from aggregator.rules.topics import CompiledTopic, Topic, compile_topic
from aggregator.store.database import Database
from aggregator.web.answers import encode
from aggregator.web.documents import Documents
from aggregator.web.settings import ServeSettings

Holder = Callable[[str], Awaitable[Account | None]]

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


@dataclass(frozen=True, slots=True)
class Service:
    """What every page and every call of the API is handed."""

    database: Database
    clock: Clock
    site: Site
    serve: ServeSettings
    channels: Sequence[Channel]
    #: By slug, in the order of the settings.
    topics: Mapping[str, CompiledTopic]
    #: Whose key this is.
    holder: Holder

    @property
    def base(self) -> str:
        """What stands before every path of ours: "" unless the site lives below another one."""
        return urlsplit(self.site.url).path.rstrip("/")


def make_service(
    database: Database,
    clock: Clock,
    site: Site,
    serve: ServeSettings,
    channels: Sequence[Channel],
    topics: Sequence[Topic],
    holder: Holder,
) -> ASGIApp:
    """The ASGI application that readers, partners and subscribers talk to."""
    # Imported here, since pages and the API are built upon `Service`.
    from aggregator.web import api, pages, problems, static

    app = FastAPI(
        title=site.title,
        version=__version__,
        openapi_url="/api/openapi.json",
        # Both would load their scripts from another site.
        docs_url=None,
        redoc_url=None,
    )
    compiled = {topic.slug: compile_topic(topic) for topic in topics}
    app.state.service = Service(database, clock, site, serve, channels, compiled, holder)
    for router in (pages.router, static.router, api.router):
        app.include_router(router)
    problems.handle(app)
    return Front(Documents(database, clock, site, serve, channels), _secured(app))


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service = request.app.state.service
    assert isinstance(service, Service)  # noqa: S101 - put there by `make_service`
    return service


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
