"""How often sources give stories, read from the index over their times alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from sqlalchemy import func, select
from sqlmodel import Session

from aggregator.store.dialects import chunks
from aggregator.store.tables import SOURCE, STORY

_OWN = STORY.c.source_id == SOURCE.c.id


def spans(session: Session, *, stories: int, only: int | None = None) -> dict[int, tuple[datetime, datetime]]:
    """When each source gave the newest and the oldest of its newest so many `stories`.

    Three looks into the index for each source, however many stories it has given.
    """
    newest = select(func.max(STORY.c.sorted_at)).where(_OWN).correlate(SOURCE).scalar_subquery()
    first = select(func.min(STORY.c.sorted_at)).where(_OWN).correlate(SOURCE).scalar_subquery()
    order = STORY.c.sorted_at.desc()
    earlier = select(STORY.c.sorted_at).where(_OWN).order_by(order).limit(1).offset(stories - 1)
    query = select(SOURCE.c.id, newest, func.coalesce(earlier.correlate(SOURCE).scalar_subquery(), first))
    if only is not None:
        query = query.where(SOURCE.c.id == only)
    return {id: (new, old) for id, new, old in session.execute(query) if new is not None}


def counts(
    session: Session, sources: Sequence[int], bounds: Sequence[datetime]
) -> dict[int, tuple[int, ...]]:
    """How many stories each of these sources gave between one of the `bounds` and the next.

    Each count is one range of the index: grouping by a part of the time would sort all of them first,
    which took five times as long over a busy week.
    """
    columns = [
        select(func.count())
        .where(_OWN, STORY.c.sorted_at >= begin, STORY.c.sorted_at < end)
        .correlate(SOURCE)
        .scalar_subquery()
        for begin, end in pairwise(bounds)
    ]
    found: dict[int, tuple[int, ...]] = {}
    for ids in chunks(sources, columns=1 + 2 * len(columns)):
        for id, *row in session.execute(select(SOURCE.c.id, *columns).where(SOURCE.c.id.in_(ids))):
            found[id] = tuple(row)
    return found
