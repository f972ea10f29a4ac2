"""Atom (RFC 4287), as readers need it: feedgen writes heads and entries, our extensions complete them.

An entry is written once, as a fragment that can be stored and joined to any head later. Fragments
declare no namespaces: every head declares those that a fragment may use.
"""

from __future__ import annotations

from collections.abc import Iterable

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator

from feeds.model import Document, Entry, Feed, Person
from feeds.write.defaults import (
    authors_of,
    entry_body,
    entry_language,
    entry_title,
    entry_updated,
    feed_title,
    feed_updated,
    generator_of,
    name_of,
)
from feeds.write.documents import as_document
from feeds.write.elements import EntryExtension, HeadExtension
from feeds.write.values import (
    agent,
    as_plain,
    categories,
    identifier,
    language_tag,
    people,
    plain,
    uri,
)
from feeds.write.xml import MEDIA, fragment_bytes

MEDIA_TYPE = "application/atom+xml; charset=utf-8"

_END = b"</feed>"


def assemble(feed_head: Feed, fragments: Iterable[bytes]) -> Document:
    """Join the head of a feed, its tombstones and entries that `entry_fragment` wrote before.

    The entries of `feed_head` are not written; they only date a feed that says no `updated`. That
    no two fragments carry the same id is the caller's to see to (RFC 4287 section 4.1.1).

    Raises:
        RenderError: the feed has no id that is a URI, or nothing in it says when it was updated.
    """
    head: bytes = _head(feed_head).atom_str()
    body = b"\n".join((head.removesuffix(_END), *fragments, _END)) + b"\n"
    return as_document(body, MEDIA_TYPE)


def entry_fragment(entry: Entry, *, language: str | None) -> bytes:
    """One `<entry>` in UTF-8, to be stored as it is and joined by `assemble`.

    `language` is that of the feed, for an entry that does not say its own; the fragment names its
    language, so it means the same in every feed.

    Raises:
        RenderError: the entry has no id that is a URI, or neither `updated` nor `published`.
    """
    written = _entry(entry, entry_language(entry, language))
    return fragment_bytes(written.atom_entry(), {"media": MEDIA})


def _entry(entry: Entry, language: str | None) -> FeedEntry:
    written = FeedEntry()
    extension = EntryExtension.on(written, entry, language)
    written.id(identifier(entry.id, of=name_of(entry)))
    written.title(entry_title(entry))
    written.updated(entry_updated(entry))
    if entry.published:
        written.published(entry.published)
    written.author(authors_of(entry))
    written.contributor(people(entry.contributors))
    written.category(categories(entry.categories))
    written.rights(plain(entry.rights))
    _write_texts(written, entry, language, page=extension.page)
    return written


def _write_texts(written: FeedEntry, entry: Entry, language: str | None, *, page: str | None) -> None:
    """Summary and content; one of them always stands, or readers show an empty story."""
    content, body = entry.content, entry_body(entry, language)
    summary = as_plain(entry.summary) or ("" if body else entry_title(entry))
    if summary:
        written.summary(summary, type="text")
    if content and body:
        written.content(body, type=content.type)
    elif page:
        # feedgen asks for a content or an alternate link; the extension puts ours in its place.
        written.link(href=page, rel="alternate")
    else:
        written.content(summary, type="text")


def _head(feed: Feed) -> FeedGenerator:
    written = FeedGenerator()
    HeadExtension.on(written, feed)
    written.id(identifier(feed.id, of=f"The feed {feed.title!r}"))
    written.title(feed_title(feed))
    written.updated(feed_updated(feed))
    written.language(language_tag(feed.language))
    written.author(people(feed.authors) or people([Person(feed_title(feed))]))
    written.category(categories(feed.categories))
    written.generator(**agent(generator_of(feed)))
    written.icon(uri(feed.icon))
    written.logo(uri(feed.logo))
    written.rights(plain(feed.rights))
    written.subtitle(plain(feed.subtitle))
    return written
