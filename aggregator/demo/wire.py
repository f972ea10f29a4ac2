"""A small wire of our own, for a first look at the product without a network.

Twelve outlets that do not exist report in ten languages, in every format of the trade, on the
Riyadh talks of 18 February 2025 and on the rest of that week's news. The events are public
facts, told in our own words; what stands between quotation marks was said. The documents under
`data/feeds` hold `{{wire}}` wherever the address of the server belongs.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Literal, cast, get_args

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from feeds import read
from feeds.http.times import write_http_date
from feeds.http.validators import is_unmodified
from feeds.model import Entry, Feed, Text
from feeds.opml import Subscription, write_opml

#: What the documents say where the server's address belongs.
PLACEHOLDER = "{{wire}}"

PickRole = Literal["source", "background", "quote", "contradicts"]

_DATA = files("aggregator.demo") / "data"
_MEDIA_TYPES = {
    ".rss": "application/rss+xml",
    ".rdf": "application/rdf+xml",
    ".atom": "application/atom+xml",
    ".json": "application/feed+json",
}
# Two outlets send what older systems still send; JSON is always UTF-8 (RFC 8259 section 8.1).
_DECLARED_CHARSET = re.compile(rb"""<\?xml[^>]*\bencoding=["']([\w-]+)["']""")
_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Outlet:
    """A paper or an agency that exists only in the demo."""

    #: The first part of its addresses.
    slug: str
    #: As its feed says it.
    name: str
    #: BCP 47, as its feed says it.
    language: str
    #: The Content-Type of its feed, charset included.
    content_type: str
    #: Its feed, with `{{wire}}` in it, in the charset that `content_type` names.
    document: bytes


@dataclass(frozen=True, slots=True)
class DemoPick:
    """One decision of the demo's editor."""

    #: The slug of a brief, as `demo_briefs` gives it.
    brief: str
    #: p0 is the title, then p1, p2 … in order.
    passage: str
    #: `<outlet>/<story>`: the path of the story's page on the wire.
    story: str
    role: PickRole


@dataclass(frozen=True, slots=True)
class Page:
    """What the wire answers at one path, ready to be sent."""

    body: bytes
    #: As in a Content-Type header.
    content_type: str
    #: Strong and quoted.
    etag: str
    #: An HTTP date: that of the newest story on the page.
    last_modified: str


def demo_feeds() -> list[Outlet]:
    """The outlets of the wire, by slug."""
    return list(_outlets())


def demo_briefs() -> list[tuple[str, str]]:
    """The sample briefs as (slug, text), in the order in which the demo shows them."""
    texts = _DATA / "briefs"
    return [(slug, (texts / f"{slug}.txt").read_text("utf-8")) for slug, _ in _picks_by_brief()]


def demo_picks() -> list[DemoPick]:
    """What the demo's editor picked, brief by brief.

    Raises:
        ValueError: a role in `picks.toml` is none.
    """
    return [_pick(slug, row) for slug, rows in _picks_by_brief() for row in rows]


def make_wire(base_url: str) -> ASGIApp:
    """The wire as an ASGI application that is reached at `base_url`.

    It answers `/`, `/opml`, `/<outlet>`, `/<outlet>/feed` and `/<outlet>/<story>`, with
    validators, and 304 to whoever has the bytes already. All pages are made here, once.
    """
    pages = wire_pages(base_url)

    async def answer(request: Request) -> Response:
        return _answer(pages.get(request.url.path.rstrip("/") or "/"), request.headers)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET"])])


def wire_pages(base_url: str) -> dict[str, Page]:
    """Every page of the wire by its path, with `base_url` in all of its links."""
    base = base_url.rstrip("/")
    outlets = [(outlet, _read(outlet, base)) for outlet in demo_feeds()]
    newest = max(_newest(feed) for _, feed in outlets)
    listing = {"outlets": outlets, "base": base}
    pages = {
        "/": _page(_render("index.html", listing), _HTML, newest),
        "/opml": _page(_opml(base, newest), "text/x-opml; charset=utf-8", newest),
    }
    for outlet, feed in outlets:
        pages.update(_outlet_pages(outlet, feed, base))
    return pages


@cache
def _outlets() -> tuple[Outlet, ...]:
    documents = sorted((_DATA / "feeds").iterdir(), key=lambda file: file.name)
    return tuple(_outlet(PurePosixPath(file.name), file.read_bytes()) for file in documents)


def _outlet(file: PurePosixPath, document: bytes) -> Outlet:
    declared = _DECLARED_CHARSET.match(document)
    charset = declared[1].decode("ascii") if declared else "utf-8"
    content_type = f"{_MEDIA_TYPES[file.suffix]}; charset={charset}"
    # Any address does: only the name and the language are read here.
    feed = read.parse(_addressed(document, "http://wire.example"), content_type=content_type)
    return Outlet(file.stem, feed.title, feed.language or "und", content_type, document)


def _addressed(document: bytes, base: str) -> bytes:
    return document.replace(PLACEHOLDER.encode("ascii"), base.encode("ascii"))


def _read(outlet: Outlet, base: str) -> Feed:
    url = f"{base}/{outlet.slug}/feed"
    return read.parse(_addressed(outlet.document, base), content_type=outlet.content_type, base_url=url)


def _opml(base: str, created: datetime) -> bytes:
    subscriptions = [
        Subscription(f"{base}/{outlet.slug}/feed", outlet.name, f"{base}/{outlet.slug}", outlet.language)
        for outlet in demo_feeds()
    ]
    return write_opml(subscriptions, title="The demo wire of wirebrief", created=created)


def _outlet_pages(outlet: Outlet, feed: Feed, base: str) -> Iterator[tuple[str, Page]]:
    """The feed of an outlet, its front page and the pages of its stories, each with its path."""
    newest = _newest(feed)
    about = {"outlet": outlet, "feed": feed, "base": base, "direction": _direction(outlet.language)}
    yield f"/{outlet.slug}/feed", _page(_addressed(outlet.document, base), outlet.content_type, newest)
    yield f"/{outlet.slug}", _page(_render("outlet.html", about), _HTML, newest)
    for entry in feed.entries:
        body = _render("story.html", {**about, "entry": entry, "text": _story_html(entry)})
        yield (entry.url or "").removeprefix(base), _page(body, _HTML, _moment(entry))


def _moment(entry: Entry) -> datetime:
    # Every story of the wire is dated; a test sees to it.
    return max(moment for moment in (entry.published, entry.updated) if moment is not None)


def _newest(feed: Feed) -> datetime:
    return max(_moment(entry) for entry in feed.entries)


def _direction(language: str) -> Literal["ltr", "rtl"]:
    return "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


def _story_html(entry: Entry) -> Markup:
    """The full text where the feed has one, else the lead."""
    text = entry.content or entry.summary or Text("")
    if text.type == "html":
        # The reader has sanitised it (`feeds.model`).
        return Markup(text.value)  # noqa: S704
    return Markup("\n").join(Markup("<p>{}</p>").format(line) for line in text.value.splitlines() if line)


@cache
def _templates() -> Environment:
    def load(name: str) -> str:
        return (_DATA / "pages" / name).read_text("utf-8")

    return Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _render(name: str, context: Mapping[str, object]) -> bytes:
    return _templates().get_template(name).render(context).encode("utf-8")


def _page(body: bytes, content_type: str, modified: datetime) -> Page:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Page(body, content_type, etag, write_http_date(modified))


def _answer(page: Page | None, headers: Mapping[str, str]) -> Response:
    if page is None:
        return PlainTextResponse("There is no such page on the demo wire.\n", status_code=404)
    validators = {"ETag": page.etag, "Last-Modified": page.last_modified, "Cache-Control": "no-cache"}
    if is_unmodified(headers, etag=page.etag, last_modified=page.last_modified):
        return Response(status_code=304, headers=validators)
    return Response(page.body, headers={**validators, "Content-Type": page.content_type})


@cache
def _picks_by_brief() -> list[tuple[str, list[dict[str, str]]]]:
    table = tomllib.loads((_DATA / "picks.toml").read_text("utf-8"))
    return [(brief["slug"], brief["picks"]) for brief in table["brief"]]


def _pick(brief: str, row: Mapping[str, str]) -> DemoPick:
    if row["role"] not in get_args(PickRole):
        raise ValueError(f"{row['role']!r} is no role; picks.toml knows {', '.join(get_args(PickRole))}")
    return DemoPick(brief, row["passage"], row["story"], cast(PickRole, row["role"]))
