"""The values of a feed, the same whichever format it came in or goes out as.

All are immutable. Text is plain Unicode unless its `type` says HTML; HTML is already sanitised
and its links are absolute. Times are aware and in UTC, or None where the feed gave none that
can be read. Words follow Atom (RFC 4287).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

TextType = Literal["text", "html"]


@dataclass(frozen=True, slots=True)
class Text:
    """A summary or a body (RFC 4287 section 3.1)."""

    #: Plain text, or sanitised HTML with absolute links, as `type` says.
    value: str
    #: "text" or "html".
    type: TextType = "text"
    #: BCP 47 tag where it differs from the entry's or is known on its own.
    language: str | None = None

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Person:
    """An author or a contributor (RFC 4287 section 3.2)."""

    #: Never empty.
    name: str
    #: ASCII addr-spec.
    email: str | None = None
    #: Absolute URL of a page about the person.
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a feed or an entry (RFC 4287 section 4.2.7)."""

    #: Absolute URL.
    href: str
    #: alternate, self, hub, via, related, replies, license, prev-archive, … or a URI.
    rel: str = "alternate"
    #: Media type of what stands there, as the feed says.
    type: str | None = None
    #: Its language, BCP 47.
    hreflang: str | None = None
    #: A name for it that a person reads.
    title: str | None = None
    #: Its size in bytes, as the feed says.
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A picture, a sound, a film: from an enclosure, an attachment or Media RSS."""

    #: Absolute URL.
    url: str
    #: Media type, as the feed says.
    type: str | None = None
    #: Size in bytes, as the feed says.
    length: int | None = None
    #: Caption or alternative text, plain.
    title: str | None = None
    #: Who made it, plain.
    credit: str | None = None
    #: In pixels.
    width: int | None = None
    #: In pixels.
    height: int | None = None
    #: True for a small preview (media:thumbnail), not the thing itself.
    is_thumbnail: bool = False


@dataclass(frozen=True, slots=True)
class Category:
    """A subject (RFC 4287 section 4.2.2)."""

    #: The word or code.
    term: str
    #: Absolute URI of the vocabulary that the term is from.
    scheme: str | None = None
    #: How a person reads it.
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The feed that an entry first stood in: Atom's and RSS's `source` (RFC 4287 section 4.2.11)."""

    #: The feed's own id, or its URL.
    id: str | None = None
    #: Plain text.
    title: str = ""
    #: self (the feed) and alternate (the site).
    links: tuple[Link, ...] = ()
    updated: datetime | None = None
    #: Plain text.
    rights: str | None = None
    #: BCP 47.
    language: str | None = None
    authors: tuple[Person, ...] = ()
    #: Absolute URL of a square picture.
    icon: str | None = None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An entry that was withdrawn (RFC 6721)."""

    #: The id of the entry.
    ref: str
    when: datetime
    #: Who withdrew it.
    by: Person | None = None
    #: Why, in plain text.
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed; RSS says item."""

    #: As the feed gives it, compared character by character; None where it gives none.
    id: str | None = None
    #: Plain text, one line; "" where there is none.
    title: str = ""
    #: In the feed's order. The story's own page is the first with rel=alternate.
    links: tuple[Link, ...] = ()
    summary: Text | None = None
    content: Text | None = None
    published: datetime | None = None
    updated: datetime | None = None
    authors: tuple[Person, ...] = ()
    contributors: tuple[Person, ...] = ()
    categories: tuple[Category, ...] = ()
    #: BCP 47: the entry's own, else the feed's.
    language: str | None = None
    origin: Origin | None = None
    enclosures: tuple[Enclosure, ...] = ()
    #: Plain text.
    rights: str | None = None
    #: What the desk tells those who take it, such as what was corrected; plain text.
    note: str | None = None
    #: How often it was told, this time included; it rises with each correction.
    revision: int = 1
    #: Readers are to forget what they have; the texts are then only a notice that says so.
    is_withdrawn: bool = False

    @property
    def url(self) -> str | None:
        """The page of the entry: its first alternate link."""
        return next((link.href for link in self.links if link.rel == "alternate"), None)


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed with its entries, in the feed's own order."""

    id: str | None = None
    #: Plain text, one line.
    title: str = ""
    #: Plain text.
    subtitle: str | None = None
    links: tuple[Link, ...] = ()
    updated: datetime | None = None
    #: BCP 47.
    language: str | None = None
    authors: tuple[Person, ...] = ()
    categories: tuple[Category, ...] = ()
    #: Plain text.
    rights: str | None = None
    #: The program that wrote it.
    generator: str | None = None
    #: Absolute URL of a square picture.
    icon: str | None = None
    #: Absolute URL of a wide picture.
    logo: str | None = None
    #: How often the feed says it changes (RSS ttl, sy:updatePeriod).
    ttl: timedelta | None = None
    entries: tuple[Entry, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    #: What it was read from: "rss20", "rss10", "atom10", "json11", …; "" when it was built.
    version: str = field(default="", compare=False)
    #: What was wrong with the document, in words an editor reads; empty for a clean one.
    problems: tuple[str, ...] = field(default=(), compare=False)
    #: It is an archive document, which never changes (RFC 5005 section 4).
    is_archive: bool = False

    @property
    def url(self) -> str | None:
        """The page of the feed: its first alternate link."""
        return next((link.href for link in self.links if link.rel == "alternate"), None)


@dataclass(frozen=True, slots=True)
class Document:
    """A rendered feed, ready to be served."""

    body: bytes
    #: As in a Content-Type header.
    media_type: str
    #: Strong and quoted: a digest of `body`, or of what it was joined from (RFC 9110 section 8.8.3).
    etag: str
