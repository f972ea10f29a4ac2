"""Old stories are purged: by age, by size, by source; never what a brief picked or a channel shows."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.flows.sources import changing
from aggregator.flows.upkeep import KeepSettings
from aggregator.model import Clock
from aggregator.store import retention
from aggregator.store.database import Database

log = logging.getLogger(__name__)

#: Stories that go in one transaction: others write in between.
BATCH = 500
#: Younger stories never go, whatever room they take: clustering and channels work with them.
LEAST = timedelta(days=7)
#: The longest that a source's stories may be kept by its own say, in days, short of for ever.
MOST_DAYS = 36_500


async def purge_stories(database: Database, clock: Clock, settings: KeepSettings) -> int:
    """Purge what is older than it is kept, or too much; how many stories went."""
    now = clock()
    own = await database.read(retention.own_ages)
    gone = 0
    if settings.stories:
        before = now - max(settings.stories, LEAST)
        gone += await _purge(database, clock, "age", before, but=tuple(own))
    for source, days in own.items():
        if days:
            before = now - max(timedelta(days=days), LEAST)
            gone += await _purge(database, clock, "source", before, source=source)
    if settings.stories_bytes:
        beyond = await database.read(partial(retention.beyond, most=settings.stories_bytes))
        if beyond is not None:
            # One that is to be kept for ever stays, though there is no room.
            forever = tuple(source for source, days in own.items() if not days)
            gone += await _purge(database, clock, "size", beyond, seen_before=now - LEAST, but=forever)
    return gone


async def keep_source(database: Database, clock: Clock, source_id: int, written: str, *, by: str) -> None:
    """Say for how many days a source's stories are kept: "" as the settings say, 0 for ever.

    Raises:
        BadInput: that is no number of days.
    """
    days = days_of(written)

    def keep(session: Session) -> None:
        with changing(session, source_id, "source.keep", by=by, now=clock()):
            retention.keep_for(session, source_id, days)

    await database.write(keep)


def days_of(written: str) -> int | None:
    """A number of days as an editor writes it; None where nothing is written.

    Raises:
        BadInput: it is none, or no story may be purged so soon.
    """
    text = written.strip()
    if not text:
        return None
    days = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_DAYS)) else -1
    if not (days == 0 or LEAST.days <= days <= MOST_DAYS):
        raise BadInput(
            f"Write a number of days, {LEAST.days} or more. 0 keeps its stories for ever; "
            "leave it empty for what the settings say."
        )
    return days


async def _purge(
    database: Database,
    clock: Clock,
    reason: str,
    before: datetime,
    *,
    seen_before: datetime | None = None,
    source: int | None = None,
    but: tuple[int, ...] = (),
) -> int:
    stories = versions = 0
    seen = seen_before or before
    find = partial(retention.purgeable, before=before, seen_before=seen, limit=BATCH, source=source, but=but)
    while found := await database.read(find):
        went = await database.write(partial(retention.purge, story_ids=found, now=clock()))
        stories, versions = stories + went[0], versions + went[1]
        if not went[0]:
            # All of them were picked meanwhile; the next upkeep looks again.
            break
    if stories:
        facts = {"by": reason, "stories": stories, "versions": versions, "before": before.isoformat()}
        log.info("stories purged", extra=facts | ({"source_id": source} if source is not None else {}))
    return stories
