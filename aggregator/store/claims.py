"""Claims: which sources a process has for a while, and how much of each host.

A claim stands in the row of its source, so that whoever dies gives it back with its lease. Where
several workers share the hosts, each holds so many of the places at a host as its claims there say.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.engine import Row
from sqlmodel import Session

from aggregator.model import SourceDue, SourceKind
from aggregator.store import paced, pauses
from aggregator.store.dialects import chunks, exclusive
from aggregator.store.tables import SOURCE
from aggregator.store.tables_out import PUSH_SOURCE


@dataclass(frozen=True, slots=True)
class Share:
    """What one of several workers may have of each host."""

    #: Whose claims these are: the number of a job.
    holder: int
    #: Requests that it may have under way at one host, and how many all together may.
    places: int
    of: int


def claim_due(
    session: Session, now: datetime, *, limit: int, lease: timedelta, share: Share | None = None
) -> list[SourceDue]:
    """Take up to `limit` sources whose time has come and whose domain is not paused, fairly by host.

    The first due of every host comes before the second of any, so one host with hundreds of
    feeds holds up nobody. Claimed rows are nobody else's until they are recorded or the lease
    has passed. With a `share` of the hosts, those are left out at which others hold too many places.
    """
    is_due = _is_due(now)
    if share is not None:
        is_due.append(SOURCE.c.host.not_in(_full(now, share)))
    return _claim(session, now, is_due, limit=limit, lease=lease, share=share)


def count_due(session: Session, now: datetime, *, most: int) -> int:
    """How many sources `claim_due` would find, whatever their hosts; no more than `most` are counted."""
    found = select(SOURCE.c.id).where(_is_free(now), *_is_due(now)).limit(most).subquery()
    return int(session.execute(select(func.count()).select_from(found)).scalar_one())


def due_since(session: Session, now: datetime) -> datetime | None:
    """Since when the first of the sources that `claim_due` would find is due; None where none is."""
    query = select(func.min(SOURCE.c.next_due)).where(_is_free(now), *_is_due(now))
    found: datetime | None = session.execute(query).scalar()
    return found


def claim_now(
    session: Session, now: datetime, *, lease: timedelta, only: Sequence[int] = (), even_waiting: bool = False
) -> list[SourceDue]:
    """Take sources whether or not their time has come: all, or those of `only`.

    Those paused, gone or told to wait (a Retry-After not yet passed) are left out, unless they
    are named or `even_waiting` asks for every one.
    """
    conditions: list[ColumnElement[bool]] = []
    if only:
        conditions.append(SOURCE.c.id.in_(only))
    elif not even_waiting:
        asked_to_wait = (SOURCE.c.failure_kind.in_(["rate_limited", "unavailable"])) & (
            SOURCE.c.next_due > now
        )
        conditions += [*_answerable(), ~func.coalesce(asked_to_wait, False), ~pauses.is_paused(now)]
    return _claim(session, now, conditions, limit=None, lease=lease)


def release(session: Session, source_ids: Sequence[int]) -> None:
    """Give claimed sources back unasked, as at the end of a program."""
    for ids in chunks(source_ids, columns=1):
        session.execute(update(SOURCE).where(SOURCE.c.id.in_(ids)).values(claimed_until=None))


def release_held(session: Session, holders: Collection[int]) -> int:
    """Give back what these held, since they are dead; how many sources that were."""
    if not holders:
        return 0
    theirs = update(SOURCE).where(SOURCE.c.claimed_until.is_not(None), SOURCE.c.claimed_by.in_(holders))
    return int(session.execute(theirs.values(claimed_until=None)).rowcount)  # type: ignore[attr-defined]


def earliest_due(session: Session) -> datetime | None:
    """When the next source is due; None where nothing is followed."""
    # A claim only ever puts a source off: one whose lease has passed is due when it was due before.
    is_put_off = SOURCE.c.claimed_until > SOURCE.c.next_due
    paused_until = pauses.paused_until()
    # What nothing puts off bounds the rest, so that the index gives both answers, however many sources there are.
    bare = (func.coalesce(~is_put_off, True), func.coalesce(paused_until <= SOURCE.c.next_due, True))
    first = select(SOURCE.c.next_due).where(*_answerable(), *bare).order_by(SOURCE.c.next_due).limit(1)
    bound = session.execute(first).scalar()
    sooner = [] if bound is None else [SOURCE.c.next_due <= bound]
    free = case((is_put_off, SOURCE.c.claimed_until), else_=SOURCE.c.next_due)
    due = select(func.min(case((paused_until > free, paused_until), else_=free)))
    found: datetime | None = session.execute(due.where(*_answerable(), *sooner)).scalar_one()
    return found


def as_due(session: Session, source_id: int, *, whatever: bool = False) -> SourceDue | None:
    """What reading something of a source needs to know, unclaimed; None where it is not known.

    One that is paused or gone is left out as well, unless `whatever` its state is asked for.
    """
    state = [] if whatever else _answerable()
    row = session.execute(select(*_OF_DUE).where(SOURCE.c.id == source_id, *state)).first()
    return _due(row) if row else None


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(SOURCE.c.claimed_until.is_(None), SOURCE.c.claimed_until <= now)


def _is_due(now: datetime) -> list[ColumnElement[bool]]:
    return [SOURCE.c.next_due <= now, *_answerable(), ~pauses.is_paused(now)]


def _full(now: datetime, share: Share) -> Any:
    """The hosts at which others hold so many places that too few are left. Who has no share holds all."""
    others = (
        SOURCE.c.claimed_until.is_not(None),
        SOURCE.c.claimed_until > now,
        func.coalesce(SOURCE.c.claimed_by, 0) != share.holder,
    )
    places = func.max(func.coalesce(SOURCE.c.claimed_places, share.of)).label("places")
    held = (
        select(SOURCE.c.host, places).where(*others).group_by(SOURCE.c.host, SOURCE.c.claimed_by).subquery()
    )
    is_full = func.sum(held.c.places) > share.of - share.places
    return select(held.c.host).group_by(held.c.host).having(is_full)


def _answerable() -> list[ColumnElement[bool]]:
    return [~SOURCE.c.is_paused, SOURCE.c.gone_at.is_(None)]


def _claim(
    session: Session,
    now: datetime,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int | None,
    lease: timedelta,
    share: Share | None = None,
) -> list[SourceDue]:
    exclusive(session, "claims")
    rank = func.row_number().over(partition_by=SOURCE.c.host, order_by=(SOURCE.c.next_due, SOURCE.c.id))
    ranked = select(SOURCE.c.id.label("id"), SOURCE.c.next_due, rank.label("rank"))
    waiting = ranked.where(_is_free(now), *conditions).subquery()
    order = (waiting.c.rank, waiting.c.next_due, waiting.c.id)
    # Chosen first: so only those rows are read whole that are claimed.
    chosen = select(waiting.c.id, waiting.c.rank).order_by(*order).limit(limit).subquery()
    trusted = PUSH_SOURCE.c.is_trusted & PUSH_SOURCE.c.is_confirmed & (PUSH_SOURCE.c.lease_until > now)
    query = (
        select(*_OF_DUE, func.coalesce(trusted, False).label("is_pushed"))
        .join(chosen, chosen.c.id == SOURCE.c.id)
        .outerjoin(PUSH_SOURCE, PUSH_SOURCE.c.source_id == SOURCE.c.id)
        .order_by(chosen.c.rank, SOURCE.c.next_due, SOURCE.c.id)
    )
    rows = session.execute(query).all()
    for ids in chunks([row.id for row in rows], columns=1):
        claim = (
            update(SOURCE)
            .where(SOURCE.c.id.in_(ids))
            .values(
                claimed_until=now + lease,
                claimed_by=share.holder if share else None,
                claimed_places=share.places if share else None,
            )
        )
        session.execute(claim.execution_options(synchronize_session=False))
    return [_due(row, is_pushed=bool(row.is_pushed)) for row in rows]


#: What of a source a fetch must know. What it last said of itself is left out: reading that costs the most.
_OF_DUE = tuple(
    SOURCE.c[name]
    for name in (
        "id", "url", "title", "site_url", "language", "kind", "etag", "last_modified", "digest", "failures",
        "identity", "host", "interval_seconds", "usual_seconds", "quiet_seconds", "newest_at", "whole_at",
        "gaps", "gap_at", "moved_chain", "moved_since",
    )
)  # fmt: skip


def _due(row: Row[Any], *, is_pushed: bool = False) -> SourceDue:
    return SourceDue(
        id=row.id,
        url=row.url,
        title=row.title,
        site_url=row.site_url,
        language=row.language,
        kind=SourceKind(row.kind),
        etag=row.etag,
        last_modified=row.last_modified,
        digest=row.digest,
        failures=row.failures,
        identity="link" if row.identity == "link" else "id",
        host=row.host,
        paced=paced.of_row(row, is_pushed=is_pushed),
    )
