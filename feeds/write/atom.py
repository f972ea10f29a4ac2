"""Atom (RFC 4287), as readers need it: feedgen writes heads and entries, our extensions complete them.

An entry is written once, as a fragment that can be stored and joined to any head later. Fragments
declare no namespaces: every head declares those that a fragment may use.
"""

from __future__ import annotations

from collections.abc import Iterable

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator

from feeds.model import Document, Entry, Feed, Person
from feeds.write.defaults import feed_title, feed_updated, generator_of
from feeds.write.documents import as_document
from feeds.write.elements import EntryExtension, HeadExtension
from feeds.write.ready import Ready, ready
from feeds.write.values import agent, categories, identifier, language_tag, people, plain, uri
from feeds.write.xml import MEDIA, fragment_bytes

MEDIA_TYPE = "application/atom+xml; charset=utf-8"

_END = b"</feed>\n"


def assemble(feed_head: Feed, fragments: Iterable[bytes], *, name: str = "") -> Document:
    """Join the head of a feed, its tombstones and entries that `entry_fragment` wrote before.

    The entries of `feed_head` are not written; they only date a feed that says no `updated`. That
    no two fragments carry the same id is the caller's to see to (RFC 4287 section 4.1.1).

    `name` may stand for the fragments in their order: then the etag is made of it and of the head,
    and not of all the bytes. The same name must always stand for the same bytes.

    Raises:
        RenderError: the feed has no id that is a URI, or nothing in it says when it was updated.
    """
    head: bytes = _head(feed_head).atom_str().removesuffix(_END.strip())
    return as_document(b"\n".join((head, *fragments, _END)), MEDIA_TYPE, head=head, name=name)


def entry_fragment(entry: Entry, *, language: str | None) -> bytes:
    """One `<entry>` in UTF-8, to be stored as it is and joined by `assemble`.

    `language` is that of the feed, for an entry that does not say its own; the fragment names its
    language, so it means the same in every feed.

    Raises:
        RenderError: the entry has no id that is a URI, or neither `updated` nor `published`.
    """
    written = _entry(ready(entry, language))
    return fragment_bytes(written.atom_entry(), {"media": MEDIA})


def _entry(entry: Ready) -> FeedEntry:
    written = FeedEntry()
    EntryExtension.on(written, entry)
    written.id(entry.id)
    written.title(entry.title)
    written.updated(entry.updated)
    if entry.entry.published:
        written.published(entry.entry.published)
    written.author(entry.authors)
    written.contributor(entry.contributors)
    written.category(entry.categories)
    written.rights(entry.rights)
    _write_texts(written, entry)
    return written


def _write_texts(written: FeedEntry, entry: Ready) -> None:
    """Summary and content; one of them always stands, or readers show an empty story."""
    content, body = entry.entry.content, entry.body
    summary = entry.own_summary or ("" if body else entry.title)
    if summary:
        written.summary(summary, type="text")
    if content and body:
        written.content(body, type=content.type)
    elif entry.page:
        # feedgen asks for a content or an alternate link; the extension puts ours in its place.
        written.link(href=entry.page, rel="alternate")
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
