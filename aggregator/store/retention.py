"""What is purged: old stories that nobody picked, that no document shows and that hold up no event.

A purged story leaves its key, so that a feed which still shows it does not bring it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlmodel import Session

from aggregator.store import anchors
from aggregator.store.dialects import chunks, exclusive, unindex_stories, upsert
from aggregator.store.tables import (
    CLUSTER,
    CLUSTER_MERGE,
    CLUSTER_STORY,
    SOURCE,
    STORY,
    STORY_LINK,
    VERSION,
)
from aggregator.store.tables_desk import EVENT_MARK
from aggregator.store.tables_ingest import STORY_KEY
from aggregator.store.tables_out import CARRIED

#: Bytes of a story beside its texts: its row, its anchors, its place in the indexes; an estimate.
_BESIDE = 1_500


def purgeable(
    session: Session,
    *,
    before: datetime,
    seen_before: datetime,
    limit: int,
    source: int | None = None,
    but: Sequence[int] = (),
) -> list[int]:
    """Up to so many stories that may go, the oldest first: of one source, or of all but some.

    They were published before `before`, and first seen and last changed before `seen_before`.
    """
    newest = select(func.max(STORY.c.id)).scalar_subquery()
    query = (
        select(STORY.c.id)
        .join(VERSION, and_(VERSION.c.story_id == STORY.c.id, VERSION.c.number == STORY.c.versions))
        .where(
            STORY.c.sorted_at < before,
            STORY.c.first_seen < seen_before,
            VERSION.c.seen_at < seen_before,
            # SQLite gives the highest number out again once its story is gone.
            STORY.c.id < newest,
            *_untouched(),
        )
        .order_by(STORY.c.sorted_at, STORY.c.id)
        .limit(limit)
    )
    if source is not None:
        query = query.where(STORY.c.source_id == source)
    if but:
        query = query.where(STORY.c.source_id.not_in(but))
    return list(session.execute(query).scalars())


def purge(session: Session, story_ids: Sequence[int], *, now: datetime) -> tuple[int, int]:
    """Forget these stories with all that hangs on them; how many stories and versions.

    Those that somebody picked since they were found stay.
    """
    exclusive(session, "versions")
    # Nor may one of them enter the search index meanwhile.
    exclusive(session, "search")
    stories, versions = 0, 0
    for some in chunks(story_ids, columns=4):
        still = list(session.execute(select(STORY.c.id).where(STORY.c.id.in_(some), *_untouched())).scalars())
        if not still:
            continue
        _leave_keys(session, still, now)
        anchors.forget(session, still)
        unindex_stories(session, still)
        # A cluster goes with the only story in it; what is not named here goes with the story itself.
        session.execute(delete(CLUSTER_STORY).where(CLUSTER_STORY.c.story_id.in_(still)))
        session.execute(delete(CLUSTER).where(CLUSTER.c.id.in_(still)))
        gone = session.execute(delete(VERSION).where(VERSION.c.story_id.in_(still)))
        versions += int(gone.rowcount)  # type: ignore[attr-defined]
        session.execute(delete(STORY).where(STORY.c.id.in_(still)))
        stories += len(still)
    return stories, versions


def own_ages(session: Session) -> dict[int, int]:
    """For how many days the stories of those sources are kept that have a say of their own; 0 is for ever."""
    query = select(SOURCE.c.id, SOURCE.c.keep_days).where(SOURCE.c.keep_days.is_not(None))
    return {id: int(days) for id, days in session.execute(query)}


def keep_for(session: Session, source_id: int, days: int | None) -> None:
    """Say for how many days a source's stories are kept, 0 for ever; None leaves it to the settings."""
    session.execute(update(SOURCE).where(SOURCE.c.id == source_id).values(keep_days=days))


def beyond(session: Session, most: int, *, step: int = 5_000) -> datetime | None:
    """Which stories are too many where all may take `most` bytes: those before this; None where all fit.

    Stories are measured from the newest on, until what may be taken is full.
    """
    total = 0
    last: tuple[datetime, int] | None = None
    while True:
        sizes = _sizes(last, step)
        rows = session.execute(sizes).all()
        for id, at, size in rows:
            total += int(size)
            if total > most:
                return last[0] if last is not None else at + timedelta(microseconds=1)
            last = (at, id)
        if len(rows) < step:
            return None


