"""Stories and their versions, read back; and the index that finds them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, text
from sqlalchemy.engine import Row
from sqlmodel import Session

from aggregator.language.query import Query
from aggregator.model import Reuse, Story, Version
from aggregator.store import progress
from aggregator.store.dialects import chunks, exclusive, index_stories, matching, row_id
from aggregator.store.tables import SOURCE, STORY, STORY_TOPIC, VERSION, SourceRow, StoryRow, VersionRow
from feeds.urls import host_of

#: The name under which the search index keeps how far it has come.
INDEX = "search"

_INDEXED = (VERSION.c.id, VERSION.c.story_id, VERSION.c.title, VERSION.c.summary, VERSION.c.body)
_PLAIN = ("id", "story_id", "number", "seen_at", "title", "summary", "body", "language")


def find(
    session: Session,
    query: Query | None = None,
    *,
    topic: str | None = None,
    language: str | None = None,
    since: datetime | None = None,
    sources: Sequence[int] | None = None,
    limit: int | None = None,
) -> list[Story]:
    """Stories, newest first, that meet every condition given."""
    wanted = _meeting(session, _read(), query, topic, language, since, sources)
    return _with_topics(session, session.execute(wanted.limit(limit)).all())


def ids_meeting(
    session: Session,
    query: Query | None = None,
    *,
    topic: str | None = None,
    language: str | None = None,
    sources: Sequence[int] | None = None,
    limit: int | None = None,
) -> Any:
    """A query, of the ids of the stories that `find` gives."""
    ids = select(STORY.c.id)
    if language is not None:
        ids = ids.join(VERSION, _newest())
    return _meeting(session, ids, query, topic, language, None, sources).limit(limit)


def _meeting(
    session: Session,
    wanted: Any,
    query: Query | None,
    topic: str | None,
    language: str | None,
    since: datetime | None,
    sources: Sequence[int] | None,
) -> Any:
    """A query, of those that meet every condition given, newest first."""
    if query is not None:
        subquery, values = matching(session, query)
        wanted = wanted.where(text(f"story.id IN ({subquery})").bindparams(**values))
    if topic is not None:
        members = select(STORY_TOPIC.c.story_id).where(STORY_TOPIC.c.topic == topic)
        wanted = wanted.where(STORY.c.id.in_(members))
    if language is not None:
        wanted = wanted.where(VERSION.c.language == language)
    if since is not None:
        wanted = wanted.where(STORY.c.sorted_at >= since)
    if sources is not None:
        wanted = wanted.where(STORY.c.source_id.in_(sources))
    return wanted.order_by(STORY.c.sorted_at.desc(), STORY.c.id.desc())


def by_ids(session: Session, ids: Sequence[int]) -> dict[int, Story]:
    """The stories of these ids; those that do not exist are left out."""
    found = [
        row for some in chunks(ids, columns=1) for row in session.execute(_read().where(STORY.c.id.in_(some)))
    ]
    return {story.id: story for story in _with_topics(session, found)}


def named(session: Session, name: str) -> list[Story]:
    """The stories of this id, URL or entry id."""
    number = row_id(name)
    if number is not None:
        return list(by_ids(session, [number]).values())
    rows = session.execute(_read().where((STORY.c.url == name) | (STORY.c.entry_id == name))).all()
    return _with_topics(session, rows)


def versions_of(session: Session, story_id: int) -> list[Version]:
    """Every version of a story, oldest first."""
    query = _versions().where(VERSION.c.story_id == story_id).order_by(VERSION.c.number)
    return [_version(row) for row in session.execute(query)]


def when_seen(session: Session, ids: Sequence[int]) -> dict[int, list[tuple[int, datetime]]]:
    """When each version of these stories was first seen, oldest first."""
    found: dict[int, list[tuple[int, datetime]]] = {}
    for some in chunks(ids, columns=1):
        query = select(VERSION.c.story_id, VERSION.c.number, VERSION.c.seen_at)
        query = query.where(VERSION.c.story_id.in_(some)).order_by(VERSION.c.story_id, VERSION.c.number)
        for story, number, at in session.execute(query):
            found.setdefault(story, []).append((number, at))
    return found


def version_of(session: Session, story_id: int, number: int) -> Version | None:
    """One version of a story."""
    query = _versions().where(VERSION.c.story_id == story_id, VERSION.c.number == number)
    row = session.execute(query).first()
    return _version(row) if row else None


def newest_versions(session: Session, story_id: int, *, limit: int) -> list[Version]:
    """The last versions of a story, newest first."""
    query = _versions().where(VERSION.c.story_id == story_id).order_by(VERSION.c.number.desc())
    return [_version(row) for row in session.execute(query.limit(limit))]


def versions_after(session: Session, cursor: int, *, limit: int) -> list[Version]:
    """The versions that came after a cursor, in their order; only the newest of each story."""
    query = _versions().where(VERSION.c.id > cursor, VERSION.c.number == STORY.c.versions)
    return [_version(row) for row in session.execute(query.order_by(VERSION.c.id).limit(limit))]


def versions_since(session: Session, since: datetime) -> list[Version]:
    """The newest version of every story published or first seen since then, newest first."""
    query = _versions().where(VERSION.c.number == STORY.c.versions, STORY.c.sorted_at >= since)
    return [
        _version(row) for row in session.execute(query.order_by(STORY.c.sorted_at.desc(), STORY.c.id.desc()))
    ]


def versions_holding(session: Session, query: Query, since: datetime, *, limit: int) -> list[Version]:
    """The newest versions that a query finds, of stories published or first seen since then, newest first.

    Those that the search index does not know yet are among them, whatever they hold.
    """
    subquery, values = matching(session, query)
    holds = text(f"story.id IN ({subquery})").bindparams(**values)
    upto = indexed_upto(session)
    is_wanted = holds if upto >= newest_version(session) else or_(holds, VERSION.c.id > upto)
    found = _versions().where(VERSION.c.number == STORY.c.versions, STORY.c.sorted_at >= since, is_wanted)
    order = (STORY.c.sorted_at.desc(), STORY.c.id.desc())
    return [_version(row) for row in session.execute(found.order_by(*order).limit(limit))]


def urls_of(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Where the stories of these ids stand, as far as they have an address."""
    found: dict[int, str] = {}
    for some in chunks(ids, columns=1):
        rows = session.execute(select(STORY.c.id, STORY.c.url).where(STORY.c.id.in_(some)))
        found.update((row.id, row.url) for row in rows if row.url)
    return found


