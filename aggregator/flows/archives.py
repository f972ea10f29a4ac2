"""What left a channel's document stays to be read: archive pages, chained and never changed (RFC 5005).

Every entry that subscribers were told of stands in the document or in a page. Pages may hold what
still stands in the document too; of two states of an entry, the one updated last counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from aggregator.outgoing import ArchivePage, Carried
from aggregator.rules.channels import Channel, Site, archive_path, head_of
from aggregator.rules.codings import packed
from aggregator.store import carried, documents
from feeds.model import Feed, Link
from feeds.write import atom

#: Entries of a page, at most. A page is made for what leaves the document, and is filled with what
#: will leave it next, so that there is one page for as many departures.
PAGE = 50

#: The rendered entries of rows, in their order.
Render = Callable[[Session, Sequence[Carried]], list[bytes]]


def forget_removed(session: Session, channel: Channel, first: int) -> None:
    """Take back the pages from number `first` on: something in them must not be read any more.

    What else stood in them is archived anew, under new addresses; the old ones answer 410.
    """
    documents.replace_pages(session, channel.slug, first)
    carried.unmark_archived(session, channel.slug, first)


def archive_past(session: Session, channel: Channel, site: Site, render: Render, *, now: datetime) -> int:
    """Make pages until everything that left the document stands in one; how many were made."""
    made = 0
    while left := carried.unarchived(session, channel.slug, present=False, limit=PAGE):
        room = PAGE - len(left)
        # Taken along in the order in which they will leave.
        next_ = carried.unarchived(session, channel.slug, present=True, limit=room) if room else []
        _make_page(session, channel, site, render, [*left, *next_], now)
        made += 1
    return made


def _make_page(
    session: Session, channel: Channel, site: Site, render: Render, rows: Sequence[Carried], now: datetime
) -> None:
    last, before = documents.newest_page(session, channel.slug) or (0, None)
    number = last + 1
    newest_first = sorted(rows, key=lambda row: row.entry.updated or now, reverse=True)
    fragments = render(session, newest_first)
    # The address is part of the page, so its digest is that of the page without it.
    digest = atom.assemble(_head(channel, site, newest_first, before, ""), fragments).etag.strip('"')[:12]
    name = f"{number}-{digest}"
    document = atom.assemble(_head(channel, site, newest_first, before, name), fragments)
    ids = tuple(row.entry_id for row in newest_first)
    documents.put_page(
        session,
        ArchivePage(
            channel.slug, number, name, document.media_type, packed(document.body), document.etag, now, ids
        ),
    )
    carried.mark_archived(session, channel.slug, ids, number)


def _head(channel: Channel, site: Site, rows: Sequence[Carried], before: str | None, name: str) -> Feed:
    head = head_of(channel, site, updated=rows[0].entry.updated, archive=before)
    links = [link for link in head.links if link.rel != "self"]
    own = Link(site.page(archive_path(channel.slug, name)), rel="self", type="application/atom+xml")
    current = Link(site.page(channel.path), rel="current")
    # The W3C validator calls an archive incomplete that leads to no other page, as the oldest does.
    # What it is its link to the current document says too.
    return replace(head, links=(own, *links, current), is_archive=before is not None)
