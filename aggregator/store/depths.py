"""How much waits, and how things stand: a few figures for whoever watches the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, or_, select, text
from sqlmodel import Session

from aggregator.model import AlarmKind
from aggregator.store import anchors, claims, clusters, queue_tables, stories
from aggregator.store.tables import SOURCE
from aggregator.store.tables_ingest import ALARM
from aggregator.store.tables_out import DOCUMENT, SUBSCRIBER, SUBSCRIPTION_ASKED, WEBHOOK

#: Sources that are counted as due at most.
MOST_DUE = 1_000_000

STATES = ("well", "failing", "paused", "gone")


@dataclass(frozen=True, slots=True)
class Depths:
    """How much waits at one moment."""

    #: Sources that are due and that nobody has; and since when the first of them is.
    due: int
    due_since: datetime | None
    #: When any source was asked last.
    last_fetch: datetime | None
    #: Sources by state, of `STATES`.
    sources: Mapping[str, int]
    #: Alarms that stand, by kind.
    alarms: Mapping[str, int]
    #: Versions of stories that a step has not done yet, by step.
    behind: Mapping[str, int]
    #: Deliveries that wait, by kind.
    waiting: Mapping[str, int]
    #: Jobs of the queue by name of the queue and status; none on SQLite.
    jobs: Mapping[tuple[str, str], int]
    database_bytes: int


def depths(session: Session, *, now: datetime) -> Depths:
    """How much waits now."""
    last = session.execute(select(func.max(SOURCE.c.last_fetch))).scalar()
    return Depths(
        due=claims.count_due(session, now, most=MOST_DUE),
        due_since=claims.due_since(session, now),
        last_fetch=last,
        sources=dict.fromkeys(STATES, 0) | _sources(session),
        alarms={kind.value: 0 for kind in AlarmKind} | _alarms(session),
        behind=_behind(session),
        waiting=_waiting(session, now),
        jobs=queue_tables.jobs(session),
        database_bytes=_bytes(session),
    )


def _sources(session: Session) -> dict[str, int]:
    state = case(
        (SOURCE.c.gone_at.is_not(None), "gone"),
        (SOURCE.c.is_paused, "paused"),
        (SOURCE.c.failure_kind.is_not(None), "failing"),
        else_="well",
    )
    return _counted(session, select(state, func.count()).select_from(SOURCE).group_by(state))


def _alarms(session: Session) -> dict[str, int]:
    standing = ALARM.c.cleared_at.is_(None)
    return _counted(session, select(ALARM.c.kind, func.count()).where(standing).group_by(ALARM.c.kind))


def _behind(session: Session) -> dict[str, int]:
    newest = stories.newest_version(session)
    done = {
        "search": stories.indexed_upto(session),
        "clusters": clusters.cursor(session),
        "anchors": anchors.indexed_upto(session),
    }
    # Ids, some of which may stand for nothing: near enough for what is to be nought soon.
    return {step: max(0, newest - upto) for step, upto in done.items()}


def _waiting(session: Session, now: datetime) -> dict[str, int]:
    served = (DOCUMENT.c.channel == SUBSCRIBER.c.channel) & (DOCUMENT.c.format == SUBSCRIBER.c.format)
    pushes = (
        select(func.count())
        .select_from(SUBSCRIBER.join(DOCUMENT, served))
        .where(
            or_(SUBSCRIBER.c.etag.is_(None), SUBSCRIBER.c.etag != DOCUMENT.c.etag),
            SUBSCRIBER.c.lease_until > now,
        )
    )
    webhooks = select(func.count()).select_from(WEBHOOK).where(WEBHOOK.c.state == "waiting")
    wishes = select(func.count()).select_from(SUBSCRIPTION_ASKED)
    asked = {"push": pushes, "webhook": webhooks, "confirmation": wishes}
    return {kind: int(session.execute(query).scalar_one()) for kind, query in asked.items()}


def _bytes(session: Session) -> int:
    if session.connection().dialect.name == "sqlite":
        pages, size = (
            session.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("page_count", "page_size")
        )
        return int(pages) * int(size)
    return int(session.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def _counted(session: Session, query: Any) -> dict[str, int]:
    return {name: int(count) for name, count in session.execute(query)}
