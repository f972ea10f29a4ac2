"""What keeps the house: the search index, and old records that are forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlmodel import Session

from aggregator.model import Clock
from aggregator.store import anchors, documents, evidence, sources, stories, subscribers
from aggregator.store.database import Database
from aggregator.written import Duration

#: Versions that go into the search index in one transaction: many make it cheaper, and some megabytes.
BATCH = 2_000

#: How common an anchor is, is counted over the stories of so long.
ANCHOR_WINDOW = timedelta(days=90)

#: How long the log of deliveries to subscribers goes back: a busy channel fills it fast.
PUSH_TRIES = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class KeepSettings:
    """What is forgotten, and when. Decisions are never forgotten, nor what somebody picked."""

    #: Fetches that found nothing new.
    fetches: Duration = timedelta(days=30)
    #: Rendered entries that no channel shows any more.
    fragments: Duration = timedelta(days=7)
    #: Bodies as they came, from which something new was read; and how many bytes of them, compressed (0: any).
    evidence: Duration = timedelta(days=14)
    evidence_bytes: int = 1_000_000_000
    #: Stories that no brief picked and no channel shows; 0 keeps all. A source may have a say of its own.
    stories: Duration = timedelta()
    #: What all stories may take, in bytes; beyond it the oldest go. 0 sets no limit.
    stories_bytes: int = 0
    #: A source that answered nothing usable for this long is reported by `doctor`.
    silence: Duration = timedelta(days=1)
    #: And what came longer ago than this and is in no backup; 0 where others look after backups.
    backups: Duration = timedelta(days=7)


async def index_search(database: Database) -> int:
    """Bring the search index up to the newest version; how many versions went in."""
    total = 0
    # Asked by a reader first: mostly there is nothing to write.
    while not await database.read(stories.is_searchable):
        if not (done := await database.write(partial(stories.index_new, limit=BATCH))):
            break
        total += done
    return total


async def count_anchors(database: Database, clock: Clock) -> None:
    """Count anew how common each anchor is, over the stories of the rolling window."""
    since = clock() - ANCHOR_WINDOW
    await database.write(partial(anchors.recount, since=since))


async def forget_old(database: Database, clock: Clock, settings: KeepSettings) -> int:
    """Forget what `KeepSettings` lets go; how many rows."""
    now = clock()

    def prune(session: Session) -> int:
        old = sources.prune_fetches(session, now - settings.fetches)
        old += documents.prune_fragments(session, now - settings.fragments)
        old += subscribers.prune_tries(session, now - PUSH_TRIES)
        old += evidence.prune(session, now - settings.evidence, most=settings.evidence_bytes)
        return old + subscribers.drop_expired(session, now)

    return await database.write(prune)
