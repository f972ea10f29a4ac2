"""What a document says instead where a feed leaves something open, the same in every format.

What an entry says instead stands in `feeds.write.ready`.
"""

from __future__ import annotations

from datetime import datetime

from feeds.errors import RenderError
from feeds.model import Entry, Feed
from feeds.urls import host_of
from feeds.write.values import instant, one_line

#: Named as the program where a feed names none.
GENERATOR = "wirebrief"


def name_of(entry: Entry) -> str:
    """The entry as a message names it."""
    return f"The entry {entry.title or entry.url or entry.id or 'without title and link'!r}"


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


def generator_of(feed: Feed) -> str:
    """The program that the feed names, else ours."""
    return feed.generator or GENERATOR
