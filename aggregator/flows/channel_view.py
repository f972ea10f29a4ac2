"""What the desk shows of channels: how each one stands, who is pushed to, what the next rendering changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from aggregator.outgoing import Carried, DocumentHead, Partner, PushTry, Subscriber
from aggregator.rules.channels import FORMATS, Channel
from aggregator.store import carried, documents, partners, subscribers

#: Subscribers that are named, those in trouble first; and tries of the log.
MOST_SUBSCRIBERS, MOST_TRIES = 200, 40


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel in one row."""

    channel: Channel
    #: By format; empty before it was rendered.
    documents: Mapping[str, DocumentHead]
    #: Who is pushed to, and how many of them have the newest document.
    subscribers: int
    current: int
    #: The partners that may read it.
    partners: tuple[Partner, ...]
    #: Pages of its archive.
    pages: int

    @property
    def entries(self) -> int:
        """How many entries stand in its documents."""
        return max((head.entries for head in self.documents.values()), default=0)

    @property
    def changed_at(self) -> datetime | None:
        """When its documents last changed; None before the first rendering."""
        return max((head.last_modified for head in self.documents.values()), default=None)


@dataclass(frozen=True, slots=True)
class SubscriberSeen:
    """A subscriber, and whether it was given the document that is served."""

    subscriber: Subscriber
    is_current: bool


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """A channel with all that its page shows but the preview."""

    row: ChannelRow
    #: What stands in its documents, newest first.
    entries: tuple[Carried, ...]
    subscribers: tuple[SubscriberSeen, ...]
    #: The last deliveries to subscribers, newest first.
    tries: tuple[PushTry, ...]


def all_channels(session: Session, channels: Sequence[Channel], now: datetime) -> list[ChannelRow]:
    """How each channel stands, in their order."""
    heads = documents.heads(session)
    counted, pages = subscribers.counted(session, now), documents.count_pages(session)
    known = [partner for partner in partners.everyone(session) if partner.revoked_at is None]
    rows = []
    for channel in channels:
        own = {head.format: head for head in heads if head.channel == channel.slug}
        count, current = counted.get(channel.slug, (0, 0))
        readers = tuple(partner for partner in known if channel.slug in partner.channels)
        shown = {format: own[format] for format in FORMATS if format in own}
        rows.append(ChannelRow(channel, shown, count, current, readers, pages.get(channel.slug, 0)))
    return rows


def one_channel(session: Session, channel: Channel, now: datetime) -> ChannelSeen:
    """A channel as its page shows it."""
    (row,) = all_channels(session, [channel], now)
    entries = sorted(carried.present(session, channel.slug).values(), key=_order, reverse=True)
    pushed = subscribers.of_channel(session, channel.slug, limit=MOST_SUBSCRIBERS)
    etags = {format: head.etag for format, head in row.documents.items()}
    seen = [SubscriberSeen(one, etags.get(one.format) == one.etag) for one in pushed]
    tries = subscribers.tries(session, channel.slug, limit=MOST_TRIES)
    return ChannelSeen(row, tuple(entries), tuple(seen), tuple(tries))


def _order(row: Carried) -> tuple[datetime, str]:
    return row.entry.updated or row.dated, row.entry_id
