"""Atom (RFC 4287), as readers need it: feedgen writes heads and entries, our extensions complete them.

An entry is written once, as a fragment that can be stored and joined to any head later. Fragments
declare no namespaces: every head declares those that a fragment may use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator

from feeds.errors import RenderError
from feeds.html import excerpt, to_text
from feeds.model import Document, Entry, Feed, Person
from feeds.urls import host_of
from feeds.write.elements import EntryExtension, HeadExtension, entry_bytes
from feeds.write.values import (
    agent,
    as_plain,
    categories,
    identifier,
    instant,
    language_tag,
    markup,
    one_line,
    people,
    plain,
    uri,
)

MEDIA_TYPE = "application/atom+xml; charset=utf-8"

#: Named as the program where a feed names none.
GENERATOR = "wirebrief"

#: Code points of a title that is made of the text.
_TITLE_LENGTH = 120
_END = b"</feed>"


def render(feed: Feed) -> Document:
    """The whole feed, its entries in the order given.

    Raises:
        RenderError: as `assemble` and `entry_fragment` do, or two entries carry the same id.
    """
    _refuse_twins(feed.entries)
    return assemble(feed, [entry_fragment(entry, language=feed.language) for entry in feed.entries])


def assemble(feed_head: Feed, fragments: Iterable[bytes]) -> Document:
    """Join the head of a feed, its tombstones and entries that `entry_fragment` wrote before.

    The entries of `feed_head` are not written; they only date a feed that says no `updated`. That
    no two fragments carry the same id is the caller's to see to (RFC 4287 section 4.1.1).

    Raises:
        RenderError: the feed has no id that is a URI, or nothing in it says when it was updated.
    """
    head: bytes = _head(feed_head).atom_str()
    body = b"\n".join((head.removesuffix(_END), *fragments, _END)) + b"\n"
    return Document(body=body, media_type=MEDIA_TYPE, etag=_etag(body))


def entry_fragment(entry: Entry, *, language: str | None) -> bytes:
    """One `<entry>` in UTF-8, to be stored as it is and joined by `assemble`.

    `language` is that of the feed, for an entry that does not say its own; the fragment names its
    language, so it means the same in every feed.

    Raises:
        RenderError: the entry has no id that is a URI, or neither `updated` nor `published`.
    """
    return entry_bytes(_entry(entry, language_tag(entry.language) or language_tag(language)).atom_entry())


def _entry(entry: Entry, language: str | None) -> FeedEntry:
    written = FeedEntry()
    extension = EntryExtension.on(written, entry, language)
    written.id(identifier(entry.id, of=_name(entry)))
    written.title(_title(entry))
    written.updated(_entry_updated(entry))
    if entry.published:
        written.published(entry.published)
    written.author(_authors(entry))
    written.contributor(people(entry.contributors))
    written.category(categories(entry.categories))
    written.rights(plain(entry.rights))
    _write_texts(written, entry, language, page=extension.page)
    return written


def _write_texts(written: FeedEntry, entry: Entry, language: str | None, *, page: str | None) -> None:
    """Summary and content; one of them always stands, or readers show an empty story."""
    content = entry.content
    body = markup(content, language_tag(content.language) or language) if content else ""
    summary = as_plain(entry.summary) or ("" if body else _title(entry))
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
    written.title(_feed_title(feed))
    written.updated(_feed_updated(feed))
    written.language(language_tag(feed.language))
    written.author(people(feed.authors) or people([Person(_feed_title(feed))]))
    written.category(categories(feed.categories))
    written.generator(**agent(feed.generator or GENERATOR))
    written.icon(uri(feed.icon))
    written.logo(uri(feed.logo))
    written.rights(plain(feed.rights))
    written.subtitle(plain(feed.subtitle))
    return written


def _name(entry: Entry) -> str:
    """The entry as a message names it."""
    return f"The entry {entry.title or entry.url or entry.id or 'without title and link'!r}"


def _title(entry: Entry) -> str:
    """The title, else the beginning of the text, else an address: readers show nothing without one."""
    texts = (to_text(text.value) for text in (entry.summary, entry.content) if text)
    return one_line(entry.title) or next(
        (excerpt(line, _TITLE_LENGTH) for text in texts if (line := one_line(text))),
        uri(entry.url) or str(entry.id),
    )


def _feed_title(feed: Feed) -> str:
    return one_line(feed.title) or host_of(feed.url or "") or str(feed.id)


def _entry_updated(entry: Entry) -> datetime:
    """The last change, never before the publication: an agency may touch a story that it holds back."""
    moments = [moment for moment in (entry.updated, entry.published) if moment]
    if not moments:
        raise RenderError(f"{_name(entry)} has no date: give it the time at which it was first seen")
    for moment in moments:
        instant(moment, of=_name(entry))
    return max(moments)


def _feed_updated(feed: Feed) -> datetime:
    """What the feed says, else its newest change; never the time of writing, which would change the bytes."""
    if feed.updated:
        instant(feed.updated, of=f"The feed {feed.title!r}")
        return feed.updated
    changes = [_entry_updated(entry) for entry in feed.entries] + [each.when for each in feed.tombstones]
    if not changes:
        raise RenderError(f"The feed {feed.title!r} has no entries and no date: say when it was updated")
    return max(changes)


def _authors(entry: Entry) -> list[dict[str, str]]:
    """Who wrote it, else who runs the feed that it came from; none where the head's author is meant."""
    origin = entry.origin
    if origin is None:
        return people(entry.authors)
    return people(entry.authors) or people(origin.authors) or people([Person(origin.title)])


def _refuse_twins(entries: Iterable[Entry]) -> None:
    seen: set[str | None] = set()
    for entry in entries:
        if entry.id in seen:
            raise RenderError(
                f"Two entries carry the id {entry.id!r}: keep the newer one (RFC 4287 section 4.1.1)"
            )
        seen.add(entry.id)


def _etag(body: bytes) -> str:
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
