"""What was just written, read back within its transaction: versions with what stood there before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, func, select
from sqlmodel import Session

from aggregator.store.tables import VERSION
from feeds.model import Entry


@dataclass(frozen=True, slots=True)
class Texts:
    """What a version says, as far as a reader may read it otherwise."""

    title: str
    summary: str
    body: str
    language: str | None
    url: str | None
    published: datetime | None


@dataclass(frozen=True, slots=True)
class Written:
    """A version that was written, and the one before it."""

    story_id: int
    digest: str
    evidence: str | None
    now: Texts
    #: None where the story is new.
    before: Texts | None
    #: When the one before was seen.
    before_at: datetime | None


def newest(session: Session) -> int:
    """The highest id of a version; 0 where there is none."""
    return int(session.execute(select(func.coalesce(func.max(VERSION.c.id), 0))).scalar_one())


def since(session: Session, version_id: int) -> list[Written]:
    """The versions that were written after this one, in their order."""
    older = VERSION.alias()
    was = and_(older.c.story_id == VERSION.c.story_id, older.c.number == VERSION.c.number - 1)
    columns = (VERSION.c.story_id, VERSION.c.digest, VERSION.c.evidence, *_said(VERSION))
    query = (
        select(*columns, older.c.seen_at, *_said(older))
        .outerjoin(older, was)
        .where(VERSION.c.id > version_id)
        .order_by(VERSION.c.id)
    )
    return [_written(*row) for row in session.execute(query)]


def _said(table: FromClause) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in ("title", "summary", "body", "language", "entry")]


def _written(story: int, digest: str, evidence: str | None, *rest: Any) -> Written:
    now, before_at, before = rest[:5], rest[5], rest[6:]
    return Written(
        story_id=story,
        digest=digest,
        evidence=evidence,
        now=_texts(*now),
        before=_texts(*before) if before_at is not None else None,
        before_at=before_at,
    )


def _texts(title: str, summary: str, body: str, language: str | None, entry: Entry) -> Texts:
    return Texts(title, summary, body, language, entry.url, entry.published or entry.updated)
