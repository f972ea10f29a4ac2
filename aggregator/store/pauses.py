"""Who is to be left alone: domains that answered 429, and everybody while our own connection fails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, delete, func, insert, select, update
from sqlmodel import Session

from aggregator.model import FetchReport
from aggregator.store.dialects import upsert
from aggregator.store.tables import SOURCE
from aggregator.store.tables_ingest import HOST_PAUSE, OUTAGE, OutageRow


def is_paused(now: datetime) -> ColumnElement[bool]:
    """Whether the domain of a source is paused, and no editor insists on asking it."""
    same = (HOST_PAUSE.c.domain == SOURCE.c.domain) & (HOST_PAUSE.c.until > now)
    paused = select(HOST_PAUSE.c.domain).where(same).correlate(SOURCE).exists()
    return paused & ~SOURCE.c.is_insisted


def paused_until() -> ColumnElement[datetime]:
    """When the domain of a source may be asked again; null where it never was paused."""
    until = select(HOST_PAUSE.c.until).where(HOST_PAUSE.c.domain == SOURCE.c.domain).correlate(SOURCE)
    return case((~SOURCE.c.is_insisted, until.scalar_subquery()), else_=None)


def standing(session: Session, now: datetime) -> dict[str, datetime]:
    """The domains that are paused now, and until when."""
    query = select(HOST_PAUSE.c.domain, HOST_PAUSE.c.until).where(HOST_PAUSE.c.until > now)
    return {row.domain: row.until for row in session.execute(query)}


def pause_of(session: Session, source_id: int, now: datetime) -> tuple[str, datetime] | None:
    """The domain of a source and until when it is paused; None where it is not."""
    query = (
        select(HOST_PAUSE.c.domain, HOST_PAUSE.c.until)
        .join(SOURCE, SOURCE.c.domain == HOST_PAUSE.c.domain)
        .where(SOURCE.c.id == source_id, HOST_PAUSE.c.until > now)
    )
    found = session.execute(query).first()
    return (found[0], found[1]) if found else None


def keep(session: Session, reports: Sequence[FetchReport]) -> None:
    """Pause the domains that answered 429. A pause is never shortened by another."""
    rows: dict[str, dict[str, object]] = {}
    for report in reports:
        domain, until = report.asked.pauses, report.next_due
        if domain and until and (domain not in rows or rows[domain]["until"] < until):  # type: ignore[operator]
            rows[domain] = {"domain": domain, "until": until, "why": report.why}
    if not rows:
        return
    statement = upsert(session, HOST_PAUSE).values(list(rows.values()))
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["domain"],
            set_={"until": new.until, "why": new.why},
            where=HOST_PAUSE.c.until < new.until,
        )
    )
    # What is over is of no use to anybody.
    session.execute(delete(HOST_PAUSE).where(HOST_PAUSE.c.until < min(report.at for report in reports)))


def outage(session: Session, since: datetime | None = None) -> OutageRow | None:
    """Our outage that lasts; with `since`, the last one that ended after it, too."""
    query = select(OutageRow).order_by(OUTAGE.c.id.desc()).limit(1)
    lasts = OUTAGE.c.ended_at.is_(None)
    query = query.where(lasts if since is None else lasts | (OUTAGE.c.ended_at >= since))
    return session.execute(query).scalars().first()


def begin_outage(session: Session, now: datetime, why: str) -> bool:
    """Our connection fails; False where that is known."""
    if outage(session) is not None:
        return False
    session.execute(insert(OUTAGE).values(began_at=now, why=why))
    return True


def end_outage(session: Session, now: datetime) -> bool:
    """Hosts are reached again; False where nothing was amiss."""
    ended = update(OUTAGE).where(OUTAGE.c.ended_at.is_(None)).values(ended_at=now)
    return bool(session.execute(ended).rowcount)  # type: ignore[attr-defined]


def lately(session: Session, since: datetime, kinds: Sequence[str]) -> dict[str, bool]:
    """The hosts asked since then, each with whether any of its feeds failed in one of these ways."""
    failed = func.max(case((SOURCE.c.failure_kind.in_(kinds), 1), else_=0))
    query = select(SOURCE.c.host, failed).where(SOURCE.c.last_fetch >= since).group_by(SOURCE.c.host)
    return {host: bool(is_failing) for host, is_failing in session.execute(query)}
