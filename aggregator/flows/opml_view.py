"""The sources that we follow, as far as strangers may know them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from aggregator.model import Source
from aggregator.store import sources
from feeds.opml import Subscription, SubscriptionList
from feeds.shareable import is_shareable


def followed(session: Session, *, title: str) -> SubscriptionList:
    """The sources that are asked now, by title, without those whose address is somebody's own."""
    asked = [one for one in sources.all_sources(session) if not one.is_paused and one.gone_at is None]
    shared = [one for one in asked if is_shareable(one.url)]
    return SubscriptionList(title, _newest(shared), tuple(map(_subscription, shared)))


def _newest(found: Iterable[Source]) -> datetime | None:
    """When the list last grew; not the time of asking, so that the same list is the same bytes."""
    return max((one.added_at for one in found), default=None)


def _subscription(source: Source) -> Subscription:
    site = source.site_url if source.site_url and is_shareable(source.site_url) else None
    # A source without a title is named by its address.
    title = source.title if source.title != source.url else ""
    return Subscription(source.url, title, site, source.language)
