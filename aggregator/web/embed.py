"""A channel as a small page that other sites put in a frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from aggregator.errors import BadInput
from aggregator.flows import views
from aggregator.web import pages, static
from aggregator.web.context import Service, Stamps, service_of
from aggregator.web.locales import N_
from aggregator.web.policies import framed
from aggregator.web.shown import Row, direction, rows_of

router = APIRouter(include_in_schema=False)

Here = Annotated[Service, Depends(service_of)]

MOST = 50
#: What is shown, and the kinds of rows that it is.
KINDS: Mapping[str, frozenset[str]] = {
    "all": frozenset({"brief", "story", "withdrawn"}),
    # A notice of withdrawal stands in the place of its brief.
    "briefs": frozenset({"brief", "withdrawn"}),
    "stories": frozenset({"story"}),
}
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Asked:
    """How a site wants its list."""

    #: How many entries at most.
    entries: int = 10
    #: A key of `KINDS`.
    kind: str = "all"
    #: One of `THEMES`; auto is as its reader likes it.
    theme: str = "auto"


@router.api_route("/channels/{slug}/embed", methods=["GET", "HEAD"])
async def embed(slug: str, request: Request, service: Here) -> Response:
    """The newest entries of a public channel, for a frame."""
    if moved := pages.moved_to(service, slug):
        there = service.site.page(f"channels/{moved}/embed")
        return RedirectResponse(f"{there}?{request.url.query}", HTTPStatus.MOVED_PERMANENTLY)
    channel = next((one for one in service.public if one.slug == slug), None)
    if channel is None and service.catalogue.has_ended(slug):
        return _problem(service, HTTPStatus.GONE, says=N_("This channel has ended."))
    if channel is None:
        return _problem(service, HTTPStatus.NOT_FOUND, says=N_("There is no such channel."))
    try:
        asked = read_asked(request.query_params)
    except BadInput as error:
        return _problem(service, HTTPStatus.BAD_REQUEST, detail=str(error))

    async def show(_stamps: Stamps) -> dict[str, object]:
        feed = await service.database.read(lambda session: views.channel_feed(session, channel, service.site))
        rows = chosen(rows_of(feed, service.site, service.base), asked)
        says = "" if rows else N_("Nothing has been published here yet.")
        shown = _values(channel.title, asked, rows, says=says, href=f"{service.base}/channels/{slug}")
        return shown | _language(channel.language or service.site.language)

    key = f"{request.url.path}?{asked.entries}&{asked.kind}&{asked.theme}"
    return await pages.remembered(request, service, "embed.html", show, key=key, headers=_headers(service))


def read_asked(query: Mapping[str, str]) -> Asked:
    """How a site wants its list, from its query; parameters of others are ignored.

    Raises:
        BadInput: a value is none that there is.
    """
    usual = Asked()
    entries, kind = query.get("entries", str(usual.entries)), query.get("kind", usual.kind)
    theme = query.get("theme", usual.theme)
    if not (entries.isascii() and entries.isdigit() and len(entries) < 4 and 1 <= int(entries) <= MOST):
        raise BadInput(f"entries is {entries[:40]!r}: give a number from 1 to {MOST}.")
    if kind not in KINDS:
        raise BadInput(f"kind is {kind[:40]!r}: give {', '.join(KINDS)}.")
    if theme not in THEMES:
        raise BadInput(f"theme is {theme[:40]!r}: give {', '.join(THEMES)}.")
    return Asked(int(entries), kind, theme)


def chosen(rows: Iterable[Row], asked: Asked) -> list[Row]:
    """The rows that a site wants, in their order."""
    kinds = KINDS[asked.kind]
    return [row for row in rows if row.kind in kinds][: asked.entries]


def _values(title: str, asked: Asked, rows: list[Row], **said: str) -> dict[str, object]:
    # Nothing in our own style can end its element, and escaped it would be no style.
    css = Markup(static.text("embed.css"))  # noqa: S704
    usual = {"says": "", "detail": "", "href": ""}
    return {"title": title, "asked": asked, "rows": rows, "css": css, **usual, **said}


def _headers(service: Service) -> list[tuple[str, str]]:
    # Every reader of another site asks for it, and one state of it serves them all for a while.
    seconds = int(service.serve.max_age.total_seconds())
    return [("Cache-Control", f"public, max-age={seconds}"), *framed(static.text("embed.css"))]


def _problem(service: Service, status: HTTPStatus, **said: str) -> Response:
    """What is wrong, shown within the frame: the problem pages of this service cannot be framed.

    `says` is ours to translate, `detail` comes in English from further down.
    """
    language = pages.shared_reading(service.site).language
    shown = _values(service.site.title, Asked(), [], **said) | _language(language)
    body = pages.render(service, "embed.html", **shown)
    headers = dict(framed(static.text("embed.css"))) | {"Cache-Control": "no-store"}
    return Response(body, status, headers, "text/html; charset=utf-8")


def _language(written: str) -> dict[str, object]:
    return {"written": written, "direction": direction(written)}
