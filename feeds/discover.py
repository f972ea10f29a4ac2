"""Where the feeds of a web page are (rssboard.org/rss-autodiscovery)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

from feeds.html import clean_text
from feeds.urls import absolute

_FEED_TYPES = (
    "application/atom+xml",
    "application/rss+xml",
    "application/feed+json",
    "application/rdf+xml",
    "application/json",
    "application/xml",
    "text/xml",
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
# An address that ends like a feed's: /feed, /rss/, /news.rss, /atom.xml, ?feed=rss2.
_FEED_PATH = re.compile(
    r"/(?:feeds?|rss2?|atom|rdf|jsonfeed)/?$|\.(?:rss|rdf|atom)$|[/._-](?:feed|rss2?|atom)[\w-]*\.(?:xml|json|php)$",
    re.IGNORECASE,
)
_FEED_QUERY = re.compile(
    r"(?:^|&)(?:feed|format|type|alt|output)=(?:rss|rss2|atom|feed|json)(?:&|$)", re.IGNORECASE
)
_COMMENTS = re.compile(r"comment|kommentar|comentari|commenti|komentar|коментар|комментар", re.IGNORECASE)
_USUAL_PLACES = (
    "feed",
    "rss",
    "feed.xml",
    "rss.xml",
    "atom.xml",
    "index.xml",
    "feed/",
    "feeds",
    "index.rss",
    "index.rdf",
    "feed.json",
    "feed.atom",
    "feeds/posts/default",
    "?feed=rss2",
)


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed that a page names."""

    #: Absolute URL.
    url: str
    #: What the page calls it, else the title of the page; plain text, one line.
    title: str
    #: Media type, as the page says; None where it says none.
    type: str | None


def find_feeds(body: bytes, *, content_type: str | None, base_url: str) -> list[FoundFeed]:
    """The feeds that an HTML page names, the best first; empty for what is no HTML.

    First those of `<link rel=alternate>`, in the order of the page, since the first is the
    publisher's choice; then links in the text whose address looks like a feed's; feeds of
    comments last of all. Each address once.
    """
    page = _page(body, content_type)
    if page is None:
        return []
    base = _base(page, base_url)
    title = clean_text(page.findtext(".//title") or "")
    found: dict[str, FoundFeed] = {}
    for feed in (*_announced(page, base, title), *_linked(page, base, title)):
        found.setdefault(feed.url, feed)
    return sorted(found.values(), key=_is_of_comments)


def guess_feed_urls(base_url: str) -> list[str]:
    """Addresses where a site often has a feed, the likeliest first: below the page, then below the root."""
    url = absolute(base_url)
    if url is None:
        return []
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}/"
    below = f"{root}{parts.path.strip('/')}/" if parts.path.strip("/") else root
    return list(dict.fromkeys(start + place for start in (below, root) for place in _USUAL_PLACES))


def _page(body: bytes, content_type: str | None) -> etree._Element | None:
    charset = _CHARSET.search(content_type or "")
    try:
        parser = etree.HTMLParser(encoding=charset[1] if charset else None, no_network=True)
    except LookupError:
        parser = etree.HTMLParser(no_network=True)
    page: etree._Element | None = etree.fromstring(body, parser)
    return page


def _base(page: etree._Element, base_url: str) -> str:
    """What links are relative to: the first `<base href>` (HTML section 4.2.3), else the page."""
    first = page.find(".//base[@href]")
    return base_url if first is None else absolute(first.get("href"), base_url) or base_url


def _announced(page: etree._Element, base: str, title: str) -> Iterator[FoundFeed]:
    for link in page.iter("link"):
        tokens = (link.get("rel") or "").lower().split()
        kind = _media_type(link)
        is_alternate = "alternate" in tokens and "stylesheet" not in tokens and kind in _FEED_TYPES
        if not (is_alternate or "feed" in tokens):
            continue
        url = _feed_url(link, base)
        if url:
            yield FoundFeed(url, clean_text(link.get("title") or "") or title, kind)


def _linked(page: etree._Element, base: str, title: str) -> Iterator[FoundFeed]:
    for link in page.iter("a"):
        url = _feed_url(link, base)
        if url and (_media_type(link) in _FEED_TYPES[:4] or _looks_like_feed(url)):
            words = clean_text(link.get("title") or "") or clean_text("".join(map(str, link.itertext())))
            yield FoundFeed(url, words or title, _media_type(link))


def _media_type(link: etree._Element) -> str | None:
    return (link.get("type") or "").partition(";")[0].strip().lower() or None


def _feed_url(link: etree._Element, base: str) -> str | None:
    # Some pages still write feed://host/path or feed:https://host/path.
    href = (link.get("href") or "").strip()
    plain = re.sub(r"^feed:(//)?(?=https?://)|^feed:(?=//)", "", href, flags=re.IGNORECASE)
    url = absolute(plain, base) if plain else None
    return url.partition("#")[0] if url else None


def _looks_like_feed(url: str) -> bool:
    parts = urlsplit(url)
    # A reader's "subscribe" button ends with our own address: /subscribe/https://example.org/feed.
    if "http:" in parts.path or "https:" in parts.path:
        return False
    return bool(_FEED_PATH.search(parts.path) or _FEED_QUERY.search(parts.query))


def _is_of_comments(feed: FoundFeed) -> bool:
    parts = urlsplit(feed.url)
    return bool(_COMMENTS.search(f"{parts.path}?{parts.query} {feed.title}"))
