"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/).

A field of the wrong type loses that field, never the entry or the feed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from feeds.dates import parse_date
from feeds.errors import ParseError
from feeds.html import clean_text, sanitize, to_text
from feeds.model import Category, Enclosure, Entry, Feed, Link, Person, Text
from feeds.read.parts import (
    ENTRIES,
    address,
    count_of,
    language_of,
    line,
    lines,
    media_type_of,
    people,
    plain,
)

_VERSIONS = {"1": "json10", "1.1": "json11"}

Object = dict[str, Any]


def read(text: str, *, base_url: str | None = None, problems: tuple[str, ...] = ()) -> Feed:
    """Read JSON Feed; `problems` are those that reading the bytes found.

    Raises:
        ParseError: it is no JSON, or JSON of another kind.
    """
    try:
        raw = json.loads(text.lstrip("\ufeff \t\r\n"))
    except (ValueError, RecursionError) as error:
        raise ParseError("This looks like JSON but cannot be read: it is broken.") from error
    if not isinstance(raw, dict) or not ("items" in raw or "jsonfeed.org" in str(raw.get("version"))):
        raise ParseError("This is JSON, but no JSON Feed.")
    return _feed(raw, base_url, [*problems])


def _feed(raw: Object, base: str | None, problems: list[str]) -> Feed:
    version = _VERSIONS.get(str(raw.get("version")).rstrip("/").rpartition("/")[2], "")
    if not version:
        problems.append("It does not say which version of JSON Feed it is.")
    items = _list(raw, "items")
    entries = [item for item in items if isinstance(item, dict)]
    if len(entries) < len(items) or not isinstance(raw.get("items"), list):
        problems.append("Some of its items are none, and were left out.")
    language = language_of(raw.get("language"))
    return Feed(
        id=plain(raw.get("feed_url")) or None,
        title=line(plain(raw.get("title"))),
        subtitle=line(plain(raw.get("description"))) or None,
        links=tuple(_feed_links(raw, base)),
        language=language,
        authors=_authors(raw, base),
        icon=address(raw.get("icon"), base) or address(raw.get("favicon"), base),
        entries=tuple(_entry(item, base, language) for item in entries[:ENTRIES]),
        version=version or "json",
        problems=tuple(problems),
    )


def _feed_links(raw: Object, base: str | None) -> Iterator[Link]:
    for key, rel in (("home_page_url", "alternate"), ("feed_url", "self"), ("next_url", "next")):
        if href := address(raw.get(key), base):
            yield Link(href, rel)
    for hub in _objects(raw, "hubs"):
        if href := address(hub.get("url"), base):
            yield Link(href, "hub")


def _entry(raw: Object, base: str | None, feed_language: str | None) -> Entry:
    url = address(raw.get("url"), base)
    external = address(raw.get("external_url"), base)
    return Entry(
        id=_id(raw.get("id")),
        title=line(plain(raw.get("title"))),
        links=tuple(Link(href, rel) for href, rel in ((url, "alternate"), (external, "related")) if href),
        summary=_text(raw.get("summary")),
        content=_html(raw.get("content_html"), url or base) or _text(raw.get("content_text")),
        published=parse_date(_string(raw.get("date_published"))),
        updated=parse_date(_string(raw.get("date_modified"))),
        authors=_authors(raw, base),
        categories=tuple(dict.fromkeys(Category(tag) for one in _list(raw, "tags") if (tag := plain(one)))),
        language=language_of(raw.get("language")) or feed_language,
        enclosures=tuple(_enclosures(raw, url or base)),
    )


def _id(value: Any) -> str | None:
    """Ids are strings; the specification tells readers to take a number for its digits."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (str(value) if is_number else plain(value)) or None


def _html(value: Any, base: str | None) -> Text | None:
    html = sanitize(value, base) if isinstance(value, str) else ""
    return Text(html, "html") if html else None


def _text(value: Any) -> Text | None:
    text = lines(value) if isinstance(value, str) else ""
    return Text(text) if text else None


def _authors(raw: Object, base: str | None) -> tuple[Person, ...]:
    """Version 1.1 has a list, 1.0 one object; what gives both says the same twice."""
    found = list(_objects(raw, "authors"))
    if not found and isinstance(raw.get("author"), dict):
        found = [raw["author"]]
    return people([{"name": one.get("name"), "href": one.get("url")} for one in found], base)


def _enclosures(raw: Object, base: str | None) -> Iterator[Enclosure]:
    seen: set[str] = set()
    for one in _objects(raw, "attachments"):
        url = address(one.get("url"), base)
        if url and url not in seen:
            seen.add(url)
            title = clean_text(to_text(plain(one.get("title")))) or None
            yield Enclosure(
                url, media_type_of(one.get("mime_type")), count_of(one.get("size_in_bytes")), title
            )
    for key in ("image", "banner_image"):
        url = address(raw.get(key), base)
        if url and url not in seen:
            seen.add(url)
            yield Enclosure(url, is_thumbnail=True)


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _list(raw: Object, key: str) -> list[Any]:
    found = raw.get(key)
    return found if isinstance(found, list) else []


def _objects(raw: Object, key: str) -> Iterator[Object]:
    return (one for one in _list(raw, key) if isinstance(one, dict))
