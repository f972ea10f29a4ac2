"""What tells whether a story or a published brief reads as it did, without reading it.

Versions and acts of publishing are never overwritten, so their numbers stand for all that they
say. What can change beside them stands in a stamp as it is: where a story stands, its source, its
topics, whether it was taken back. Equal stamps mean an equal story.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select, type_coerce
from sqlalchemy.types import NullType
from sqlmodel import Session

from aggregator.language.query import Query
from aggregator.store import stories
from aggregator.store.dialects import chunks
from aggregator.store.tables import BRIEF, PUBLICATION, SOURCE, STORY, STORY_TOPIC, VERSION

#: To be compared, and for nothing else.
Stamp = tuple[Any, ...]

_NEWEST_FIRST = (STORY.c.sorted_at.desc(), STORY.c.id.desc())

#: As the database gives them: turning times and JSON into values takes longer than all else here.
_STORY = [
    type_coerce(STORY.c[name], NullType())
    for name in (
        "id",
        "source_id",
        "entry_id",
        "url",
        "published",
        "first_seen",
        "versions",
        "digest",
        "withdrawn_at",
        "withdrawn_why",
    )
]
_SOURCE = [
    type_coerce(SOURCE.c[name], NullType())
    for name in ("id", "title", "host", "url", "site_url", "rights", "reuse", "origin")
]


def of_newest(
    session: Session,
    query: Query | None = None,
    *,
    topic: str | None = None,
    language: str | None = None,
    sources: Sequence[int] | None = None,
    limit: int | None = None,
) -> dict[int, Stamp]:
    """The stamps of the stories that `stories.find` gives, newest first."""
    found = stories.ids_meeting(session, query, topic=topic, language=language, sources=sources, limit=limit)
    rows = session.execute(_stories().where(STORY.c.id.in_(found)).order_by(*_NEWEST_FIRST))
    return _with_sources(session, rows.all())


def of_stories(session: Session, ids: Collection[int]) -> dict[int, Stamp]:
    """The stamps of these stories; those that do not exist are left out."""
    rows: list[Any] = []
    for some in chunks(sorted(ids), columns=1):
        rows += session.execute(_stories().where(STORY.c.id.in_(some))).all()
    return _with_sources(session, rows)


def _stories() -> Any:
    newest = and_(VERSION.c.story_id == STORY.c.id, VERSION.c.number == STORY.c.versions)
    topics = select(func.aggregate_strings(STORY_TOPIC.c.topic, ",")).where(
        STORY_TOPIC.c.story_id == STORY.c.id
    )
    return select(*_STORY, VERSION.c.id, topics.scalar_subquery()).join(VERSION, newest)


def _with_sources(session: Session, rows: Sequence[Any]) -> dict[int, Stamp]:
    sources = _sources(session, {row[1] for row in rows})
    return {row[0]: (sources[row[1]], *row) for row in rows}


@dataclass(frozen=True, slots=True)
class BriefStamp:
    """What tells whether a published brief reads as it did, beside the stories that it names."""

    slug: str
    #: Its acts of publishing, oldest first.
    acts: tuple[int, ...]
    #: The stories that its last act names.
    stories: tuple[int, ...]


def of_briefs(session: Session, ids: Collection[int]) -> dict[int, BriefStamp]:
    """The stamps of these briefs as they were published, those published first first."""
    found: dict[int, BriefStamp] = {}
    query = select(PUBLICATION.c.brief_id, PUBLICATION.c.id, PUBLICATION.c.links, BRIEF.c.slug)
    query = query.join(BRIEF, BRIEF.c.id == PUBLICATION.c.brief_id)
    for some in chunks(sorted(ids), columns=1):
        acts = query.where(PUBLICATION.c.brief_id.in_(some)).order_by(PUBLICATION.c.id)
        for brief, act, links, slug in session.execute(acts):
            before = found[brief].acts if brief in found else ()
            found[brief] = BriefStamp(slug, (*before, act), tuple(link[1] for link in links))
    return found


def _sources(session: Session, ids: Collection[int]) -> dict[int, Stamp]:
    """The stamps of sources, as far as their stories show them."""
    found: dict[int, Stamp] = {}
    for some in chunks(sorted(ids), columns=1):
        found.update(
            (row[0], tuple(row)) for row in session.execute(select(*_SOURCE).where(SOURCE.c.id.in_(some)))
        )
    return found
