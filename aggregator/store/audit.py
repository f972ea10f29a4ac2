"""The audit: what was decided, by whom, from what to what. Rows are only added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session

from aggregator.people import AuditRecord, Deed
from aggregator.store.tables_people import AUDIT


def add(session: Session, deed: Deed, now: datetime) -> None:
    """Write down what is being decided, in the transaction that decides it."""
    values = {"at": now, "by": deed.by, "act": deed.act, "subject": deed.subject, "why": deed.why}
    told = {"was": _json(deed.was), "became": _json(deed.became)}
    session.execute(insert(AUDIT).values(values | told))


def newest(
    session: Session,
    *,
    by: str = "",
    act: str = "",
    subject: str = "",
    before: int | None = None,
    limit: int = 100,
) -> list[AuditRecord]:
    """What was decided, the newest first; `act` names one kind ("brief.publish") or all of a thing ("brief")."""
    query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    if by:
        query = query.where(AUDIT.c.by == by)
    if act:
        query = query.where((AUDIT.c.act == act) | AUDIT.c.act.startswith(f"{act}."))
    if subject:
        query = query.where(AUDIT.c.subject == subject)
    if before is not None:
        query = query.where(AUDIT.c.id < before)
    return [_record(row._mapping) for row in session.execute(query)]


def last(session: Session, act: str, subject: str) -> AuditRecord | None:
    """The last deed of a kind on a thing."""
    return next(iter(newest(session, act=act, subject=subject, limit=1)), None)


def doers(session: Session) -> list[str]:
    """Everybody who ever decided something, by name."""
    return list(session.execute(select(AUDIT.c.by).distinct().order_by(AUDIT.c.by)).scalars())


def _record(row: Mapping[Any, Any]) -> AuditRecord:
    deed = Deed(
        by=row["by"],
        act=row["act"],
        subject=row["subject"],
        was=json.loads(row["was"]),
        became=json.loads(row["became"]),
        why=row["why"],
    )
    return AuditRecord(row["id"], row["at"], deed)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, default=str)
