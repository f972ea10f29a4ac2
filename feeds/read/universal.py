"""XML feeds of every kind, from feedparser's dictionaries to the values of `feeds.model`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from feeds.dates import parse_date
from feeds.errors import ParseError
from feeds.html import clean_text, to_text
from feeds.model import Entry, Feed, Origin, Text, Tombstone
from feeds.read import fast, parser, repairs, sniff
from feeds.read.parser import NOWHERE, Raw, Reading
from feeds.read.parts import (
    ENTRIES,
    address,
    categories,
    enclosures,
    language_of,
    line_of,
    lines,
    links,
    part_of,
    parts_of,
    people,
    plain,
    somewhere,
    text_of,
)
from feeds.urls import absolute

# http://purl.org/rss/1.0/modules/syndication/
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 7 * 24, "monthly": 30 * 24, "yearly": 365 * 24}
_COUNT = re.compile(r"\s*(\d{1,6})\s*")


def read(text: str, *, base_url: str | None = None, problems: tuple[str, ...] = ()) -> Feed:
    """Read RSS, RDF, Atom or CDF; `problems` are those that reading the bytes found.

    Raises:
        ParseError: it is XML, but of another kind.
    """
    begun, problems = _begun(text, problems)
    reading = _fast(begun, base_url)
    return _by_feedparser(begun, base_url, problems) if reading is None else _feed(reading, problems)


def is_taken(text: str, *, base_url: str | None = None) -> bool:
    """Whether the fast path reads this text."""
    return _fast(sniff.without_preface(text), base_url) is not None


def read_by_feedparser(text: str, *, base_url: str | None = None, problems: tuple[str, ...] = ()) -> Feed:
    """The same without the fast path: the answer it is measured by.

    Raises:
        ParseError: as `read`.
    """
    begun, problems = _begun(text, problems)
    return _by_feedparser(begun, base_url, problems)


def _begun(text: str, problems: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The text from where the feed begins."""
    begun = sniff.without_preface(text)
    if begun != text.lstrip("\ufeff"):
        problems += ("Something stands before the feed; it was skipped.",)
    return begun, problems


def _fast(begun: str, base_url: str | None) -> Reading | None:
    return fast.read(begun, _base(base_url)) if sniff.is_feed_root(sniff.root(begun)) else None


def _base(base_url: str | None) -> str:
    return absolute(base_url) or NOWHERE


def _by_feedparser(begun: str, base_url: str | None, problems: tuple[str, ...]) -> Feed:
    mended, mendings = repairs.repair(begun)
    reading = parser.read(mended, _base(base_url))
    feed = _feed(reading, (*problems, *mendings, *reading.problems))
    name = sniff.root(begun)
    if not (sniff.is_feed_root(name) or feed.entries):
        raise ParseError(f"This is XML, but no feed: it begins with <{name or '?'}>.")
    return feed


def _feed(reading: Reading, problems: tuple[str, ...]) -> Feed:
    raw = reading.feed
    language = language_of(raw.get("language"))
    return Feed(
        id=plain(raw.get("id")) or None,
        title=line_of(raw, "title"),
        subtitle=line_of(raw, "subtitle") or line_of(raw, "summary") or None,
        links=links(raw, None),
        updated=_first_date(raw, "updated", "published"),
        language=language,
        authors=people(parts_of(raw, "authors"), None),
        categories=categories(parts_of(raw, "tags")),
        rights=line_of(raw, "rights") or None,
        generator=plain(raw.get("generator")) or None,
        icon=address(raw.get("icon")),
        logo=address(raw.get("logo")) or address(part_of(raw, "image").get("href")),
        ttl=_ttl(raw),
        entries=tuple(_entry(one, language) for one in reading.entries[:ENTRIES]),
        tombstones=tuple(stone for one in reading.tombstones if (stone := _tombstone(one))),
        version=reading.version,
        problems=problems,
    )