def newest_at(session: Session) -> datetime | None:
    """When the newest story was published or first seen; None where there is none."""
    found: datetime | None = session.execute(select(func.max(STORY.c.sorted_at))).scalar_one()
    return found


def count_since(session: Session, since: datetime) -> int:
    """How many stories were published or first seen since then."""
    query = select(func.count()).select_from(STORY).where(STORY.c.sorted_at >= since)
    return int(session.execute(query).scalar_one())


def ids_between(
    session: Session, after: int, upto: int, *, topics: Sequence[str] = (), limit: int
) -> tuple[list[int], int]:
    """The stories whose newest version lies after one version and not beyond another, of these topics.

    With them the version up to which that is all: `upto`, unless `limit` cut it short.
    """
    query = select(VERSION.c.id, VERSION.c.story_id).join(STORY, _newest())
    query = query.where(VERSION.c.id > after, VERSION.c.id <= upto)
    if topics:
        members = select(STORY_TOPIC.c.story_id).where(STORY_TOPIC.c.topic.in_(topics))
        query = query.where(STORY.c.id.in_(members))
    found = session.execute(query.order_by(VERSION.c.id).limit(limit)).all()
    reached = found[-1][0] if len(found) == limit else upto
    return [story for _, story in found], reached


#: Seconds since a story was published (None where it names no time, or one to come), and since it was first seen.
Way = tuple[float | None, float]


def ways(session: Session, ids: Sequence[int], now: datetime) -> list[Way]:
    """How long ago these stories were published and first seen, without those published before we followed."""
    found: list[Way] = []
    for some in chunks(ids, columns=1):
        query = (
            select(STORY.c.published, STORY.c.first_seen, SOURCE.c.added_at)
            .join(SOURCE, SOURCE.c.id == STORY.c.source_id)
            .where(STORY.c.id.in_(some))
        )
        for published, seen, followed in session.execute(query):
            is_told = published is not None and followed <= published <= now
            since = (now - published).total_seconds() if is_told else None
            found.append((since, max(0.0, (now - seen).total_seconds())))
    return found


