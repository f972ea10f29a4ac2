"""An entry made ready to be written: each of its parts as it may stand in a document.

What it says where it leaves something open is the same in every format, so that a story has one
title and one date wherever it is read. Every part is worked out once, however many formats ask.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property, lru_cache

from feeds.html import excerpt, to_text
from feeds.model import Enclosure, Entry, Link, Person
from feeds.write.defaults import entry_updated, name_of
from feeds.write.links import entry_links, media_of, origin_links, page_of
from feeds.write.values import (
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

#: Code points of a title, and of a summary, that is made of the text.
_TITLE_LENGTH = 120
_SUMMARY_LENGTH = 300


@lru_cache(maxsize=8)
def ready(entry: Entry, language: str | None) -> Ready:
    """The entry as every format writes it; `language` is that of its feed.

    Kept while one entry is written in format after format.
    """
    return Ready(entry, language)


class Ready:
    """The parts of an entry, cleaned; nobody changes what it hands out."""

    def __init__(self, entry: Entry, language: str | None) -> None:
        """`language` is that of the feed, for an entry that does not say its own."""
        self.entry = entry
        #: The language that the entry is in.
        self.language = language_tag(entry.language) or language_tag(language)

    @cached_property
    def name(self) -> str:
        """The entry as a message names it."""
        return name_of(self.entry)

    @cached_property
    def id(self) -> str:
        """The id, unchanged.

        Raises:
            RenderError: there is none that is a URI.
        """
        return identifier(self.entry.id, of=self.name)

    @cached_property
    def title(self) -> str:
        """The title, else the beginning of the text, else an address: readers show nothing without one."""
        entry = self.entry
        texts = (to_text(text.value) for text in (entry.summary, entry.content) if text)
        return one_line(entry.title) or next(
            (excerpt(line, _TITLE_LENGTH) for text in texts if (line := one_line(text))),
            uri(entry.url) or str(entry.id),
        )

    @cached_property
    def own_summary(self) -> str:
        """The summary in plain text; "" where the entry has none."""
        return as_plain(self.entry.summary)

    @cached_property
    def summary(self) -> str:
        """The summary in plain text, else the beginning of the body, else the title."""
        return self.own_summary or self._beginning or self.title

    @property
    def _beginning(self) -> str:
        content = self.entry.content
        return excerpt(one_line(to_text(content.value)), _SUMMARY_LENGTH) if content else ""

    @cached_property
    def text_language(self) -> str | None:
        """The language that the body is in."""
        content = self.entry.content
        return (language_tag(content.language) if content else None) or self.language

    @cached_property
    def body(self) -> str:
        """The body as it stands in a document; "" for none."""
        content = self.entry.content
        return markup(content, self.text_language) if content else ""

    @cached_property
    def updated(self) -> datetime:
        """The last change, never before the publication.

        Raises:
            RenderError: the entry has neither `updated` nor `published`, or one without a zone.
        """
        return entry_updated(self.entry)

    @cached_property
    def updated_at(self) -> str:
        """`updated` as Atom writes it."""
        return instant(self.updated, of=self.name)

    @cached_property
    def published_at(self) -> str | None:
        """When it was published, as Atom writes it."""
        published = self.entry.published
        return instant(published, of=self.name) if published else None

    @cached_property
    def links(self) -> list[Link]:
        """Its page first, the other links in order, then its enclosures."""
        return entry_links(self.entry, self.language)

    @cached_property
    def page(self) -> str | None:
        """The address of the story's own page."""
        return page_of(self.links)

    @cached_property
    def media(self) -> list[Enclosure]:
        """What hangs on it, its previews too."""
        return media_of(self.entry)

    @cached_property
    def origin_links(self) -> list[Link]:
        """The feed and the site that it came from."""
        return origin_links(self.entry.origin) if self.entry.origin else []

    @cached_property
    def origin_title(self) -> str:
        """The name of the feed that it came from."""
        return one_line(self.entry.origin.title) if self.entry.origin else ""

    @cached_property
    def origin_rights(self) -> str:
        """The terms of the feed that it came from."""
        return plain(self.entry.origin.rights) if self.entry.origin else ""

    @cached_property
    def authors(self) -> list[dict[str, str]]:
        """Who wrote it, else who runs the feed that it came from; none where the head's author is meant."""
        origin = self.entry.origin
        if origin is None:
            return people(self.entry.authors)
        return people(self.entry.authors) or people(origin.authors) or people([Person(origin.title)])

    @cached_property
    def contributors(self) -> list[dict[str, str]]:
        """Who helped."""
        return people(self.entry.contributors)

    @cached_property
    def categories(self) -> list[dict[str, str]]:
        """Its subjects."""
        return categories(self.entry.categories)

    @cached_property
    def rights(self) -> str:
        """Its own notice of rights."""
        return plain(self.entry.rights)

    @cached_property
    def note(self) -> str:
        """What the desk tells those who take it."""
        return plain(self.entry.note)
