"""The wire as rows: which stories meet what is asked, newest first, and the little that a row shows.

Nothing here reads a body or an entry. Where few stories can meet a condition, those alone are looked at
and put in order; else the index of `sorted_at` is walked from the newest on, as far as the caller reads.
What is searched for is asked of the search index by windows of that walk: a word that stands in every
second story of an archive would else be read to its end for one page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, exists, func, or_, select, text
from sqlmodel import Session

from aggregator.language.query import Query
from aggregator.store.dialects import chunks, matching
from aggregator.store.tables import CLUSTER, CLUSTER_STORY, SOURCE, STORY, STORY_TOPIC, VERSION

#: So many stories of one condition are gathered; of more of them, fifty are soon met on a walk.
MOST_GATHERED = 3_000
#: Stories read at once: first for a page whose events are all small, then more.
FIRST_STEP, LONGEST_STEP = 200, 10_000
#: Stories of the first window that a search looks at; each one after it is four times as wide.
FIRST_WINDOW = 2_000
#: Characters of a title and of a summary that are read; a feed may put a book there.
MOST_TITLE, MOST_SUMMARY = 500, 800

#: Where a story stands in the order of the wire: its time, and its id.
Place = tuple[datetime, int]

#: A story counts as an event by itself until it is put into a cluster.
_ROOT = func.coalesce(CLUSTER.c.root, STORY.c.id).label("root")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of stories; a condition that is None asks for nothing."""

    query: Query | None = None
    topic: str | None = None
    language: str | None = None
    source: int | None = None
    since: datetime | None = None
    #: Only stories of these events.
    roots: frozenset[int] | None = None
    #: Only stories up to this id: what was there when somebody began to read.
    upto: int | None = None


class Found(NamedTuple):
    """A story that meets what is asked. A tuple, since thousands of them are made for a page."""

    #: Its place in the order of the wire, and its id, which tells stories of one time apart.
    at: datetime
    story: int
    #: The event that it is of.
    root: int

    @property
    def place(self) -> Place:
        """Where it stands in the order of the wire."""
        return self.at, self.story


@dataclass(frozen=True, slots=True)
class Line:
    """A story as a row shows it."""

    id: int
    #: Names of topics.
    topics: tuple[str, ...]
    entry_id: str
    url: str | None
    source_id: int
    source_name: str
    title: str
    summary: str
    language: str | None
    #: When it was published, or first seen where that is earlier.
    at: datetime
    first_seen: datetime
    #: When its newest version came.
    changed_at: datetime
    versions: int
    #: When its source took it back; None where it stands.
    withdrawn_at: datetime | None


def newest_first(session: Session, asked: Asked, *, before: Place | None = None) -> Iterator[Found]:
    """The stories that meet what is asked, newest first, behind a place; read as far as they are taken."""
    few = _few(session, asked)
    if asked.query is not None:
        # Searched once for all steps, where that is not too much.
        if few is None:
            few = _matched(session, asked.query, limit=MOST_GATHERED + 1)
            if len(few) > MOST_GATHERED:
                return _by_windows(session, asked, before)
        elif few:
            few &= _matched(session, asked.query, between=(min(few), max(few)))
        asked = replace(asked, query=None)
    return _in_steps(session, _Stretch(asked, few, before))


def among(session: Session, asked: Asked, ids: Iterable[int]) -> list[Found]:
    """Those of these stories that meet what is asked, newest first."""
    return list(_in_steps(session, _Stretch(asked, set(ids), None)))


def came_after(session: Session, version: int, *, limit: int) -> list[int]:
    """The stories that came after a version, the last of them first."""
    query = select(VERSION.c.story_id).where(VERSION.c.id > version, VERSION.c.number == 1)
    return list(session.execute(query.order_by(VERSION.c.id.desc()).limit(limit)).scalars())


def newest_story(session: Session) -> int:
    """The highest id of a story; 0 where there is none."""
    return int(session.execute(select(func.coalesce(func.max(STORY.c.id), 0))).scalar_one())