def _sizes(after: tuple[datetime, int] | None, step: int) -> Select[tuple[int, datetime, int]]:
    some = select(STORY.c.id, STORY.c.sorted_at).order_by(STORY.c.sorted_at.desc(), STORY.c.id.desc())
    if after is not None:
        at, id = after
        some = some.where(or_(STORY.c.sorted_at < at, and_(STORY.c.sorted_at == at, STORY.c.id < id)))
    page = some.limit(step).subquery()
    # Each text stands in its version and, in words, in the search index; in the entry once more.
    texts = func.length(VERSION.c.title) + func.length(VERSION.c.summary) + func.length(VERSION.c.body)
    taken = func.coalesce(func.sum(texts * 3), 0) + _BESIDE
    return (
        select(page.c.id, page.c.sorted_at, taken)
        .join(VERSION, VERSION.c.story_id == page.c.id)
        .group_by(page.c.id, page.c.sorted_at)
        .order_by(page.c.sorted_at.desc(), page.c.id.desc())
    )


def _untouched() -> list[ColumnElement[bool]]:
    """What holds for a story that nothing else stands on."""
    own, other, member, mine = (table.alias() for table in (CLUSTER, CLUSTER, CLUSTER_STORY, CLUSTER_STORY))
    # A pick that was undone may have been published; a mark is a decision about an event.
    picked = select(STORY_LINK.c.id).where(STORY_LINK.c.story_id == STORY.c.id)
    marked = select(EVENT_MARK.c.id).where(EVENT_MARK.c.cluster_id == STORY.c.id)
    shown = select(CARRIED.c.ref).where(
        CARRIED.c.kind == "story", CARRIED.c.ref == STORY.c.id, CARRIED.c.is_present
    )
    # A cluster is known by the story that began it: it stays while others stand in it, or were merged with it.
    company = select(member.c.story_id).where(
        member.c.cluster_id == STORY.c.id, member.c.story_id != STORY.c.id
    )
    merged = select(CLUSTER_MERGE.c.id).where(
        or_(CLUSTER_MERGE.c.kept == STORY.c.id, CLUSTER_MERGE.c.gone == STORY.c.id)
    )
    under = select(other.c.id).where(
        other.c.id != STORY.c.id, or_(other.c.root == STORY.c.id, other.c.merged_into == STORY.c.id)
    )
    part = select(own.c.id).where(own.c.id == STORY.c.id, own.c.root != STORY.c.id)
    # The first story with a text stays while its copies do.
    copied = (
        select(member.c.story_id)
        .join(mine, mine.c.cluster_id == member.c.cluster_id)
        .where(
            mine.c.story_id == STORY.c.id, member.c.copy_group == STORY.c.id, member.c.story_id != STORY.c.id
        )
    )
    return [~each.exists() for each in (picked, marked, shown, company, merged, under, part, copied)]


def _leave_keys(session: Session, story_ids: Sequence[int], now: datetime) -> None:
    """Let the keys of these stories stay, and lead nowhere."""
    session.execute(
        update(STORY_KEY).where(STORY_KEY.c.story_id.in_(story_ids)).values(story_id=None, purged_at=now)
    )
    own = session.execute(
        select(STORY.c.source_id, STORY.c.key, STORY.c.page).where(STORY.c.id.in_(story_ids))
    ).all()
    # Its page too, or it would come back under another id; but not one where other stories stand.
    pages = {(source, page) for source, _, page in own if page} - _still_at(session, story_ids)
    names = {(source, key) for source, key, _ in own} | pages
    rows = [{"source_id": s, "key": key, "story_id": None, "purged_at": now} for s, key in sorted(names)]
    if rows:
        statement = upsert(session, STORY_KEY).values(rows)
        session.execute(statement.on_conflict_do_nothing(index_elements=["source_id", "key"]))


def _still_at(session: Session, story_ids: Sequence[int]) -> set[tuple[int, str]]:
    """The pages of these stories, by source, at which others stand that stay."""
    gone, stays = STORY.alias(), STORY.alias()
    query = (
        select(stays.c.source_id, stays.c.page)
        .join(gone, and_(gone.c.source_id == stays.c.source_id, gone.c.page == stays.c.page))
        .where(gone.c.id.in_(story_ids), stays.c.id.not_in(story_ids))
    )
    return {(source, page) for source, page in session.execute(query) if page}
