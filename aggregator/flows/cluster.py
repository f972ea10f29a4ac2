"""New stories are put into clusters: copies of one text, and reports of one event."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from sqlmodel import Session

from aggregator.language.reading import anchors
from aggregator.model import Clock
from aggregator.rules.cluster_window import ClusterSettings, Settled, Window, restored
from aggregator.rules.clusters import Decision, Joined, Merged, assign
from aggregator.rules.readings import Arrival, text_of
from aggregator.store import clusters
from aggregator.store.clusters import Placed, StoryText
from aggregator.store.database import Database

#: Characters of a story that are read: its event stands at the beginning.
LEAD = 1_500
#: ISO 639's code for a language that nobody could tell.
UNDETERMINED = "und"


@dataclass(frozen=True, slots=True)
class Clustered:
    """What came of it."""

    #: Versions read.
    read: int
    #: Clusters that were begun.
    clusters: int
    merges: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is decided in one go, and on what ground."""

    cursor: int
    undone: int
    settings: ClusterSettings
    texts: list[StoryText]
    #: Stories that share their cluster with others: a new version moves none of them.
    settled: frozenset[int]
    #: The stories before them and the pairs that were parted, unless the window is at hand.
    before: list[tuple[StoryText, int, int]] | None
    parted: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A window that stands where the database stands; else it is read anew."""

    cursor: int
    undone: int
    settings: ClusterSettings
    window: Window


#: Windows between two calls. They only spare reading some days of stories again.
_windows: WeakKeyDictionary[Database, _Kept] = WeakKeyDictionary()


async def cluster_new(database: Database, clock: Clock, settings: ClusterSettings | None = None) -> Clustered:
    """Put every story that came since the last time into a cluster.

    Several workers may do so at once: of two with the same stories, one writes.

    Raises:
        StoreError: the database refused.
    """
    done = Clustered(0, 0, 0)
    while some := await _cluster_some(database, clock, settings or ClusterSettings()):
        done = Clustered(done.read + some.read, done.clusters + some.clusters, done.merges + some.merges)
    return done


async def _cluster_some(database: Database, clock: Clock, settings: ClusterSettings) -> Clustered | None:
    """Decide on the next stories; None where there are none."""
    kept = _windows.get(database)
    batch = await database.read(lambda session: _next(session, settings, kept))
    if not batch.texts:
        return None
    # What is decided changes the window, and is not true of the database before it is written.
    _windows.pop(database, None)
    # On a thread: it computes for a while, and the server goes on answering meanwhile.
    decisions, window = await asyncio.to_thread(_decide, batch, kept)
    upto = batch.texts[-1].version_id
    if not await database.write(lambda session: _write(session, batch.cursor, upto, decisions, clock())):
        return Clustered(0, 0, 0)
    _windows[database] = _Kept(upto, batch.undone, settings, window)
    return Clustered(
        read=len(batch.texts),
        clusters=sum(isinstance(d, Joined) and d.cluster_id == d.story_id for d in decisions),
        merges=sum(isinstance(d, Merged) for d in decisions),
    )


def _next(session: Session, settings: ClusterSettings, kept: _Kept | None) -> _Batch:
    cursor, undone = clusters.cursor(session), clusters.undone(session)
    texts = clusters.waiting(session, cursor, limit=settings.batch)
    at_hand = kept is not None and (kept.cursor, kept.undone, kept.settings) == (cursor, undone, settings)
    places = clusters.places(session, [text.story_id for text in texts])
    return _Batch(
        cursor=cursor,
        undone=undone,
        settings=settings,
        texts=texts,
        settled=frozenset(story for story, place in places.items() if place.has_company),
        before=None if at_hand or not texts else _before(session, cursor, settings),
        parted=clusters.parted(session),
    )


def _before(session: Session, cursor: int, settings: ClusterSettings) -> list[tuple[StoryText, int, int]]:
    newest = clusters.seen_at(session, cursor)
    return [] if newest is None else clusters.clustered(session, cursor, since=newest - settings.span)


def _decide(batch: _Batch, kept: _Kept | None) -> tuple[list[Decision], Window]:
    if kept is not None and batch.before is None:
        window = kept.window
    else:
        before = (Settled(arrival_of(text), root, group) for text, root, group in batch.before or ())
        window = restored(before, batch.settings, map(frozenset, batch.parted))
    return assign(map(arrival_of, batch.texts), window, settled=batch.settled), window


def _write(session: Session, before: int, after: int, decisions: Sequence[Decision], at: datetime) -> bool:
    if not clusters.advance(session, before, after):
        return False
    placed = [
        Placed(d.story_id, d.cluster_id, d.copy_group, d.score, d.why, d.agency)
        for d in decisions
        if isinstance(d, Joined)
    ]
    clusters.record(session, placed, _merges(decisions), at=at)
    return True


def _merges(decisions: Iterable[Decision]) -> list[tuple[int, int, str]]:
    return [(d.kept, d.gone, d.why) for d in decisions if isinstance(d, Merged)]


def arrival_of(text: StoryText) -> Arrival:
    """A version as the rules read it, with its anchors."""
    lead = (text.summary or text.body)[:LEAD]
    language = text.language or UNDETERMINED
    return Arrival(
        id=text.story_id,
        language=language,
        outlet=text.outlet,
        at=text.at,
        seen=text.seen,
        title=text.title,
        lead=lead,
        anchors=tuple(anchors(text_of(text.title, lead), language, dateline=text.at.date())),
    )