def newest_version(session: Session) -> int:
    """The highest version id, 0 where there is none."""
    return int(session.execute(select(func.coalesce(func.max(VERSION.c.id), 0))).scalar_one())


def count(session: Session) -> int:
    """How many stories are kept."""
    return int(session.execute(select(func.count()).select_from(STORY)).scalar_one())


def indexed_upto(session: Session) -> int:
    """The newest version that the search index knows."""
    return progress.get(session, INDEX)


def is_searchable(session: Session) -> bool:
    """Whether the search index knows every version."""
    return indexed_upto(session) >= newest_version(session)


def index_new(session: Session, *, limit: int) -> int:
    """Put the next versions into the search index; how many. 0 says that it is complete."""
    exclusive(session, "search")
    cursor = progress.get(session, INDEX)
    query = select(*_INDEXED).join(STORY, _newest()).where(VERSION.c.id > cursor)
    found = session.execute(query.order_by(VERSION.c.id).limit(limit)).all()
    if found:
        index_stories(session, [tuple(row[1:]) for row in found])
        progress.put(session, INDEX, found[-1][0])
    return len(found)


def _newest() -> Any:
    return and_(VERSION.c.story_id == STORY.c.id, VERSION.c.number == STORY.c.versions)


def _read() -> Select[StoryRow, VersionRow, SourceRow]:
    return (
        select(StoryRow, VersionRow, SourceRow)
        .join(VersionRow, _newest())
        .join(SourceRow, SOURCE.c.id == STORY.c.source_id)
    )


def _versions() -> Select[Any]:
    """Without the entry: reading JSON is the dearest part, and no reader of many versions needs it."""
    columns = (VERSION.c[name] for name in _PLAIN)
    return (
        select(*columns, STORY.c.sorted_at, SOURCE.c.url, SOURCE.c.title)
        .join(STORY, STORY.c.id == VERSION.c.story_id)
        .join(SOURCE, SOURCE.c.id == STORY.c.source_id)
    )


def _with_topics(session: Session, rows: Sequence[Row[StoryRow, VersionRow, SourceRow]]) -> list[Story]:
    ids = [story.id for story, _, _ in rows]
    topics: dict[int, list[str]] = {}
    for some in chunks(ids, columns=1):
        members = select(STORY_TOPIC.c.story_id, STORY_TOPIC.c.topic).where(STORY_TOPIC.c.story_id.in_(some))
        for story_id, topic in session.execute(members.order_by(STORY_TOPIC.c.topic)):
            topics.setdefault(story_id, []).append(topic)
    return [_story(*row, topics=tuple(topics.get(row[0].id or 0, ()))) for row in rows]


def _story(story: StoryRow, version: VersionRow, source: SourceRow, *, topics: tuple[str, ...]) -> Story:
    assert story.id is not None  # noqa: S101 - a row that was read has its id
    return Story(
        id=story.id,
        entry_id=story.entry_id,
        url=story.url,
        source_id=story.source_id,
        # Not its address, which may hold a key.
        source_name=source.title or source.host,
        source_url=source.url,
        source_site=source.site_url,
        source_rights=source.rights,
        source_reuse=Reuse(source.reuse),
        title=version.title,
        summary=version.summary,
        body=version.body,
        language=version.language,
        published=story.published,
        updated=version.updated,
        first_seen=story.first_seen,
        changed_at=version.seen_at,
        versions=story.versions,
        digest=version.digest,
        entry=version.entry,
        origin=source.origin,
        topics=topics,
        withdrawn_at=story.withdrawn_at,
        withdrawn_why=story.withdrawn_why,
    )


def _version(row: Row[Any]) -> Version:
    *plain, sorted_at, source_url, source_name = tuple(row)
    values = dict(zip(_PLAIN, plain, strict=True))
    return Version(
        **values, sorted_at=sorted_at, source_url=source_url, source_name=source_name or host_of(source_url)
    )
