"""Saved views of the wire: kept under a name, forgotten again, and read as a feed."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from aggregator.errors import BadInput
from aggregator.flows import desk_wire
from aggregator.flows.desk_wire import Event
from aggregator.rules.channels import Site
from aggregator.rules.wire_views import view_of
from aggregator.store import saved_views
from aggregator.store.saved_views import SavedView
from aggregator.web.answers import compressed, make_resource
from aggregator.web.desk.frame import Decider, Here, Sent, led_to
from aggregator.web.desk.wire import ROWS, wire_page
from aggregator.web.desk.wire_shown import line_title
from aggregator.web.static import as_response
from feeds.model import Category, Entry, Feed, Link, Person, Text
from feeds.urls import absolute
from feeds.write import render

router = APIRouter(prefix="/desk/views", include_in_schema=False)

#: Whoever has the address may read the feed; no cache between may keep it, and no search engine list it.
_PRIVATE = [("Cache-Control", "private, no-cache"), ("X-Robots-Tag", "noindex")]


@router.post("")
async def save_view(service: Here, who: Decider, sent: Sent) -> Response:
    """Keep what the wire was asked for under a name."""
    view, name = view_of(sent.get("query", "")), sent.get("name", "")
    try:
        await desk_wire.save_view(service.database, service.clock, name, view, by=who.account.name)
    except BadInput as error:
        return await wire_page(service, who, view, status=400, problem=str(error), typed={"name": name})
    return led_to(service, "/desk/wire" + (f"?{view.query}" if view.query else ""))


@router.post("/{number}/remove")
async def remove_view(number: str, service: Here, who: Decider, sent: Sent) -> Response:
    """Forget a saved view; its feed ends with it."""
    await desk_wire.remove_view(service.database, service.clock, number, by=who.account.name)
    view = view_of(sent.get("query", ""))
    return led_to(service, "/desk/wire" + (f"?{view.query}" if view.query else ""))


@router.api_route("/{key}.atom", methods=["GET", "HEAD"])
async def feed(key: str, request: Request, service: Here) -> Response:
    """A saved view as a feed. Feed readers sign in nowhere: the address itself is the key.

    Raises:
        HTTPException: 404, there is no such view, or it was removed.
    """
    view = await service.database.read(lambda session: saved_views.by_key(session, key))
    if view is None:
        raise HTTPException(404)
    asked, now = view_of(view.query), service.clock()
    page = await service.database.read(lambda session: desk_wire.wire(session, asked, now=now, limit=ROWS))
    topics = {slug: compiled.topic.title for slug, compiled in service.topics.items()}
    document = render(_feed(view, page.events, service.site, topics), "atom")
    resource = make_resource(compressed(document.body), document.media_type, headers=_PRIVATE)
    return as_response(request, resource)


def _feed(view: SavedView, events: tuple[Event, ...], site: Site, topics: dict[str, str]) -> Feed:
    entries = tuple(_entry(event, site, topics) for event in events)
    wire = site.page("desk/wire" + (f"?{view.query}" if view.query else ""))
    return Feed(
        id=site.tag(f"view/{view.id}"),
        title=f"{view.name} · {site.title}",
        links=(
            Link(wire, type="text/html"),
            Link(site.page(f"desk/views/{view.key}.atom"), "self", "application/atom+xml"),
        ),
        # It moves with the stories alone: read twice, the same wire gives the same bytes.
        updated=max((entry.updated for entry in entries if entry.updated), default=view.saved_at),
        authors=(Person(site.author),),
        language=site.language,
        entries=entries,
    )


def _entry(event: Event, site: Site, topics: dict[str, str]) -> Entry:
    """An event by its newest story: a new story of it is news of the same entry."""
    line = event.line
    own = Link(site.page(f"desk/wire/{event.root}"), "related", "text/html")
    href = absolute(line.url)
    page = Link(href, type="text/html", hreflang=line.language) if href else Link(own.href, type="text/html")
    return Entry(
        id=site.tag(f"event/{event.root}"),
        title=line_title(line),
        links=(page, own),
        summary=Text(line.summary) if line.summary else None,
        published=line.at,
        updated=max(line.at, line.changed_at if line.versions > 1 else line.at),
        authors=(Person(line.source_name),),
        categories=tuple(
            Category(slug, site.page("topics"), topics[slug]) for slug in line.topics if slug in topics
        ),
        language=line.language,
    )
