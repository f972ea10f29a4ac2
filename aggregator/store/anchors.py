"""The anchor index: which facts stand in which stories, and how common each is.

A fact has a number of its own (`anchor_key`) and the count of the stories that hold it; `posting`
says which they are. What a story's anchors are, with their spans, is kept whole beside it.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update
from sqlmodel import Session

from aggregator.language.reading import Anchor
from aggregator.store import progress
from aggregator.store.dialects import chunks, exclusive, upsert
from aggregator.store.tables import ANCHOR_KEY, POSTING, SOURCE, STORY, STORY_ANCHORS, VERSION

#: The name under which the index keeps how far it has come.
INDEX = "anchors"

#: Kinds that candidates are found by. Words of one language are left to scoring.
FOUND_BY = frozenset({"name", "place", "org", "role", "date", "number", "concept"})

#: A fact in more stories than this finds nobody: it only scores.
COMMON = 5_000
#: Postings that are read for one brief at most, the rarest facts first.
MOST_POSTINGS = 60_000

#: Facts that are looked up in one statement.
MOST_ASKED = 1_000

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """Which anchors of a story are read; the others cost little."""

    #: All of these kinds, and besides them these anchors.
    kinds: frozenset[str]
    keys: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Indexed:
    """A story of the index, with what a linker reads of it."""

    id: int
    url: str
    title: str
    summary: str
    language: str | None
    source: str
    published: datetime
    anchors: tuple[Anchor, ...]


def put(session: Session, read: Mapping[int, Sequence[Anchor]], *, since: int, upto: int) -> bool:
    """Index the anchors of these stories, in the place of what was there, from one version up to another.

    False where another worker has done so meanwhile, and nothing is written.
    """
    exclusive(session, "anchors")
    if indexed_upto(session) != since:
        return False
    forget(session, list(read))
    wanted = {
        story: {(a.kind, a.key) for a in anchors if a.kind in FOUND_BY} for story, anchors in read.items()
    }
    ids = _ids_of(session, {key for keys in wanted.values() for key in keys})
    postings = [
        {"key_id": ids[key], "story_id": story} for story, keys in wanted.items() for key in sorted(keys)
    ]
    for some in chunks(postings, columns=2):
        session.execute(insert(POSTING), list(some))
    _count(session, Counter(row["key_id"] for row in postings))
    rows = [{"story_id": story, "anchors": _packed(anchors)} for story, anchors in read.items()]
    if rows:
        statement = upsert(session, STORY_ANCHORS)
        new = {"anchors": statement.excluded.anchors}
        kept = statement.on_conflict_do_update(index_elements=["story_id"], set_=new)
        session.connection().execute(kept, rows)
    progress.put(session, INDEX, upto)
    return True


def indexed_upto(session: Session) -> int:
    """The newest version that is indexed."""
    return progress.get(session, INDEX)


def documents(session: Session) -> int:
    """How many stories are indexed."""
    return int(session.execute(select(func.count()).select_from(STORY_ANCHORS)).scalar_one())


def counts(session: Session, keys: Collection[Key]) -> dict[Key, int]:
    """In how many stories of the rolling window each fact stands; those in none are left out."""
    return {(kind, key): stories for _, kind, key, stories in _known(session, keys) if stories}


def candidates(
    session: Session,
    keys: Collection[Key],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 1_500,
    keep: Kept | None = None,
) -> list[Indexed]:
    """The stories that hold the rarest of these facts, those with most of their weight first.

    `keep` says which anchors of a story are read; all where it is None.
    """
    total = max(1, documents(session))
    weight: defaultdict[int, float] = defaultdict(float)
    read = 0
    for key_id, _, _, stories in sorted(_known(session, keys), key=lambda row: (row[3], row[0])):
        if stories > COMMON or read > MOST_POSTINGS:
            break
        rarity = math.log(1 + total / (stories + 0.5))
        holding = _holding(session, key_id, since, until)
        read += len(holding)
        for story in holding:
            weight[story] += rarity
    best = sorted(weight, key=lambda story: (-weight[story], story))[:limit]
    return by_ids(session, best, keep=keep)


def by_ids(session: Session, ids: Sequence[int], *, keep: Kept | None = None) -> list[Indexed]:
    """Stories of the index in the order of their ids here; those not indexed yet are left out."""
    columns = (
        STORY.c.id, STORY.c.url, STORY.c.sorted_at, VERSION.c.title, VERSION.c.summary, VERSION.c.language,
        SOURCE.c.title.label("source"), SOURCE.c.url.label("feed"), STORY_ANCHORS.c.anchors,
    )  # fmt: skip
    query = (
        select(*columns)
        .join(VERSION, (VERSION.c.story_id == STORY.c.id) & (VERSION.c.number == STORY.c.versions))
        .join(SOURCE, SOURCE.c.id == STORY.c.source_id)
        .join(STORY_ANCHORS, STORY_ANCHORS.c.story_id == STORY.c.id)
    )
    found = {}
    for some in chunks(ids, columns=1):
        for row in session.execute(query.where(STORY.c.id.in_(some))).all():
            found[row.id] = _indexed(row, keep)
    return [found[story] for story in ids if story in found]


def recount(session: Session, since: datetime) -> None:
    """Count anew in how many stories each fact stands, over those since then: the rolling window."""
    fresh = (
        select(POSTING.c.key_id, func.count().label("stories"))
        .join(STORY, STORY.c.id == POSTING.c.story_id)
        .where(STORY.c.sorted_at >= since)
        .group_by(POSTING.c.key_id)
        .subquery()
    )
    counted = select(fresh.c.stories).where(fresh.c.key_id == ANCHOR_KEY.c.id).scalar_subquery()
    session.execute(update(ANCHOR_KEY).values(stories=func.coalesce(counted, 0)))


def forget(session: Session, stories: Sequence[int]) -> None:
    """Take stories out of the index, as before a new version of theirs, or before they go."""
    for some in chunks(stories, columns=1):
        held = session.execute(select(POSTING.c.key_id).where(POSTING.c.story_id.in_(some))).scalars()
        gone = Counter(held)
        if gone:
            _count(session, Counter({key: -n for key, n in gone.items()}))
            session.execute(delete(POSTING).where(POSTING.c.story_id.in_(some)))


def _count(session: Session, more: Mapping[int, int]) -> None:
    if more:
        statement = (
            update(ANCHOR_KEY)
            .where(ANCHOR_KEY.c.id == bindparam("which"))
            .values(stories=ANCHOR_KEY.c.stories + bindparam("more"))
        )
        session.connection().execute(statement, [{"which": k, "more": n} for k, n in sorted(more.items())])


def _ids_of(session: Session, keys: Collection[Key]) -> dict[Key, int]:
    """The number of each fact, given out where it had none."""
    rows = [{"kind": kind, "key": key, "stories": 0} for kind, key in sorted(keys)]
    if rows:
        # Row by row: one statement with thousands of rows takes longer to write down than to carry out.
        session.connection().execute(upsert(session, ANCHOR_KEY).on_conflict_do_nothing(), rows)
    return {(kind, key): key_id for key_id, kind, key, _ in _known(session, keys)}


def _known(session: Session, keys: Collection[Key]) -> list[tuple[int, str, str, int]]:
    found: list[tuple[int, str, str, int]] = []
    columns = (ANCHOR_KEY.c.id, ANCHOR_KEY.c.kind, ANCHOR_KEY.c.key, ANCHOR_KEY.c.stories)
    asked = sorted(keys)
    for some in (asked[at : at + MOST_ASKED] for at in range(0, len(asked), MOST_ASKED)):
        query = select(*columns).where(tuple_(ANCHOR_KEY.c.kind, ANCHOR_KEY.c.key).in_(some))
        found += [(row.id, row.kind, row.key, row.stories) for row in session.execute(query)]
    return found


def _holding(session: Session, key_id: int, since: datetime | None, until: datetime | None) -> list[int]:
    query = select(POSTING.c.story_id).where(POSTING.c.key_id == key_id)
    if since is not None or until is not None:
        query = query.join(STORY, STORY.c.id == POSTING.c.story_id)
    if since is not None:
        query = query.where(STORY.c.sorted_at >= since)
    if until is not None:
        query = query.where(STORY.c.sorted_at <= until)
    return list(session.execute(query).scalars().all())


def _packed(anchors: Iterable[Anchor]) -> str:
    rows = [[a.kind, a.key, a.start, a.end, a.weight, a.head] for a in anchors]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _indexed(row: Any, keep: Kept | None) -> Indexed:
    anchors = json.loads(row.anchors)
    if keep is not None:
        kinds, keys = keep.kinds, keep.keys
        anchors = [packed for packed in anchors if packed[0] in kinds or (packed[0], packed[1]) in keys]
    return Indexed(
        id=row.id,
        url=row.url or "",
        title=row.title,
        summary=row.summary,
        language=row.language,
        source=row.source or row.feed,
        published=row.sorted_at,
        anchors=tuple([Anchor(*packed) for packed in anchors]),
    )
