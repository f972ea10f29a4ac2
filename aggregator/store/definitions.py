"""Topics and channels as editors defined them. Rows are only added; the newest of a name counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, insert, select
from sqlmodel import Session

from aggregator.store import notices
from aggregator.store.dialects import exclusive
from aggregator.store.tables_desk import DEFINITION, DefinitionRow

#: States of one name that are shown of its past.
MOST_PAST = 50

#: What editors define at the desk.
DefinitionKind = Literal["topic", "channel"]


@dataclass(frozen=True, slots=True)
class Definition:
    """A topic or a channel as an editor defined it at the desk."""

    id: int
    kind: DefinitionKind
    slug: str
    #: Its fields, without its name.
    body: Mapping[str, Any]
    #: From here on the desk defines nothing of this name.
    is_removed: bool
    by: str
    at: datetime


def newest_id(session: Session) -> int:
    """The id of the newest definition, 0 where there is none: as long as it stays, so does everything."""
    return int(session.execute(select(func.coalesce(func.max(DEFINITION.c.id), 0))).scalar_one())


def standing(session: Session) -> list[Definition]:
    """What counts now: the newest definition of each kind and name, in the order of the first ones."""
    first, last = func.min(DEFINITION.c.id), func.max(DEFINITION.c.id)
    ends = select(first.label("first"), last.label("last")).group_by(DEFINITION.c.kind, DEFINITION.c.slug)
    each = ends.subquery()
    query = select(DefinitionRow).join(each, each.c.last == DEFINITION.c.id).order_by(each.c.first)
    return [_definition(row) for row in session.execute(query).scalars()]


def past(session: Session, kind: DefinitionKind, slug: str) -> list[Definition]:
    """What editors made of a name, newest first."""
    query = select(DefinitionRow).where(DEFINITION.c.kind == kind, DEFINITION.c.slug == slug)
    rows = session.execute(query.order_by(DEFINITION.c.id.desc()).limit(MOST_PAST)).scalars()
    return [_definition(row) for row in rows]


def alone(session: Session) -> None:
    """Until this transaction ends nobody else adds a definition, so that what was checked still holds."""
    exclusive(session, "definitions")


def add(
    session: Session, kind: DefinitionKind, slug: str, body: Mapping[str, Any], *, by: str, now: datetime
) -> int:
    """Define a topic or a channel from now on; the id of the definition."""
    return _add(session, kind, slug, json.dumps(dict(body), ensure_ascii=False), by=by, now=now)


def take_back(session: Session, kind: DefinitionKind, slug: str, *, by: str, now: datetime) -> int:
    """Let the desk define nothing of this name any more; the id of the definition that says so."""
    return _add(session, kind, slug, "{}", is_removed=True, by=by, now=now)


def _add(
    session: Session,
    kind: DefinitionKind,
    slug: str,
    body: str,
    *,
    is_removed: bool = False,
    by: str,
    now: datetime,
) -> int:
    notices.tell(session, notices.DEFINITIONS)
    values = {"kind": kind, "slug": slug, "body": body, "is_removed": is_removed, "by": by, "at": now}
    return int(session.execute(insert(DEFINITION).values(values).returning(DEFINITION.c.id)).scalar_one())


def _definition(row: DefinitionRow) -> Definition:
    assert row.id is not None  # noqa: S101 - a row that was read has its id
    return Definition(
        id=row.id,
        kind="channel" if row.kind == "channel" else "topic",
        slug=row.slug,
        body=json.loads(row.body),
        is_removed=row.is_removed,
        by=row.by,
        at=row.at,
    )
