"""Clusters: which stories are in each, why, and the merges that an editor can take back.

A merge rewrites no story's row. The gone cluster keeps its stories and only counts as part of
the kept one (`root`), so taking the merge back restores it exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, insert, select, update
from sqlmodel import Session

from aggregator.store import notices, progress
from aggregator.store.dialects import chunks, upsert
from aggregator.store.tables import (
    CLUSTER,
    CLUSTER_MERGE,
    CLUSTER_STORY,
    PROGRESS,
    SOURCE,
    STORY,
    VERSION,
    ClusterMergeRow,
)
from feeds.urls import host_of

#: The name under which clustering keeps how far it has come.
CLUSTERS = "clusters"


@dataclass(frozen=True, slots=True)
class StoryText:
    """A version as it is clustered."""

    version_id: int
    story_id: int
    title: str
    summary: str
    body: str
    language: str | None
    #: When this version came here.
    seen: datetime
    #: When the story was published, or first seen where that is earlier.
    at: datetime
    outlet: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A story's place, to be written."""

    story_id: int
    cluster_id: int
    copy_group: int
    score: float
    why: str
    agency: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a story is."""

    #: The cluster it counts as part of.
    root: int
    copy_group: int
    #: Whether others count as part of it too.
    has_company: bool


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster as an editor sees it in one line."""

    id: int
    #: Stories, with copies.
    size: int
    #: Each sorted, each once.
    outlets: tuple[str, ...]
    agencies: tuple[str, ...]
    languages: tuple[str, ...]
    #: Stories whose text another one of them had first.
    copies: int

    def __str__(self) -> str:
        parts = (
            (self.outlets, "outlet", "s"),
            (self.agencies, "agenc", "ies"),
            (self.languages, "language", "s"),
        )
        one = {"outlet": "outlet", "agenc": "agency", "language": "language"}
        return ", ".join(
            f"{len(found)} {one[stem] if len(found) == 1 else stem + plural}"
            for found, stem, plural in parts
            if found
        )


@dataclass(frozen=True, slots=True)
class Merge:
    """Two clusters that became one, and whether that stands."""

    id: int
    kept: int
    gone: int
    why: str
    at: datetime
    undone_at: datetime | None
    undone_by: str | None


def cursor(session: Session) -> int:
    """The last version that was clustered; 0 at the start."""
    return progress.get(session, CLUSTERS)


def advance(session: Session, before: int, after: int) -> bool:
    """Move the cursor on; False where another worker has moved it, so that this work is its own.

    The row is locked until the transaction ends: of two workers with one batch, one writes.
    """
    start = upsert(session, PROGRESS).values(name=CLUSTERS, upto=0)
    session.execute(start.on_conflict_do_nothing(index_elements=["name"]))
    move = update(PROGRESS).where(PROGRESS.c.name == CLUSTERS, PROGRESS.c.upto == before).values(upto=after)
    return bool(session.execute(move).rowcount == 1)  # type: ignore[attr-defined]


def waiting(session: Session, after: int, *, limit: int) -> list[StoryText]:
    """The versions that came after a cursor, in their order; only the newest of each story."""
    query = _texts().where(VERSION.c.id > after, VERSION.c.number == STORY.c.versions)
    return [_text(row) for row in session.execute(query.order_by(VERSION.c.id).limit(limit))]


def seen_at(session: Session, version_id: int) -> datetime | None:
    """When a version came here."""
    return session.execute(select(VERSION.c.seen_at).where(VERSION.c.id == version_id)).scalar()


def clustered(session: Session, upto: int, *, since: datetime) -> list[tuple[StoryText, int, int]]:
    """Each story with a version seen since then, up to a version: its text, root and copy group."""
    newest = (
        select(func.max(VERSION.c.id))
        .where(VERSION.c.id <= upto, VERSION.c.seen_at >= since)
        .group_by(VERSION.c.story_id)
    )
    query = (
        _texts(CLUSTER.c.root, CLUSTER_STORY.c.copy_group)
        .join(CLUSTER_STORY, CLUSTER_STORY.c.story_id == STORY.c.id)
        .join(CLUSTER, CLUSTER.c.id == CLUSTER_STORY.c.cluster_id)
        .where(VERSION.c.id.in_(newest))
    )
    rows = session.execute(query.order_by(VERSION.c.id)).all()
    return [(_text(row[:-2]), row[-2], row[-1]) for row in rows]


