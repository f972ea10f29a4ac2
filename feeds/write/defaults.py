"""What a document says, and what it says instead where a feed or an entry leaves it open.

The same in every format, so that a story has one title and one date wherever it is read.
"""

from __future__ import annotations

from datetime import datetime

from feeds.errors import RenderError
from feeds.html import excerpt, to_text
from feeds.model import Entry, Feed, Person
from feeds.urls import host_of
from feeds.write.values import as_plain, instant, language_tag, markup, one_line, people, uri

#: Named as the program where a feed names none.
GENERATOR = "wirebrief"

#: Code points of a title, and of a summary, that is made of the text.
_TITLE_LENGTH = 120
_SUMMARY_LENGTH = 300


def name_of(entry: Entry) -> str:
    """The entry as a message names it."""
    return f"The entry {entry.title or entry.url or entry.id or 'without title and link'!r}"


def entry_title(entry: Entry) -> str:
    """The title, else the beginning of the text, else an address: readers show nothing without one."""
    texts = (to_text(text.value) for text in (entry.summary, entry.content) if text)
    return one_line(entry.title) or next(
        (excerpt(line, _TITLE_LENGTH) for text in texts if (line := one_line(text))),
        uri(entry.url) or str(entry.id),
    )


def entry_summary(entry: Entry) -> str:
    """The summary in plain text, else the beginning of the body, else the title."""
    body = one_line(to_text(entry.content.value)) if entry.content else ""
    return as_plain(entry.summary) or excerpt(body, _SUMMARY_LENGTH) or entry_title(entry)


def entry_body(entry: Entry, language: str | None) -> str:
    """The body as it stands in a document; "" for none. `language` is the one that the entry is in."""
    content = entry.content
    return markup(content, language_tag(content.language) or language) if content else ""


def entry_language(entry: Entry, language: str | None) -> str | None:
    """The entry's own language, else that of its feed."""
    return language_tag(entry.language) or language_tag(language)


def feed_title(feed: Feed) -> str:
    """The title, else the host of the page, else the id."""
    return one_line(feed.title) or host_of(feed.url or "") or str(feed.id)


def entry_updated(entry: Entry) -> datetime:
    """The last change, never before the publication: an agency may touch a story that it holds back.

    Raises:
        RenderError: the entry has neither `updated` nor `published`, or one without a zone.
    """
    moments = [moment for moment in (entry.updated, entry.published) if moment]
    if not moments:
        raise RenderError(f"{name_of(entry)} has no date: give it the time at which it was first seen")
    for moment in moments:
        instant(moment, of=name_of(entry))
    return max(moments)


def feed_updated(feed: Feed) -> datetime:
    """What the feed says, else its newest change; never the time of writing, which would change the bytes.

    Raises:
        RenderError: nothing in the feed says when it was updated, or a time has no zone.
    """
    if feed.updated:
        instant(feed.updated, of=f"The feed {feed.title!r}")
        return feed.updated
    changes = [entry_updated(entry) for entry in feed.entries] + [each.when for each in feed.tombstones]
    if not changes:
        raise RenderError(f"The feed {feed.title!r} has no entries and no date: say when it was updated")
    return max(changes)


def authors_of(entry: Entry) -> list[dict[str, str]]:
    """Who wrote it, else who runs the feed that it came from; none where the head's author is meant."""
    origin = entry.origin
    if origin is None:
        return people(entry.authors)
    return people(entry.authors) or people(origin.authors) or people([Person(origin.title)])


def generator_of(feed: Feed) -> str:
    """The program that the feed names, else ours."""
    return feed.generator or GENERATOR
