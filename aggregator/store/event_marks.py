"""What the newsroom decided about events: taken, spiked, given back. Marks are only added.

The newest mark of the clusters that count as one (`cluster.root`) is the one that counts, so a merge
keeps it, and a merge that is taken back gives each cluster its own again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select, union
from sqlmodel import Session

from aggregator.store.dialects import chunks
from aggregator.store.tables import CLUSTER, CLUSTER_STORY, STORY_LINK
from aggregator.store.tables_desk import EVENT_MARK

TAKEN, SPIKED, GIVEN_BACK = "taken", "spiked", "given_back"


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody decided about an event."""

    id: int
    #: "taken", "spiked" or "given_back".
    kind: str
    why: str
    by: str
    at: datetime

    @property
    def is_standing(self) -> bool:
        """Whether somebody has the event, or it was spiked."""
        return self.kind != GIVEN_BACK


def add(session: Session, cluster: int, kind: str, *, why: str, by: str, now: datetime) -> None:
    """Note what was decided about an event, by the story that began its cluster."""
    values = {"cluster_id": cluster, "kind": kind, "why": why, "by": by, "at": now}
    session.execute(insert(EVENT_MARK).values(values))


def newest(session: Session, roots: Sequence[int]) -> dict[int, Mark]:
    """The mark that counts of each of these events; those that nobody marked are left out."""
    return {root: marks[-1] for root, marks in histories(session, roots).items()}


def histories(session: Session, roots: Sequence[int]) -> dict[int, list[Mark]]:
    """All that was decided about each of these events, oldest first."""
    found: dict[int, list[Mark]] = {}
    wanted = set(roots)
    for some in chunks(sorted(wanted), columns=3):
        clusters = select(CLUSTER.c.id).where(CLUSTER.c.root.in_(some))
        members = (
            select(CLUSTER_STORY.c.story_id)
            .join(CLUSTER, CLUSTER.c.id == CLUSTER_STORY.c.cluster_id)
            .where(CLUSTER.c.root.in_(some))
        )
        about = EVENT_MARK.c.cluster_id
        query = _marks().where(about.in_(some) | about.in_(union(clusters, members)))
        for root, *values in session.execute(query.order_by(EVENT_MARK.c.id)):
            # A story that moved to another cluster takes no mark of the one that it began along.
            if root in wanted:
                found.setdefault(root, []).append(Mark(*values))
    return found


def marked(session: Session, kind: str) -> set[int]:
    """The events whose mark that counts is of this kind."""
    every = _marks().subquery()
    last = select(func.max(every.c.id)).group_by(every.c.root)
    query = select(every.c.root).where(every.c.id.in_(last), every.c.kind == kind)
    return set(session.execute(query).scalars())


def used(session: Session, roots: Sequence[int] | None = None) -> set[int]:
    """The events that a brief has a story of: among these, or all."""
    root = func.coalesce(CLUSTER.c.root, STORY_LINK.c.story_id)
    query = (
        select(root)
        .distinct()
        .select_from(STORY_LINK)
        .outerjoin(CLUSTER_STORY, CLUSTER_STORY.c.story_id == STORY_LINK.c.story_id)
        .outerjoin(CLUSTER, CLUSTER.c.id == CLUSTER_STORY.c.cluster_id)
        .where(STORY_LINK.c.undone_at.is_(None))
    )
    if roots is None:
        return set(session.execute(query).scalars())
    return {
        found
        for some in chunks(roots, columns=1)
        for found in session.execute(query.where(root.in_(some))).scalars()
    }


def _marks() -> Select[Any]:
    """Every mark behind the event that it is about: by its cluster, else by where its story is now."""
    own, placed = CLUSTER.alias(), CLUSTER.alias()
    root = func.coalesce(own.c.root, placed.c.root, EVENT_MARK.c.cluster_id).label("root")
    columns = (EVENT_MARK.c[name] for name in ("id", "kind", "why", "by", "at"))
    return (
        select(root, *columns)
        .select_from(EVENT_MARK)
        .outerjoin(own, own.c.id == EVENT_MARK.c.cluster_id)
        .outerjoin(CLUSTER_STORY, CLUSTER_STORY.c.story_id == EVENT_MARK.c.cluster_id)
        .outerjoin(placed, placed.c.id == CLUSTER_STORY.c.cluster_id)
    )
