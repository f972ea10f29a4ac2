"""Writing feeds: `render` turns the values of `feeds.model` into a document that is served as it is.

Formats stand in one table, `WRITERS`. Each is a module with two halves, `entry_fragment` and
`assemble`, so that a publisher keeps the entries it wrote and only joins them. An entry has the
same id in all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, Protocol

from feeds.errors import RenderError
from feeds.model import Document, Entry, Feed
from feeds.write import atom, jsonfeed, ninjs, rss
from feeds.write.documents import refuse_twins

Format = Literal["atom", "rss", "json", "ninjs"]


class Writer(Protocol):
    """What the module of a format offers."""

    #: As in a Content-Type header.
    MEDIA_TYPE: str

    def entry_fragment(self, entry: Entry, *, language: str | None) -> bytes:
        """One entry in UTF-8, to be stored as it is; `language` is the feed's.

        Raises:
            RenderError: the entry lacks what the format cannot do without.
        """

    def assemble(self, feed_head: Feed, fragments: Iterable[bytes], *, name: str = "") -> Document:
        """Join the head of a feed and fragments; the entries of `feed_head` are not written.

        The etag is a digest of the body. `name` may stand for the fragments in their order: then it is
        one of the head and of the name, and the same name must always stand for the same bytes.

        Raises:
            RenderError: the feed lacks what the format cannot do without.
        """


WRITERS: Mapping[Format, Writer] = MappingProxyType(
    {"atom": atom, "rss": rss, "json": jsonfeed, "ninjs": ninjs}
)


def render(feed: Feed, format: Format = "atom") -> Document:
    """The document of a feed, its entries in the order given; the same feed always gives the same bytes.

    Raises:
        RenderError: the format is unknown, the feed or an entry lacks what the format cannot do
            without, or two entries carry the same id.
    """
    writer = WRITERS.get(format)
    if writer is None:
        raise RenderError(f"No feed is written as {format!r}: ask for one of {', '.join(WRITERS)}")
    refuse_twins(feed.entries)
    return writer.assemble(
        feed, [writer.entry_fragment(entry, language=feed.language) for entry in feed.entries]
    )