def places(session: Session, ids: Sequence[int]) -> dict[int, Place]:
    """Where these stories are; those not clustered yet are left out."""
    found: dict[int, tuple[int, int]] = {}
    for some in chunks(ids, columns=1):
        rows = session.execute(_members(CLUSTER_STORY.c.copy_group).where(CLUSTER_STORY.c.story_id.in_(some)))
        found.update({story: (root, group) for story, root, group in rows})
    sizes = _sizes(session, sorted({root for root, _ in found.values()}))
    return {story: Place(root, group, sizes[root] > 1) for story, (root, group) in found.items()}


def record(
    session: Session, placed: Sequence[Placed], merges: Iterable[tuple[int, int, str]], *, at: datetime
) -> None:
    """Write where stories are now, then the merges (kept, gone, why) in their order."""
    founded = [p.cluster_id for p in placed if p.cluster_id == p.story_id]
    for some in chunks(founded, columns=3):
        rows = [{"id": cluster, "created_at": at, "root": cluster} for cluster in some]
        session.execute(upsert(session, CLUSTER).values(rows).on_conflict_do_nothing(index_elements=["id"]))
    if placed:
        notices.tell(session, notices.DESK)
        _place(session, placed, at)
    for kept, gone, why in merges:
        _merge(session, kept, gone, why, at)


def undo_merge(session: Session, merge_id: int, *, by: str, at: datetime) -> bool:
    """Take a merge back: the gone cluster is again what it was. False where no such merge stands.

    What joined the kept cluster after the merge stays there. The two are never merged again.
    """
    merge = session.get(ClusterMergeRow, merge_id)
    if merge is None or merge.undone_at is not None:
        return False
    merge.undone_at, merge.undone_by = at, by
    session.flush()
    session.execute(update(CLUSTER).where(CLUSTER.c.id == merge.gone).values(merged_into=None))
    for some in chunks(_under(session, merge.gone), columns=1):
        session.execute(update(CLUSTER).where(CLUSTER.c.id.in_(some)).values(root=merge.gone))
    return True


def merges(session: Session, cluster_id: int) -> list[Merge]:
    """The merges that a cluster was part of, standing and undone, oldest first."""
    took_part = (CLUSTER_MERGE.c.kept == cluster_id) | (CLUSTER_MERGE.c.gone == cluster_id)
    rows = session.execute(select(*CLUSTER_MERGE.c).where(took_part).order_by(CLUSTER_MERGE.c.id))
    return [Merge(*row) for row in rows]


def parted(session: Session) -> list[tuple[int, int]]:
    """Pairs of clusters that an editor has parted, as what they count as part of now."""
    kept, gone = CLUSTER.alias(), CLUSTER.alias()
    query = (
        select(kept.c.root, gone.c.root)
        .join(CLUSTER_MERGE, CLUSTER_MERGE.c.kept == kept.c.id)
        .join(gone, CLUSTER_MERGE.c.gone == gone.c.id)
        .where(CLUSTER_MERGE.c.undone_at.is_not(None))
    )
    return [(one, other) for one, other in session.execute(query.order_by(CLUSTER_MERGE.c.id))]


def undone(session: Session) -> int:
    """How many merges were taken back: while it stands still, so do the clusters behind the cursor."""
    query = select(func.count()).where(CLUSTER_MERGE.c.undone_at.is_not(None))
    return int(session.execute(query).scalar_one())


def why(session: Session, story_id: int) -> str | None:
    """Why a story is where it is; None where it is not clustered yet."""
    return session.execute(select(CLUSTER_STORY.c.why).where(CLUSTER_STORY.c.story_id == story_id)).scalar()


def clusters_of(session: Session, story_ids: Sequence[int]) -> dict[int, ClusterView]:
    """The cluster of each of these stories; those not clustered yet are left out."""
    roots = {story: place.root for story, place in places(session, story_ids).items()}
    views = _views(session, sorted(set(roots.values())))
    return {story: views[root] for story, root in roots.items()}


