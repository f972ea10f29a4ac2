"""What feedgen 1.0.0 does not write, or writes wrongly, added to its elements by two extensions.

On entries it drops rel, type, hreflang, title and length of every link and knows a source only as
title and bare link; nowhere can it say the language of an entry, a tombstone, or a time with `Z`.
Each fault is pinned in tests/feeds/test_write_feedgen.py.
"""

from __future__ import annotations

from datetime import datetime

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feeds.model import Enclosure, Feed, Link, Text, Tombstone
from feeds.urls import host_of
from feeds.write.links import feed_links, feed_or_site
from feeds.write.ready import Ready
from feeds.write.values import (
    identifier,
    instant,
    iri,
    language_tag,
    media_type,
    one_line,
    people,
    plain,
    uri,
)
from feeds.write.xml import HISTORY, MEDIA, add, link_element, set_given

TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class EntryExtension(BaseExtension):  # type: ignore[misc]  # feedgen ships no types.
    """Completes an entry that feedgen wrote: language, times, links, media, and its source at the end."""

    ready: Ready

    @classmethod
    def on(cls, written: FeedEntry, entry: Ready) -> None:
        """Register with feedgen's entry."""
        written.register_extension("complete", cls)
        written.complete.ready = entry

    def extend_atom(self, element: etree._Element) -> etree._Element:
        """Called by feedgen once its own elements stand."""
        ready, entry = self.ready, self.ready.entry
        _set_language(element, ready.language)
        _set_text_language(element, "summary", entry.summary)
        _set_text_language(element, "content", entry.content)
        _write_times(element)
        _write_links(element, ready.links)
        for enclosure in entry.enclosures:
            _add_media(element, enclosure)
        # sfeed takes the first id, title and link it meets for the entry's, so this stands last.
        _add_source(element, ready)
        return element


class HeadExtension(BaseExtension):  # type: ignore[misc]  # feedgen ships no types.
    """Completes the head of a feed: namespaces of the fragments, times, links, tombstones."""

    feed: Feed

    @classmethod
    def on(cls, written: FeedGenerator, feed: Feed) -> None:
        """Register with feedgen's feed."""
        written.register_extension("complete", cls)
        written.complete.feed = feed

    def extend_ns(self) -> dict[str, str]:
        """Prefixes that the document declares: those of the fragments, and the others where they are used.

        No validator knows tombstones' namespace, so a feed without them does not declare it.
        """
        tombstones = {"at": TOMBSTONES} if self.feed.tombstones else {}
        return {"media": MEDIA} | tombstones | ({"fh": HISTORY} if self.feed.is_archive else {})

    def extend_atom(self, element: etree._Element) -> etree._Element:
        """Called by feedgen once its own elements stand, before any entry."""
        _write_times(element)
        _write_links(element, feed_links(self.feed))
        if self.feed.is_archive:
            etree.SubElement(element, f"{{{HISTORY}}}archive")
        for tombstone in self.feed.tombstones:
            _add_tombstone(element, tombstone)
        return element


def _set_language(element: etree._Element, language: str | None) -> None:
    if language:
        element.set(_LANG, language)


def _set_text_language(entry: etree._Element, name: str, text: Text | None) -> None:
    """Name the language of a text where it is not the entry's."""
    element, tag = entry.find(name), language_tag(text.language if text else None)
    if element is not None and tag != entry.get(_LANG):
        _set_language(element, tag)


def _write_times(element: etree._Element) -> None:
    """feedgen writes +00:00, and newsboat 2.21 misreads an offset after a fraction: `Z` it is."""
    for name in ("updated", "published"):
        for written in element.findall(name):
            written.text = instant(datetime.fromisoformat(written.text or ""), of=name)


def _write_links(element: etree._Element, links: list[Link]) -> None:
    """Put our links in the place of feedgen's, behind the time of the last change."""
    for bare in element.findall("link"):
        element.remove(bare)
    updated = element.find("updated")
    place = 0 if updated is None else element.index(updated) + 1
    for offset, link in enumerate(links):
        element.insert(place + offset, link_element(link))


def _add_media(parent: etree._Element, enclosure: Enclosure) -> None:
    """What a link cannot say of a picture: its pixels, who made it, that it is a preview (Media RSS)."""
    url = uri(enclosure.url)
    size = {"width": enclosure.width, "height": enclosure.height}
    if url and enclosure.is_thumbnail:
        set_given(etree.SubElement(parent, f"{{{MEDIA}}}thumbnail"), url=url, **size)
    elif url and (enclosure.credit or any(size.values())):
        element = etree.SubElement(parent, f"{{{MEDIA}}}content")
        set_given(element, url=url, type=media_type(enclosure.type, url), **size)
        add(element, f"{{{MEDIA}}}credit", one_line(enclosure.credit))


def _add_source(parent: etree._Element, entry: Ready) -> None:
    """The feed that the entry came from (RFC 4287 section 4.2.11).

    Without its subjects, which sfeed takes for the entry's, and without its authors, who stand
    in the entry where it has none of its own.
    """
    origin, links = entry.entry.origin, entry.origin_links
    if origin is None:
        return
    id = iri(origin.id) or feed_or_site(links)
    title = entry.origin_title or host_of(feed_or_site(links) or id or "") or id
    if not title:
        return
    element = etree.SubElement(parent, "source")
    _set_language(element, language_tag(origin.language))
    add(element, "id", id)
    add(element, "title", title)
    add(element, "updated", instant(origin.updated, of="source") if origin.updated else entry.updated_at)
    for link in links:
        element.append(link_element(link))
    add(element, "rights", entry.origin_rights)
    add(element, "icon", uri(origin.icon))


def _add_tombstone(parent: etree._Element, tombstone: Tombstone) -> None:
    """An entry that was withdrawn, by whom and why (RFC 6721 section 3)."""
    element = etree.SubElement(parent, f"{{{TOMBSTONES}}}deleted-entry")
    element.set("ref", identifier(tombstone.ref, of="A withdrawn entry"))
    element.set("when", instant(tombstone.when, of=tombstone.ref))
    for person in people([tombstone.by] if tombstone.by else []):
        by = etree.SubElement(element, f"{{{TOMBSTONES}}}by")
        for name in ("name", "uri", "email"):
            add(by, name, person.get(name))
    add(element, f"{{{TOMBSTONES}}}comment", plain(tombstone.comment))