def _entry(raw: Raw, feed_language: str | None) -> Entry:
    base = somewhere(raw.get("wire_base"))
    language = _entry_language(raw, feed_language)
    content = _content(raw, base, language)
    return Entry(
        id=plain(raw.get("id")) or None,
        title=line_of(raw, "title"),
        links=links(raw, base, with_enclosures=False),
        summary=_summary(raw, base, language, content),
        content=content,
        published=_first_date(raw, "published", "created"),
        updated=_first_date(raw, "updated"),
        authors=people(parts_of(raw, "authors"), base),
        contributors=people(parts_of(raw, "contributors"), base),
        categories=categories(parts_of(raw, "tags")),
        language=language,
        origin=_origin(part_of(raw, "source"), base),
        enclosures=enclosures(raw, base),
        rights=line_of(raw, "rights") or None,
    )


def _entry_language(raw: Raw, feed_language: str | None) -> str | None:
    """The entry's own by element or xml:lang, else what its title is in, else the feed's."""
    title = part_of(raw, "title_detail").get("language")
    found = (language_of(tag) for tag in (raw.get("language"), raw.get("wire_language"), title))
    return next((tag for tag in found if tag), feed_language)


def _content(raw: Raw, base: str | None, language: str | None) -> Text | None:
    """The fullest body, marked up if one is."""
    bodies = [body for one in parts_of(raw, "content") if (body := text_of(one, base, language))]
    return max(bodies, key=lambda body: (body.type == "html", len(body.value)), default=None)


def _summary(raw: Raw, base: str | None, language: str | None, content: Text | None) -> Text | None:
    """The short text; the caption of the entry's picture where there is neither it nor a body.

    feedparser repeats the body as summary where there is none, but then without detail.
    """
    detail = part_of(raw, "summary_detail")
    if detail:
        return text_of(detail, base, language)
    caption = raw.get("wire_caption")
    return Text(lines(to_text(caption))) if isinstance(caption, str) and content is None else None


def _origin(raw: Raw, base: str | None) -> Origin | None:
    """Where an aggregator took the entry from; None if it says nothing."""
    if not raw:
        return None
    found = links(raw, base)
    site = address(raw.get("href"), base)
    if site and not found:
        # RSS gives the address of the feed that the item is from, as an attribute.
        found = links({"links": [{"href": site, "rel": "self"}]}, None)
    origin = Origin(
        id=plain(raw.get("id")) or site,
        title=line_of(raw, "title"),
        links=found,
        updated=_first_date(raw, "updated"),
        rights=line_of(raw, "rights") or None,
        language=language_of(raw.get("wire_language")),
        authors=people(parts_of(raw, "authors"), base),
        icon=address(raw.get("icon"), base),
    )
    return None if origin == Origin() else origin


def _tombstone(raw: Raw) -> Tombstone | None:
    ref, when = plain(raw.get("ref")), parse_date(raw.get("when"))
    if not ref or when is None:
        return None
    by = {"name": raw.get("by/name"), "email": raw.get("by/email"), "href": raw.get("by/uri")}
    comment = clean_text(to_text(raw.get("comment", "")))
    return Tombstone(ref, when, next(iter(people([by], None)), None), comment or None)


def _first_date(raw: Raw, *keys: str) -> datetime | None:
    found = (parse_date(raw[key]) for key in keys if isinstance(raw.get(key), str))
    return next((moment for moment in found if moment), None)


def _ttl(raw: Raw) -> timedelta | None:
    """RSS gives minutes, the syndication module a period and how often it changes in one."""
    minutes = _COUNT.fullmatch(str(raw.get("ttl")))
    if minutes:
        return timedelta(minutes=int(minutes[1])) or None
    hours = _PERIODS.get(plain(raw.get("sy_updateperiod")).lower())
    times = _COUNT.fullmatch(str(raw.get("sy_updatefrequency", 1)))
    if hours is None:
        return None
    return timedelta(hours=hours) / max(1, int(times[1]) if times else 1)
