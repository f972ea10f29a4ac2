"""What keeps the house: the search index, old records, and `doctor`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlmodel import Session

from aggregator.errors import AggregatorError
from aggregator.flows.alarms import in_words
from aggregator.model import Clock
from aggregator.store import (
    accounts,
    alarms,
    anchors,
    briefs,
    documents,
    evidence,
    pauses,
    schema,
    sources,
    stories,
    subscribers,
)
from aggregator.store.database import Database, StoreError
from aggregator.store.health import integrity
from aggregator.written import Duration
from feeds.urls import host_of

#: Versions that go into the search index in one transaction: many make it cheaper, and some megabytes.
BATCH = 2_000

#: How common an anchor is, is counted over the stories of so long.
ANCHOR_WINDOW = timedelta(days=90)

#: An outage of our own that ended is told of for so long.
OUTAGES = timedelta(days=1)

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


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `doctor` looked at."""

    #: What was looked at.
    name: str
    is_well: bool
    #: What was found, and what to do where it is not well.
    says: str


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


async def examine(database: Database, clock: Clock, settings: KeepSettings) -> list[Finding]:
    """Look at everything that can be wrong, and say what to do about it."""
    looks: Sequence[tuple[str, Callable[[Session], Finding]]] = [
        ("schema", _schema),
        ("integrity", _integrity),
        ("search", _search),
        ("sources", partial(_sources, clock=clock, settings=settings)),
        ("connection", partial(_connection, clock=clock)),
        ("alarms", _alarms),
        ("briefs", _briefs),
        ("accounts", _accounts),
    ]
    found = []
    for name, look in looks:
        try:
            found.append(await database.read(look))
        except (StoreError, AggregatorError) as error:
            found.append(Finding(name, False, str(error)))
    return found


def _schema(session: Session) -> Finding:
    have, differences = schema.revision(session), schema.drift(session)
    if have != schema.head():
        return Finding("schema", False, f"schema {have} instead of {schema.head()}: run `wirebrief init`.")
    if differences:
        return Finding("schema", False, f"the tables were changed by hand: {'; '.join(differences)}")
    return Finding("schema", True, f"schema {have}")


def _integrity(session: Session) -> Finding:
    faults = integrity(session)
    if faults:
        return Finding("integrity", False, f"{'; '.join(faults)}. Put the last backup in its place.")
    return Finding("integrity", True, "every table and index is whole")


def _search(session: Session) -> Finding:
    behind = stories.newest_version(session) - stories.indexed_upto(session)
    if behind > 0:
        return Finding(
            "search", False, f"up to {behind} versions are not searchable yet; `wirebrief poll` adds them."
        )
    return Finding("search", True, f"{stories.count(session)} stories are searchable")


def _sources(session: Session, *, clock: Clock, settings: KeepSettings) -> Finding:
    quiet = sources.silent(session, clock() - settings.silence)
    followed = len(sources.all_sources(session))
    if quiet:
        names = "; ".join(f"{source.title or source.url} ({source.why})" for source in quiet[:10])
        return Finding("sources", False, f"{len(quiet)} of {followed} sources are silent: {names}")
    if not followed:
        return Finding("sources", False, "nothing is followed yet: `wirebrief sources add URL`")
    return Finding("sources", True, f"{followed} sources, none silent")


def _connection(session: Session, *, clock: Clock) -> Finding:
    outage = pauses.outage(session, clock() - OUTAGES)
    if outage is None:
        return Finding("connection", True, "our own connection has not failed in the last day")
    since = f"our own connection failed at {outage.began_at:%Y-%m-%d %H:%M} UTC ({outage.why})"
    if outage.ended_at is None:
        return Finding("connection", False, f"{since}: look at this machine's network.")
    return Finding("connection", True, f"{since} and was back at {outage.ended_at:%H:%M}")


def _alarms(session: Session) -> Finding:
    standing = alarms.standing(session)
    if not standing:
        return Finding("alarms", True, "no alarm about a source stands")
    names = {source.id: source.title or host_of(source.url) for source in sources.all_sources(session)}
    return Finding("alarms", False, f"{len(standing)} about sources: {in_words(standing, names)}")


def _briefs(session: Session) -> Finding:
    known = briefs.all_briefs(session)
    public = sum(brief.state.value == "published" for brief in known)
    return Finding("briefs", True, f"{len(known)} briefs, {public} of them published")


def _accounts(session: Session) -> Finding:
    if accounts.count(session):
        return Finding("accounts", True, f"{accounts.count(session)} may decide things")
    return Finding("accounts", False, "nobody may use the API yet: `wirebrief init` makes the first account.")