def lines(session: Session, ids: Sequence[int]) -> dict[int, Line]:
    """These stories as rows show them."""
    columns: tuple[Any, ...] = (
        *(STORY.c[name] for name in ("id", "entry_id", "url", "source_id")),
        # Not its address, which may hold a key.
        func.coalesce(func.nullif(SOURCE.c.title, ""), SOURCE.c.host),
        func.substr(VERSION.c.title, 1, MOST_TITLE),
        func.substr(VERSION.c.summary, 1, MOST_SUMMARY),
        VERSION.c.language,
        *(STORY.c[name] for name in ("sorted_at", "first_seen")),
        VERSION.c.seen_at,
        STORY.c.versions,
        STORY.c.withdrawn_at,
    )
    query = select(*columns).join(VERSION, _is_newest()).join(SOURCE, SOURCE.c.id == STORY.c.source_id)
    known = _topics(session, ids)
    found: dict[int, Line] = {}
    for some in chunks(ids, columns=1):
        for story, *values in session.execute(query.where(STORY.c.id.in_(some))):
            found[story] = Line(story, tuple(known.get(story, ())), *values)
    return found


def languages(session: Session) -> set[str]:
    """The languages that sources say they are in."""
    query = select(SOURCE.c.language).distinct().where(SOURCE.c.language.is_not(None))
    return set(session.execute(query).scalars())


def source_names(session: Session) -> list[tuple[int, str]]:
    """Every source by its number, in the order of their names."""
    name = func.coalesce(func.nullif(SOURCE.c.title, ""), SOURCE.c.host)
    rows = session.execute(select(SOURCE.c.id, name)).all()
    return sorted(((number, said) for number, said in rows), key=lambda row: (row[1].casefold(), row[0]))


def _few(session: Session, asked: Asked) -> set[int] | None:
    """The ids that can meet what is asked but the search, where one condition leaves only few of them."""
    few = None if asked.roots is None else of_events(session, asked.roots)
    for ids in _by_condition(asked):
        few = _smaller(few, set(session.execute(ids.limit(MOST_GATHERED + 1)).scalars()))
    return few


def _smaller(few: set[int] | None, found: set[int]) -> set[int] | None:
    if len(found) > MOST_GATHERED:
        return few
    return found if few is None else few & found


def _by_condition(asked: Asked) -> Iterator[Select[Any]]:
    if asked.topic is not None:
        yield select(STORY_TOPIC.c.story_id).where(STORY_TOPIC.c.topic == asked.topic)
    if asked.language is not None:
        # Each story once, however many versions it has: these are counted.
        yield select(VERSION.c.story_id).where(VERSION.c.language == asked.language).distinct()
    if asked.source is not None:
        yield select(STORY.c.id).where(STORY.c.source_id == asked.source)


