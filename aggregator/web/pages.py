"""The public pages: the newsroom, its channels, its briefs, its topics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import cache, partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from aggregator.flows import views
from aggregator.rules.channels import Site
from aggregator.web import live, shown, static
from aggregator.web.answers import Resource, compressed, make_resource
from aggregator.web.context import Service, Stamps, service_of
from aggregator.web.linked_data import as_script, news_article
from aggregator.web.locales import Reading, interface_of, translations
from aggregator.web.policies import WITH_EVENTS, WITH_TIMES
from feeds.dates import rfc3339
from feeds.model import Feed

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

    async def show(stamps: Stamps) -> dict[str, object]:
        feed = await service.database.read(
            lambda session: views.newest(session, service.public, service.site, limit=NEWEST)
        )
        return {"days": _days(feed, service), "events": live.address(stamps, service.public)}

    return await remembered(request, service, "front.html", show, headers=WITH_EVENTS)


@page("/channels/{slug}")
async def channel(slug: str, request: Request, service: Here) -> Response:
    """A channel as a page: the same entries as its document."""
    if moved := moved_to(service, slug):
        return RedirectResponse(service.site.page(f"channels/{moved}"), HTTPStatus.MOVED_PERMANENTLY)
    found = next((channel for channel in service.public if channel.slug == slug), None)
    if found is None:
        has_ended = service.catalogue.has_ended(slug)
        raise HTTPException(HTTPStatus.GONE if has_ended else HTTPStatus.NOT_FOUND)

    async def show(stamps: Stamps) -> dict[str, object]:
        feed = await service.database.read(lambda session: views.channel_feed(session, found, service.site))
        return {
            "channel": found,
            "feeds": shown.alternates([found], service.site),
            "snippet": shown.frame_snippet(found, service.site),
            "days": _days(feed, service),
            "events": live.address(stamps, service.public, one=slug),
        }

    return await remembered(request, service, "channel.html", show, headers=WITH_EVENTS)


@page("/briefs/{slug}")
async def brief(slug: str, request: Request, service: Here) -> Response:
    """A brief as it was last published, with its sources; 410 and the notice once it is withdrawn."""
    found = await service.database.read(lambda session: views.published_brief(session, slug, service.topics))
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    seen = shown.brief_shown(found)
    if seen.is_withdrawn:
        body = render(service, "withdrawn.html", brief=seen)
        headers = {"Cache-Control": "no-cache", **dict(WITH_TIMES)}
        return Response(body, HTTPStatus.GONE, headers, _HTML)
    titles = {slug: compiled.topic.title for slug, compiled in service.topics.items()}
    # Escaped by `as_script` for where it stands; escaped as HTML it would be no JSON.
    data = Markup(as_script(news_article(found, service.site, titles)))  # noqa: S704
    locale = shown.og_locale(seen.language, service.site.language)
    return await _page(request, service, "brief.html", brief=seen, linked_data=data, og_locale=locale)


@page("/topics/{slug}")
async def topic(slug: str, request: Request, service: Here) -> Response:
    """A topic: what it takes, and its newest stories, each with why it is in."""
    if slug not in service.topics:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    asked = service.topics[slug].topic
    taken = await service.database.read(lambda session: views.taken_by_topic(session, slug, limit=IN_TOPIC))
    days = shown.by_day(shown.story_row(one.story, one.why) for one in taken)
    conditions = shown.conditions(asked)
    return await _page(request, service, "topic.html", topic=asked, conditions=conditions, days=days)


def shared_reading(site: Site) -> Reading:
    """How public pages are made: one serves all readers, in the site's language where it can."""
    return Reading(interface_of(site.language), is_shared=True)


def render(service: Service, template: str, **values: object) -> bytes:
    """A page with what every page shows."""
    reading = shared_reading(service.site)
    context = {
        **reading.context(),
        "site": service.site,
        "base": service.base,
        "channels": service.public,
        "feeds": shown.alternates(service.public, service.site),
        "topics": {slug: compiled.topic for slug, compiled in service.topics.items()},
        "version": static.version,
        "sources": service.serve.opml,
        # Where the page hears what is new; None where it does not listen.
        "events": None,
        # Whether it shows times, which a script rewrites for its reader.
        "has_times": True,
        **values,
    }
    return environment(reading.language).get_template(template).render(context).encode()


@cache
def environment(language: str = "en") -> Environment:
    """The templates in a language: all text is escaped, and what is not there is an error."""
    found = Environment(
        loader=PackageLoader("aggregator.web"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["rfc3339"] = rfc3339
    # The methods are those of the extension, which jinja2's types do not know.
    found.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return found


def moved_to(service: Service, slug: str) -> str | None:
    """The name that a public channel has now, where this is one that it had before."""
    return next((one.slug for one in service.public if slug in one.formerly), None)


async def remembered(
    request: Request,
    service: Service,
    template: str,
    show: Callable[[Stamps], Awaitable[dict[str, object]]],
    *,
    key: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> Response:
    """A page of entries, made anew only when a document changed: its channels say the same as it.

    `show` gives what the template shows; `key` tells pages of one path apart.
    """
    key = key or request.url.path
    upto = service.catalogue.upto
    stamps = await service.database.read(views.document_stamps)
    known = service.pages.get(key)
    if known is None or known[0] != (upto, stamps):
        known = ((upto, stamps), await _made(service, template, headers, **await show(stamps)))
        service.pages[key] = known
    return static.as_response(request, known[1])


def _days(feed: Feed, service: Service) -> list[shown.Day]:
    return shown.by_day(shown.rows_of(feed, service.site, service.base))


async def _page(request: Request, service: Service, template: str, **values: object) -> Response:
    return static.as_response(request, await _made(service, template, WITH_TIMES, **values))


async def _made(
    service: Service, template: str, headers: Iterable[tuple[str, str]], **values: object
) -> Resource:
    """A page, rendered and compressed on a thread, so that the event loop stays free."""
    about = {"Cache-Control": "no-cache", **dict(headers)}

    def make() -> Resource:
        body = render(service, template, **values)
        return make_resource(compressed(body), _HTML, headers=about.items())

    return await asyncio.to_thread(make)
