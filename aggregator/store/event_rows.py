"""The stories of events: who reports one, which of its stories are copies, and what was merged into it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlmodel import Session

from aggregator.store.clusters import Merge
from aggregator.store.dialects import chunks
from aggregator.store.tables import CLUSTER, CLUSTER_MERGE, CLUSTER_STORY, SOURCE, STORY, VERSION

#: Stories of one event that are looked at for a row.
MOST_COUNTED = 2_000


@dataclass(frozen=True, slots=True)
class Company:
    """Who reports an event."""

    #: Stories, with copies.
    size: int
    #: Stories whose text another one of them had first.
    copies: int
    #: Names of sources, each once, in the order in which they came.
    outlets: tuple[str, ...]
    #: Each sorted, each once.
    languages: tuple[str, ...]
    agencies: tuple[str, ...]
    #: The ids of its stories.
    stories: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A story of an event, and why it is there."""

    story: int
    at: datetime
    #: The first story with this text: the story itself where it is no copy.
    copy_group: int
    score: float
    why: str
    agency: str | None


def root_of(session: Session, story: int) -> int | None:
    """The event that a story is of; None where there is no such story."""
    query = (
        select(func.coalesce(CLUSTER.c.root, STORY.c.id))
        .select_from(STORY)
        .outerjoin(CLUSTER_STORY, CLUSTER_STORY.c.story_id == STORY.c.id)
        .outerjoin(CLUSTER, CLUSTER.c.id == CLUSTER_STORY.c.cluster_id)
    )
    return session.execute(query.where(STORY.c.id == story)).scalar()


def companies(session: Session, roots: Sequence[int]) -> dict[int, Company]:
    """Who reports each of these events; those that are not clustered yet are left out."""
    newest = and_(VERSION.c.story_id == STORY.c.id, VERSION.c.number == STORY.c.versions)
    name = func.coalesce(func.nullif(SOURCE.c.title, ""), SOURCE.c.host)
    query = (
        select(
            CLUSTER.c.root,
            STORY.c.id,
            CLUSTER_STORY.c.copy_group,
            CLUSTER_STORY.c.agency,
            VERSION.c.language,
            name,
        )
        .select_from(CLUSTER)
        .join(CLUSTER_STORY, CLUSTER_STORY.c.cluster_id == CLUSTER.c.id)
        .join(STORY, STORY.c.id == CLUSTER_STORY.c.story_id)
        .join(VERSION, newest)
        .join(SOURCE, SOURCE.c.id == STORY.c.source_id)
    )
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for some in chunks(roots, columns=1):
        for root, *values in session.execute(query.where(CLUSTER.c.root.in_(some)).order_by(STORY.c.id)):
            if len(found[root]) < MOST_COUNTED:
                found[root].append(values)
    return {root: _company(rows) for root, rows in found.items()}


def members(session: Session, root: int) -> list[Member]:
    """The stories of an event, newest first; none where it is a story without a cluster."""
    columns = (CLUSTER_STORY.c[name] for name in ("copy_group", "score", "why", "agency"))
    query = (
        select(STORY.c.id, STORY.c.sorted_at, *columns)
        .join(CLUSTER_STORY, CLUSTER_STORY.c.story_id == STORY.c.id)
        .join(CLUSTER, CLUSTER.c.id == CLUSTER_STORY.c.cluster_id)
        .where(CLUSTER.c.root == root)
    )
    rows = session.execute(query.order_by(STORY.c.sorted_at.desc(), STORY.c.id.desc()))
    return [Member(*row) for row in rows]


def standing_merges(session: Session, root: int) -> list[Merge]:
    """The merges that made an event and can be taken back, newest first."""
    gone = select(CLUSTER.c.id).where(CLUSTER.c.root == root, CLUSTER.c.id != root)
    query = select(*CLUSTER_MERGE.c).where(
        CLUSTER_MERGE.c.undone_at.is_(None), CLUSTER_MERGE.c.gone.in_(gone)
    )
    return [Merge(*row) for row in session.execute(query.order_by(CLUSTER_MERGE.c.id.desc()))]


def _company(rows: Sequence[Any]) -> Company:
    ids, groups, agencies, languages, outlets = zip(*rows, strict=True)
    return Company(
        size=len(rows),
        copies=len(rows) - len(set(groups)),
        outlets=tuple(dict.fromkeys(outlets)),
        languages=tuple(sorted({language for language in languages if language})),
        agencies=tuple(sorted({agency for agency in agencies if agency})),
        stories=ids,
    )