def outlet_of(url: str | None, source_url: str) -> str:
    """Who published a story: the host of its page, else of its feed."""
    return host_of(url or source_url).removeprefix("www.")


def _views(session: Session, roots: Sequence[int]) -> dict[int, ClusterView]:
    newest = and_(VERSION.c.story_id == STORY.c.id, VERSION.c.number == STORY.c.versions)
    query = (
        _members(
            CLUSTER_STORY.c.copy_group, CLUSTER_STORY.c.agency, VERSION.c.language, STORY.c.url, SOURCE.c.url
        )
        .join(STORY, STORY.c.id == CLUSTER_STORY.c.story_id)
        .join(VERSION, newest)
        .join(SOURCE, SOURCE.c.id == STORY.c.source_id)
    )
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for some in chunks(roots, columns=1):
        for row in session.execute(query.where(CLUSTER.c.root.in_(some))):
            found[row[1]].append(row)
    return {root: _view(root, rows) for root, rows in found.items()}


def _view(root: int, rows: Sequence[Any]) -> ClusterView:
    _, _, groups, agencies, languages, urls, sources = zip(*rows, strict=True)
    outlets = {outlet_of(url, source) for url, source in zip(urls, sources, strict=True)}
    return ClusterView(
        id=root,
        size=len(rows),
        outlets=tuple(sorted(outlets)),
        agencies=tuple(sorted({agency for agency in agencies if agency})),
        languages=tuple(sorted({language for language in languages if language})),
        copies=len(rows) - len(set(groups)),
    )


def _members(*more: Any) -> Select[Any]:
    return select(CLUSTER_STORY.c.story_id, CLUSTER.c.root, *more).join(
        CLUSTER, CLUSTER.c.id == CLUSTER_STORY.c.cluster_id
    )


def _sizes(session: Session, roots: Sequence[int]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for some in chunks(roots, columns=1):
        members = _members().where(CLUSTER.c.root.in_(some)).subquery()
        query = select(members.c.root, func.count()).group_by(members.c.root)
        sizes.update((root, count) for root, count in session.execute(query))
    return sizes


def _place(session: Session, placed: Sequence[Placed], at: datetime) -> None:
    rows = [
        {
            "story_id": p.story_id,
            "cluster_id": p.cluster_id,
            "copy_group": p.copy_group,
            "score": p.score,
            "why": p.why,
            "agency": p.agency,
            "at": at,
        }
        for p in placed
    ]
    statement = upsert(session, CLUSTER_STORY)
    new = {name: statement.excluded[name] for name in rows[0] if name != "story_id"}
    kept = statement.on_conflict_do_update(index_elements=["story_id"], set_=new)
    session.connection().execute(kept, rows)


def _merge(session: Session, kept: int, gone: int, why: str, at: datetime) -> None:
    session.execute(insert(CLUSTER_MERGE).values(kept=kept, gone=gone, why=why, at=at))
    session.execute(update(CLUSTER).where(CLUSTER.c.id == gone).values(merged_into=kept))
    session.execute(update(CLUSTER).where(CLUSTER.c.root == gone).values(root=kept))


def _under(session: Session, cluster: int) -> list[int]:
    """A cluster and all that were merged into it, or into those."""
    found, next_ones = [cluster], [cluster]
    while next_ones:
        rows = session.execute(select(CLUSTER.c.id).where(CLUSTER.c.merged_into.in_(next_ones)))
        next_ones = [each for (each,) in rows]
        found += next_ones
    return found


def _texts(*more: Any) -> Select[Any]:
    columns = (
        VERSION.c[name] for name in ("id", "story_id", "title", "summary", "body", "language", "seen_at")
    )
    return (
        select(*columns, STORY.c.sorted_at, STORY.c.url, SOURCE.c.url.label("source_url"), *more)
        .join(STORY, STORY.c.id == VERSION.c.story_id)
        .join(SOURCE, SOURCE.c.id == STORY.c.source_id)
    )


def _text(row: Any) -> StoryText:
    version_id, story_id, title, summary, body, language, seen, at, url, source_url = row
    outlet = outlet_of(url, source_url)
    return StoryText(version_id, story_id, title, summary, body, language, seen, at, outlet)
