"""What came in, in figures: counted from an index, so that no story is read for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from sqlalchemy import ColumnElement, Subquery, and_, func, literal, select, text, union_all
from sqlmodel import Session

from aggregator.store.tables import SOURCE, STORY, VERSION
from aggregator.store.tables_out import CARRIED

#: The first version of a story came with it. Written out: an index of these alone is only used so.
_CAME = text("version.number = 1")


def came(session: Session, edges: Sequence[datetime]) -> list[int]:
    """How many stories came between each of these times and the next one."""
    spans = [
        select(literal(place).label("place"), func.count().label("stories"))
        .select_from(VERSION)
        .where(_CAME, *_between(begin, end))
        for place, (begin, end) in enumerate(pairwise(edges))
    ]
    counted = {row[0]: row[1] for row in session.execute(union_all(*spans))} if spans else {}
    return [counted.get(place, 0) for place in range(len(spans))]


def languages(session: Session, since: datetime) -> list[tuple[str | None, int]]:
    """How many stories came in each language since then, the most first; None is an unknown one."""
    # As an expression, so that SQLite goes by the time and not by its index of languages.
    code = func.coalesce(VERSION.c.language, "")
    query = select(code, func.count()).where(_CAME, VERSION.c.seen_at >= since).group_by(code)
    rows = sorted(session.execute(query), key=lambda row: (-row[1], not row[0], row[0]))
    return [(code or None, count) for code, count in rows]


def wire_waits(session: Session, since: datetime, *, newest: int) -> list[tuple[datetime, datetime]]:
    """(published, first seen) of the newest stories that came since then.

    Without those that name no time, and those published before their source was followed.
    """
    came = _newest(since, newest)
    query = (
        select(STORY.c.published, STORY.c.first_seen)
        .select_from(came)
        .join(STORY, STORY.c.id == came.c.story_id)
        .join(SOURCE, SOURCE.c.id == STORY.c.source_id)
        .where(STORY.c.published.is_not(None), STORY.c.published >= SOURCE.c.added_at)
    )
    return [(published, seen) for published, seen in session.execute(query)]


def desk_waits(session: Session, since: datetime, *, newest: int) -> list[tuple[datetime, datetime]]:
    """(first seen, ready in a document) of those of the newest stories since then that a channel carries.

    Of a story in several channels the first one counts.
    """
    came = _newest(since, newest)
    query = (
        select(came.c.seen_at, func.min(CARRIED.c.served_at))
        .select_from(came)
        .join(CARRIED, and_(CARRIED.c.kind == "story", CARRIED.c.ref == came.c.story_id))
        .where(CARRIED.c.served_at.is_not(None))
        .group_by(came.c.story_id, came.c.seen_at)
    )
    return [(seen, served) for seen, served in session.execute(query)]


def _newest(since: datetime, newest: int) -> Subquery:
    """The stories that came last, as far back as this."""
    query = select(VERSION.c.story_id, VERSION.c.seen_at).where(_CAME, VERSION.c.seen_at >= since)
    return query.order_by(VERSION.c.seen_at.desc()).limit(newest).subquery()


def _between(begin: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    return VERSION.c.seen_at >= begin, VERSION.c.seen_at < end
