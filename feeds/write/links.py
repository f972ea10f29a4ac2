"""Which links of a feed or an entry stand in its document, with which relation, in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from feeds.model import Enclosure, Entry, Feed, Link, Origin
from feeds.urls import absolute
from feeds.write.values import iri, language_tag, media_type, one_line, uri

ATOM = "application/atom+xml"

#: Where a format demands a media type and nobody knows it (RFC 2046 section 4.5.1).
UNKNOWN_TYPE = "application/octet-stream"

_IANA = "http://www.iana.org/assignments/relation/"
_HTML = frozenset({None, "text/html", "application/xhtml+xml"})
_FEED_TYPES = frozenset({ATOM, "application/rss+xml", "application/rdf+xml"})
# The registered relations that the W3C validator knows; it warns of any other that is not a URI.
_OF_ENTRIES = frozenset(
    {"alternate", "describedby", "enclosure", "hub", "license", "payment", "related", "replies"}
    | {"search", "self", "service", "up", "via"}
)
# RFC 5005: pages and archives, which only a feed has.
_OF_FEEDS = _OF_ENTRIES | {"current", "first", "last", "next", "next-archive", "prev-archive", "previous"}


def feed_links(feed: Feed, own_type: str = ATOM) -> list[Link]:
    """The links of a feed: its page first, then the others in order; itself is `own_type`, whatever was said."""
    links = [replace(link, type=own_type) if link.rel == "self" else link for link in feed.links]
    return _arranged(links, language_tag(feed.language), known=_OF_FEEDS)


def entry_links(entry: Entry, language: str | None) -> list[Link]:
    """The links of an entry: its page first, the other links in order, then its enclosures."""
    media = [_enclosure_link(each) for each in entry.enclosures if not each.is_thumbnail]
    # What a parser lists as an enclosure, with its facts, need not stand among the links as well.
    listed = {link.href for link in media}
    others = [link for link in entry.links if link.rel != "enclosure" or uri(link.href) not in listed]
    return _arranged([*others, *media], language, known=_OF_ENTRIES)


def origin_links(origin: Origin) -> list[Link]:
    """The feed and the site that an entry came from."""
    links = [link for link in origin.links if link.rel in ("self", "alternate")]
    arranged = _arranged(links, language_tag(origin.language), known=_OF_FEEDS)
    # The validator doubts a JSON Feed that calls itself a feed; without a type it does not.
    return [replace(link, type=None) if _is_odd_self(link) else link for link in arranged]


def media_of(entry: Entry) -> list[Enclosure]:
    """What hangs on an entry, its previews too, each address once; only what is known of it and can be."""
    listed = [
        Enclosure(link.href, link.type, link.length, link.title)
        for link in entry.links
        if _relation(link.rel, _OF_ENTRIES) == "enclosure"
    ]
    first: dict[str, Enclosure] = {}
    for each in (*entry.enclosures, *listed):
        if cleaned := _cleaned_enclosure(each):
            first.setdefault(cleaned.url, cleaned)
    return list(first.values())


def page_of(links: Iterable[Link]) -> str | None:
    """The address of the page among links that were arranged here."""
    return href_of(links, "alternate")


def href_of(links: Iterable[Link], rel: str) -> str | None:
    """The address of the first link of a relation; None where there is none."""
    return next((link.href for link in links if link.rel == rel), None)


def feed_or_site(links: list[Link]) -> str | None:
    """The address of the feed itself, else of its site; None for no links."""
    return min(links, key=lambda link: link.rel != "self").href if links else None


def _arranged(links: Iterable[Link], language: str | None, *, known: frozenset[str]) -> list[Link]:
    """The page first, then all others.

    Only one alternate stays, though RFC 4287 section 4.1.2 allows one a type and language: of
    several, newsboat takes the last for the page of the story, and so do feedparser and every
    reader built on it.
    """
    cleaned = [link for each in links if (link := _cleaned(each, known))]
    alternates = [link for link in cleaned if link.rel == "alternate"]
    if not alternates:
        return _once(cleaned)
    page = next((link for link in alternates if link.type in _HTML), alternates[0])
    others = [replace(link, rel="related") if link.rel == "alternate" else link for link in cleaned]
    page_itself = ("related", page.href)
    return _once([_page(page, language), *(link for link in others if (link.rel, link.href) != page_itself)])


# The links of a channel and of the feeds behind it are the same in every entry, format and revision.
@lru_cache(maxsize=1024)
def _cleaned(link: Link, known: frozenset[str]) -> Link | None:
    """The link as it may be written; None for one that leads nowhere or has no place here."""
    href, rel = uri(link.href), _relation(link.rel, known)
    if href is None or rel is None:
        return None
    return Link(
        href=href,
        rel=rel,
        type=media_type(link.type, href if rel == "enclosure" else ""),
        hreflang=language_tag(link.hreflang),
        title=one_line(link.title) or None,
        length=link.length,
    )


def _relation(rel: str, known: frozenset[str]) -> str | None:
    """The relation to write: its short name, its URI, or "related" for one that nobody registered."""
    name = rel.strip().removeprefix(_IANA)
    if name in known or (name.isascii() and iri(name)):
        return name
    # How to edit an entry, or which page of which archive it stood on, is its own feed's business.
    return None if name in _OF_FEEDS or name.startswith("edit") else "related"


def _page(link: Link, language: str | None) -> Link:
    """FreshRSS and others only follow an alternate that says it is HTML."""
    return replace(link, type=link.type or "text/html", hreflang=link.hreflang or language)


def _once(links: list[Link]) -> list[Link]:
    """The first of each relation and address."""
    first: dict[tuple[str, str], Link] = {}
    for link in links:
        first.setdefault((link.rel, link.href), link)
    return list(first.values())


def _enclosure_link(enclosure: Enclosure) -> Link:
    return Link(
        href=uri(enclosure.url) or "",
        rel="enclosure",
        type=enclosure.type,
        title=enclosure.title,
        length=enclosure.length,
    )


def _cleaned_enclosure(enclosure: Enclosure) -> Enclosure | None:
    url = absolute(enclosure.url)
    if url is None:
        return None
    return replace(
        enclosure,
        url=url,
        type=media_type(enclosure.type, url),
        length=_positive(enclosure.length),
        title=one_line(enclosure.title) or None,
        credit=one_line(enclosure.credit) or None,
        width=_positive(enclosure.width),
        height=_positive(enclosure.height),
    )


def _positive(size: int | None) -> int | None:
    return size if size and size > 0 else None


def _is_odd_self(link: Link) -> bool:
    return link.rel == "self" and link.type not in _FEED_TYPES
