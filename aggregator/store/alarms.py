"""Alarms about sources, and what they are raised by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, false, func, insert, or_, select, update
from sqlmodel import Session

from aggregator.model import Alarm, AlarmKind, FetchReport, Outcome, Shown
from aggregator.store.dialects import chunks, exclusive
from aggregator.store.tables import FETCH, SOURCE, STORY
from aggregator.store.tables_ingest import ALARM, OUTAGE

_COLUMNS = tuple(ALARM.c[name] for name in ("id", "source_id", "kind", "raised_at", "cleared_at", "why"))

#: What answers with a part of its feed (RFC 3229) does not say how many entries that has.
_IN_PART = 226
#: How much one reading counts for what is usual, and how many times the usual at most.
_WEIGHT, _MOST_TIMES = 0.1, 3
#: Outages that are looked back at; each is known at the end of a round, which began so much earlier at most.
_OUTAGES, _ROUND = 50, timedelta(minutes=5)


def standing(session: Session, *, only: int | None = None) -> list[Alarm]:
    """The alarms that stand, the one raised last first; of all sources or of one."""
    query = select(*_COLUMNS).where(ALARM.c.cleared_at.is_(None))
    if only is not None:
        query = query.where(ALARM.c.source_id == only)
    order = (ALARM.c.raised_at.desc(), ALARM.c.id.desc())
    return [_alarm(row) for row in session.execute(query.order_by(*order))]


def of_source(session: Session, source_id: int, *, limit: int) -> list[Alarm]:
    """The newest alarms about a source, those that are over as well."""
    query = select(*_COLUMNS).where(ALARM.c.source_id == source_id)
    order = (ALARM.c.raised_at.desc(), ALARM.c.id.desc())
    return [_alarm(row) for row in session.execute(query.order_by(*order).limit(limit))]


def settle(
    session: Session, wrong: Mapping[int, Mapping[AlarmKind, str]], *, now: datetime, tell: bool
) -> tuple[list[Alarm], list[Alarm]]:
    """Raise what is wrong and was not, clear what no longer is; both, as they are now.

    `wrong` is what is wrong with each source; `tell` says whether a webhook is to be told.
    """
    # Of two processes one raises an alarm.
    exclusive(session, "alarms")
    known = {(alarm.source_id, alarm.kind): alarm for alarm in standing(session)}
    are = {(source, kind): why for source, kinds in wrong.items() for kind, why in kinds.items()}
    rows = [
        {"source_id": source, "kind": kind.value, "raised_at": now, "cleared_at": None, "why": why}
        | {"next_try": now if tell else None, "tries": 0}
        for (source, kind), why in are.items()
        if (source, kind) not in known
    ]
    raised = [
        _alarm(session.execute(insert(ALARM).values(row).returning(*_COLUMNS)).one())
        for row in sorted(rows, key=lambda row: (row["source_id"], row["kind"]))
    ]
    over = [alarm.id for key, alarm in known.items() if key not in are]
    values = {"cleared_at": now, "next_try": now if tell else None, "tries": 0}
    for some in chunks(over, columns=1):
        session.execute(update(ALARM).where(ALARM.c.id.in_(some)).values(**values))
    return raised, by_ids(session, over)


def by_ids(session: Session, ids: Collection[int]) -> list[Alarm]:
    """These alarms, in the order in which they were raised."""
    query = select(*_COLUMNS).order_by(ALARM.c.id)
    return [
        _alarm(row)
        for some in chunks(sorted(ids), columns=1)
        for row in session.execute(query.where(ALARM.c.id.in_(some)))
    ]


def untold(session: Session, now: datetime, *, limit: int) -> list[tuple[Alarm, int]]:
    """The alarms that the webhook is to be told of now, with how often that was tried."""
    query = select(*_COLUMNS, ALARM.c.tries).where(ALARM.c.next_try <= now)
    rows = session.execute(query.order_by(ALARM.c.next_try, ALARM.c.id).limit(limit)).all()
    return [(_alarm(row), row.tries) for row in rows]


def told(session: Session, alarm: Alarm, *, tries: int, next_try: datetime | None) -> None:
    """Note how telling the webhook went; None where it is done, or given up.

    One that was cleared meanwhile is told anew, so it stays as it is.
    """
    cleared = ALARM.c.cleared_at
    same = cleared.is_(None) if alarm.cleared_at is None else cleared == alarm.cleared_at
    session.execute(update(ALARM).where(ALARM.c.id == alarm.id, same).values(tries=tries, next_try=next_try))


def failing_since(session: Session) -> dict[int, datetime]:
    """When the first failure since its last success was, of each source whose last fetch failed.

    What failed while our own connection did is not counted.
    """
    ours = select(OUTAGE.c.began_at, OUTAGE.c.ended_at).order_by(OUTAGE.c.id.desc()).limit(_OUTAGES)
    not_ours = [
        or_(FETCH.c.at < began - _ROUND, FETCH.c.at > ended if ended is not None else false())
        for began, ended in session.execute(ours)
    ]
    since = (
        select(SOURCE.c.id, func.min(FETCH.c.at))
        .join(FETCH, FETCH.c.source_id == SOURCE.c.id)
        .where(
            SOURCE.c.failure_kind.is_not(None),
            FETCH.c.outcome == Outcome.FAILED.value,
            or_(SOURCE.c.last_success.is_(None), FETCH.c.at > SOURCE.c.last_success),
            *not_ours,
        )
        .group_by(SOURCE.c.id)
    )
    return {int(id): at for id, at in session.execute(since)}


def count_entries(session: Session, reports: Sequence[FetchReport]) -> None:
    """Note how many entries the feeds showed that were read whole; what was noted before becomes the usual."""
    rows = [
        {"which": report.source_id, "shown": report.entries}
        for report in reports
        if report.entries is not None and report.outcome is Outcome.FETCHED and report.status != _IN_PART
    ]
    if not rows:
        return
    before, usual = SOURCE.c.entries_now, SOURCE.c.entries_usual
    # One feed of thousands must not make the next one seem small.
    calm = case((before > usual * _MOST_TIMES, usual * _MOST_TIMES), else_=before)
    statement = (
        update(SOURCE)
        .where(SOURCE.c.id == bindparam("which"))
        .values(
            entries_now=bindparam("shown"),
            entries_usual=func.coalesce(usual * (1 - _WEIGHT) + calm * _WEIGHT, before),
            readings=SOURCE.c.readings + 1,
        )
    )
    session.connection().execute(statement, rows)


def entries_shown(session: Session) -> dict[int, Shown]:
    """How many entries each source that was read more than once showed."""
    columns = (SOURCE.c.id, SOURCE.c.entries_now, SOURCE.c.entries_usual, SOURCE.c.readings)
    query = select(*columns).where(SOURCE.c.entries_usual.is_not(None))
    return {row.id: Shown(row.entries_now, row.entries_usual, row.readings) for row in session.execute(query)}


def to_measure(session: Session, before: datetime, *, limit: int) -> list[int]:
    """The followed sources whose pauses were not measured since then, those never measured first."""
    is_old = or_(SOURCE.c.measured_at.is_(None), SOURCE.c.measured_at < before)
    order = (SOURCE.c.measured_at.is_not(None), SOURCE.c.measured_at, SOURCE.c.id)
    answered = (~SOURCE.c.is_paused, SOURCE.c.last_success.is_not(None))
    query = select(SOURCE.c.id).where(is_old, *answered).order_by(*order).limit(limit)
    return list(session.execute(query).scalars())


def times_of(session: Session, source_id: int, *, stories: int) -> list[datetime]:
    """When a source gave the newest so many stories, newest first."""
    query = select(STORY.c.sorted_at).where(STORY.c.source_id == source_id)
    return list(session.execute(query.order_by(STORY.c.sorted_at.desc()).limit(stories)).scalars())


def put_pauses(session: Session, pauses: Sequence[tuple[int, float | None]], *, now: datetime) -> None:
    """Note the measured pauses of sources, in seconds."""
    if not pauses:
        return
    table = SOURCE
    statement = (
        update(table)
        .where(table.c.id == bindparam("which"))
        .values(
            quiet_seconds=bindparam("seconds"), measured_at=bindparam("at", type_=table.c.measured_at.type)
        )
    )
    rows = [{"which": id, "seconds": seconds, "at": now} for id, seconds in pauses]
    session.connection().execute(statement, rows)


def _alarm(row: Any) -> Alarm:
    id, source, kind, raised, cleared, why = row[:6]
    return Alarm(id, source, AlarmKind(kind), raised, cleared, why)