def of_events(session: Session, roots: Iterable[int]) -> set[int]:
    """Every story of these events; an event without a cluster is a story."""
    # A story that began a cluster may have moved to another one since.
    found = set(roots)
    members = select(CLUSTER_STORY.c.story_id).join(CLUSTER, CLUSTER.c.id == CLUSTER_STORY.c.cluster_id)
    for some in chunks(sorted(found), columns=1):
        found.update(session.execute(members.where(CLUSTER.c.root.in_(some))).scalars())
    return found


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch of the wire, and what is asked of its stories."""

    asked: Asked
    #: No others than these; None for all.
    few: set[int] | None
    #: From behind this place on.
    before: Place | None
    #: Down to this place.
    until: Place | None = None
    #: The lowest and the highest id in it; None where nobody knows them.
    between: tuple[int, int] | None = None


def _in_steps(session: Session, stretch: _Stretch) -> Iterator[Found]:
    if stretch.few is not None:
        if not stretch.few:
            return
        stretch = replace(stretch, between=(min(stretch.few), max(stretch.few)))
    step, roots = FIRST_STEP, stretch.asked.roots
    while True:
        rows = _step(session, stretch, step)
        yield from (each for each in rows if roots is None or each.root in roots)
        if len(rows) < step:
            return
        stretch, step = replace(stretch, before=rows[-1].place), min(step * 2, LONGEST_STEP)


def _by_windows(session: Session, asked: Asked, before: Place | None) -> Iterator[Found]:
    width = FIRST_WINDOW
    while True:
        until = _edge(session, asked, before, width)
        between = _ids(session, asked, before, until)
        if between is not None:
            yield from _in_steps(session, _Stretch(asked, None, before, until, between))
        if until is None:
            return
        before, width = until, width * 4


def _step(session: Session, stretch: _Stretch, limit: int) -> list[Found]:
    query = _wanted(stretch.asked).where(*_within(stretch.before, stretch.until))
    if stretch.asked.query is not None:
        sql, values = matching(session, stretch.asked.query, between=stretch.between)
        query = query.where(text(f"story.id IN ({sql})").bindparams(**values))
    query = query.order_by(STORY.c.sorted_at.desc(), STORY.c.id.desc()).limit(limit)
    if stretch.few is None:
        return [Found(*row) for row in session.execute(query)]
    found = [
        Found(*row)
        for some in chunks(sorted(stretch.few), columns=1)
        for row in session.execute(query.where(STORY.c.id.in_(some)))
    ]
    return sorted(found, key=lambda each: each.place, reverse=True)[:limit]


def _edge(session: Session, asked: Asked, before: Place | None, width: int) -> Place | None:
    """The place of the last story of the next window; None where fewer are left."""
    query = select(STORY.c.sorted_at, STORY.c.id).where(*_plain(asked), *_within(before, None))
    order = (STORY.c.sorted_at.desc(), STORY.c.id.desc())
    row = session.execute(query.order_by(*order).offset(width - 1).limit(1)).first()
    return None if row is None else (row[0], row[1])


def _ids(session: Session, asked: Asked, before: Place | None, until: Place | None) -> tuple[int, int] | None:
    """The lowest and the highest id of a window; None where it is empty."""
    query = select(func.min(STORY.c.id), func.max(STORY.c.id))
    lowest, highest = session.execute(query.where(*_plain(asked), *_within(before, until))).one()
    return None if lowest is None else (lowest, highest)


def _within(before: Place | None, until: Place | None) -> Iterator[Any]:
    # The times are said by themselves too, so that the index is entered there and not at the newest.
    if before is not None:
        at, story = before
        yield STORY.c.sorted_at <= at
        yield or_(STORY.c.sorted_at < at, STORY.c.id < story)
    if until is not None:
        at, story = until
        yield STORY.c.sorted_at >= at
        yield or_(STORY.c.sorted_at > at, STORY.c.id >= story)


def _matched(
    session: Session, query: Query, *, between: tuple[int, int] | None = None, limit: int | None = None
) -> set[int]:
    """The ids that the search index finds: from one to another, or so many of them."""
    sql, values = matching(session, query, between=between)
    return set(session.execute(text(sql + (f" LIMIT {limit:d}" if limit else "")), values).scalars())


def _wanted(asked: Asked) -> Select[Any]:
    """Every story that meets all but the search, in no order."""
    query = (
        select(STORY.c.sorted_at, STORY.c.id, _ROOT)
        .select_from(STORY)
        .outerjoin(CLUSTER_STORY, CLUSTER_STORY.c.story_id == STORY.c.id)
        .outerjoin(CLUSTER, CLUSTER.c.id == CLUSTER_STORY.c.cluster_id)
        .where(*_plain(asked))
    )
    if asked.topic is not None:
        members = (STORY_TOPIC.c.topic == asked.topic, STORY_TOPIC.c.story_id == STORY.c.id)
        query = query.where(exists().where(*members))
    if asked.language is not None:
        query = query.where(exists().where(_is_newest(), VERSION.c.language == asked.language))
    return query


def _plain(asked: Asked) -> Iterator[Any]:
    """What stands in the row of a story itself."""
    if asked.source is not None:
        yield STORY.c.source_id == asked.source
    if asked.since is not None:
        yield STORY.c.sorted_at >= asked.since
    if asked.upto is not None:
        yield STORY.c.id <= asked.upto


def _topics(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for some in chunks(ids, columns=1):
        query = select(STORY_TOPIC.c.story_id, STORY_TOPIC.c.topic).where(STORY_TOPIC.c.story_id.in_(some))
        for story, topic in session.execute(query.order_by(STORY_TOPIC.c.topic)):
            found.setdefault(story, []).append(topic)
    return found


def _is_newest() -> Any:
    return and_(VERSION.c.story_id == STORY.c.id, VERSION.c.number == STORY.c.versions)
