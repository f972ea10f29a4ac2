"""Where sources went: a feed that worked once and is lost is looked for, and an editor decides."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.looking import FeedSeen, Looker, followed_addresses
from aggregator.flows.sources import changing
from aggregator.model import Clock
from aggregator.outgoing import PushSource
from aggregator.store import moves, paced, pauses, push_sources, sources
from aggregator.store.database import Database
from aggregator.store.tables import FetchRow
from feeds.errors import FailureKind, FetchError
from feeds.urls import canonical, host_of

log = logging.getLogger(__name__)

#: Sources that one run looks for: each may take as long as a few fetches.
AT_ONCE = 5
#: A source is looked for so often, as long as it is lost.
EVERY = timedelta(days=7)
#: Failures after which a source is looked for.
LOST = moves.LOST
#: Headlines that an editor is shown.
HEADLINES = 5


@dataclass(frozen=True, slots=True)
class Proposal:
    """Where a lost source seems to have gone."""

    url: str
    #: What the feed there calls itself.
    title: str
    #: Its newest ones.
    headlines: tuple[str, ...]
    #: How it was found, in words.
    why: str
    looked_at: datetime


@dataclass(frozen=True, slots=True)
class Address:
    """An address that a source had before."""

    url: str
    until: datetime
    #: Why it is another now.
    why: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a source is asked, was asked and seems to be; and what keeps it from being asked."""

    proposal: Proposal | None
    before: tuple[Address, ...]
    #: Its domain, and until when that is paused.
    paused: tuple[str, datetime] | None
    #: How often nothing that it showed was known, and when last.
    gaps: int
    gap_at: datetime | None
    #: Who sends it to us, or is to; None where its feed names no hub that was asked.
    hub: PushSource | None


def whereabouts(session: Session, source_id: int, now: datetime) -> Whereabouts:
    """Everything about where a source stands."""
    source, kept = sources.by_id(session, source_id), moves.proposal(session, source_id)
    proposal = None
    if source is not None and kept is not None and kept.url and source.failure_kind in moves.LOST:
        headlines = tuple(json.loads(kept.headlines))
        proposal = Proposal(kept.url, kept.title, headlines, kept.why, kept.looked_at)
    before = tuple(Address(old.url, old.until, old.why) for old in moves.old_urls(session, source_id))
    hub = push_sources.of_source(session, source_id)
    gaps, gap_at = paced.gaps(session, source_id)
    return Whereabouts(
        proposal,
        before,
        pauses.pause_of(session, source_id, now),
        gaps,
        gap_at,
        hub if _is_asked(hub) else None,
    )


def _is_asked(hub: PushSource | None) -> bool:
    return hub is not None and (hub.is_confirmed or hub.tries > 0 or hub.pushed_at is not None)


def hops_of(fetch: FetchRow) -> list[tuple[int, str]]:
    """The redirects that a fetch was led through: each status, and where it led."""
    return [(status, to) for _, status, to in json.loads(fetch.hops or "[]")]


async def look_for_lost(database: Database, looker: Looker, clock: Clock) -> int:
    """Look for sources that worked once and are not found, are gone, or became a page; how many were found."""
    found = 0
    before = clock() - EVERY
    lost = await database.read(partial(moves.to_look_for, before=before, limit=AT_ONCE))
    for source_id, url, site_url, failure in lost:
        followed = await database.read(followed_addresses)
        seen, where = None, ""
        for address in _addresses(url, site_url, failure):
            seen = await _best(looker, address, followed)
            where = host_of(address)
            if seen is not None:
                break
        found += seen is not None
        why = f"found on {where}" if seen is not None else f"nothing was found on {where}"
        keep = partial(
            moves.propose,
            source_id=source_id,
            url=seen.url if seen else None,
            title=seen.title if seen else "",
            headlines=[entry.title for entry in seen.entries[:HEADLINES]] if seen else (),
            why=why,
            now=clock(),
        )
        await database.write(keep)
        log.info("lost source looked for", extra={"source": source_id, "found": seen.url if seen else None})
    return found


async def follow_proposal(database: Database, clock: Clock, source_id: int, *, by: str) -> None:
    """Follow a source where it was found. Its stories stay its own.

    Raises:
        BadInput: nothing is proposed any more, or another source is followed there.
    """

    def follow(session: Session) -> None:
        kept = moves.proposal(session, source_id)
        if kept is None or kept.url is None:
            raise BadInput("Nothing is proposed for this source any more.")
        now = clock()
        with changing(session, source_id, "source.move", by=by, now=now):
            other = moves.move(session, source_id, kept.url, now=now, why=f"{by} says to follow it there")
        if other is not None:
            raise BadInput(f"Source {other} is followed there already; two sources are never made one.")
        moves.go_on(session, source_id, now, why=f"{by} says to follow it at its new address")

    await database.write(follow)
    log.info("source moved", extra={"source": source_id, "by": by})


async def refuse_proposal(database: Database, clock: Clock, source_id: int, *, by: str) -> None:
    """A source is not where it was found; that address is not proposed again."""

    def refuse(session: Session) -> None:
        kept = moves.proposal(session, source_id)
        with changing(
            session, source_id, "source.stay", by=by, now=clock(), why=kept.url or "" if kept else ""
        ):
            moves.refuse(session, source_id, by=by)

    await database.write(refuse)


def _addresses(url: str, site_url: str | None, failure: str) -> list[str]:
    """Where to look: a page that stands where the feed was, its site, the front page of its host."""
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
    places = [url] if failure == FailureKind.NOT_A_FEED else []
    return list(dict.fromkeys([*places, *([site_url] if site_url else []), root]))


async def _best(looker: Looker, address: str, followed: frozenset[str]) -> FeedSeen | None:
    """The first feed at an address that can be read, shows something, and is not followed."""
    try:
        look = await looker.look(address, followed=followed)
    except (FetchError, BadInput):
        return None
    for seen in look.feeds:
        is_new = not {canonical(seen.url), canonical(seen.final_url)} & followed
        if seen.failure is None and seen.entries and is_new:
            return seen
    return None
