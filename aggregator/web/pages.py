"""The public pages: the newsroom, its channels, its briefs, its topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aggregator import __version__
from aggregator.flows import views
from aggregator.rules.channels import Channel
from aggregator.store.database import StoreError, StoreFull, StoreUnusable
from aggregator.web import shown, static
from aggregator.web.answers import compressed, make_resource
from aggregator.web.service import Service, service_of
from feeds.dates import rfc3339

router = APIRouter(include_in_schema=False)
page = partial(router.api_route, methods=["GET", "HEAD"])

Here = Annotated[Service, Depends(service_of)]

#: Entries on the front page, and stories on the page of a topic.
NEWEST = 20
IN_TOPIC = 50

_HTML = "text/html; charset=utf-8"


@page("/")
async def front(request: Request, service: Here) -> Response:
    """Who publishes here, what can be subscribed to, and the newest of all channels."""
    # The newest of what the channels carry: what no channel takes is not published.
    newest = _everything(service.channels)

    def read(session: Any) -> bytes:
        rows = []
        if newest is not None:
            feed = views.channel_feed(session, newest, service.site, service.topics)
            rows = shown.rows_of(feed, service.site, service.base)
        return render(service, "front.html", days=shown.by_day(rows))

    return await _answer(request, service, read)


@page("/channels/{slug}")
async def channel(slug: str, request: Request, service: Here) -> Response:
    """A channel as a page: the same entries as its document."""
    found = next((channel for channel in service.channels if channel.slug == slug), None)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)

    def read(session: Any) -> bytes:
        feed = views.channel_feed(session, found, service.site, service.topics)
        rows = shown.rows_of(feed, service.site, service.base)
        return render(service, "channel.html", channel=found, days=shown.by_day(rows))

    return await _answer(request, service, read)


@page("/briefs/{slug}")
async def brief(slug: str, request: Request, service: Here) -> Response:
    """A brief as it was last published, with its sources; 410 and the notice once it is withdrawn."""

    def read(session: Any) -> tuple[bytes, bool]:
        found = views.published_brief(session, slug, service.topics)
        if found is None:
            return b"", False
        seen = shown.brief_shown(found)
        return render(service, "withdrawn.html" if seen.is_withdrawn else "brief.html", brief=seen), (
            seen.is_withdrawn
        )

    body, is_withdrawn = await service.database.read(read)
    if is_withdrawn:
        return Response(body, HTTPStatus.GONE, {"Cache-Control": "no-cache"}, _HTML)
    if not body:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _ready(request, body)


@page("/topics/{slug}")
async def topic(slug: str, request: Request, service: Here) -> Response:
    """A topic: what it takes, and its newest stories, each with why it is in."""
    if slug not in service.topics:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    asked = service.topics[slug].topic

    def read(session: Any) -> bytes:
        taken = views.taken_by_topic(session, slug, limit=IN_TOPIC)
        days = shown.by_day(shown.story_row(one.story, one.why) for one in taken)
        return render(service, "topic.html", topic=asked, conditions=shown.conditions(asked), days=days)

    return await _answer(request, service, read)


@page("/health")
async def health(service: Here) -> Response:
    """Whether the service works, for whoever watches it."""
    try:
        found = await service.database.read(views.health)
    except StoreError as error:
        said = {"status": "failing", "version": __version__, "reason": _reason(error)}
        return JSONResponse(said, HTTPStatus.SERVICE_UNAVAILABLE, {"Cache-Control": "no-store"})
    said = {
        "status": "ok",
        "version": __version__,
        "stories": found.stories,
        "sources": found.sources,
        "failing": found.failing,
        "last_fetch": rfc3339(found.last_fetch) if found.last_fetch else None,
    }
    return JSONResponse(said, headers={"Cache-Control": "no-store"})


def render(service: Service, template: str, **values: Any) -> bytes:
    """A page with what every page shows."""
    context = {
        "site": service.site,
        "base": service.base,
        "channels": service.channels,
        "topics": {slug: compiled.topic for slug, compiled in service.topics.items()},
        "style": static.version(),
        **values,
    }
    return environment().get_template(template).render(context).encode()


@cache
def environment() -> Environment:
    """The templates: all text is escaped, and what is not there is an error."""
    found = Environment(
        loader=PackageLoader("aggregator.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["rfc3339"] = rfc3339
    return found


async def _answer(request: Request, service: Service, read: Any) -> Response:
    """A page that is read and rendered on a reading thread, so that the event loop stays free."""
    return _ready(request, await service.database.read(read))


def _ready(request: Request, body: bytes) -> Response:
    resource = make_resource(compressed(body), _HTML, headers=[("Cache-Control", "no-cache")])
    return static.as_response(request, resource)


def _everything(channels: Any) -> Channel | None:
    """One channel that carries what any of them does; None where there is none."""
    if not channels:
        return None
    carries = {kind for channel in channels for kind in channel.carries}
    topics = {topic for channel in channels for topic in channel.topics}
    languages = {language for channel in channels for language in channel.languages}
    return replace(
        channels[0],
        topics=() if any(not channel.topics for channel in channels) else tuple(sorted(topics)),
        languages=() if any(not channel.languages for channel in channels) else tuple(sorted(languages)),
        carries=tuple(sorted(carries)),
        entries=NEWEST,
    )


def _reason(error: StoreError) -> str:
    """Why the database fails, in words that tell a stranger nothing about the machine."""
    match error:
        case StoreFull():
            return "The disk that holds the database is full or failing."
        case StoreUnusable():
            return "The database cannot be opened or read."
        case _:
            return "The database refuses to work."
