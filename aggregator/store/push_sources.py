"""Which sources a hub sends us, and which hubs are to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlmodel import Session

from aggregator.model import SourceDue
from aggregator.outgoing import PushSource
from aggregator.store import claims
from aggregator.store.tables import SOURCE, STORY
from aggregator.store.tables_out import PUSH_SOURCE, PushSourceRow

#: A story that is younger may still be on its way to the hub.
GRACE = timedelta(minutes=5)


def to_ask(session: Session, now: datetime, *, limit: int) -> list[PushSource]:
    """The sources whose hubs are to be asked now: for the first time, again, or to renew."""
    query = (
        select(PushSourceRow)
        .join(SOURCE, SOURCE.c.id == PUSH_SOURCE.c.source_id)
        .where(PUSH_SOURCE.c.next_try <= now, ~SOURCE.c.is_paused, SOURCE.c.gone_at.is_(None))
    )
    rows = session.execute(query.order_by(PUSH_SOURCE.c.next_try).limit(limit)).scalars()
    return [_push_source(row) for row in rows]


def at_token(session: Session, token: str) -> PushSource | None:
    """The source that a hub sends to this address of ours."""
    row = session.execute(select(PushSourceRow).where(PUSH_SOURCE.c.token == token)).scalars().first()
    return _push_source(row) if row else None


def of_source(session: Session, source_id: int) -> PushSource | None:
    """The hub that a source names."""
    row = session.get(PushSourceRow, source_id)
    return _push_source(row) if row else None


def source_of(session: Session, push: PushSource) -> SourceDue | None:
    """What reading a push needs to know of its source; None where it is not followed any more."""
    return claims.as_due(session, push.source_id)


def asked(session: Session, source_id: int, *, tries: int, why: str, at: datetime) -> None:
    """A hub was asked; when to ask it again unless it answers."""
    _change(session, source_id, tries=tries, why=why, next_try=at)


def confirm(session: Session, push: PushSource, lease: timedelta, *, now: datetime) -> None:
    """A hub asked whether we meant it. Half way through the lease it is renewed."""
    _change(
        session,
        push.source_id,
        is_confirmed=True,
        lease_until=now + lease,
        next_try=now + lease / 2,
        tries=0,
        why="subscribed",
    )


def deny(session: Session, push: PushSource, *, why: str, at: datetime) -> None:
    """A hub refuses us, at first or later."""
    _change(session, push.source_id, is_confirmed=False, lease_until=None, why=why, next_try=at)


def pushed(session: Session, push: PushSource, *, now: datetime) -> None:
    """A hub sent something genuine: from now on it is trusted to send what is new."""
    _change(session, push.source_id, pushed_at=now, is_trusted=True)


def distrust(session: Session, found: Sequence[tuple[int, datetime]]) -> None:
    """Trust a hub no more that sent nothing of what was found by asking: source, and when we asked."""
    for source_id, at in found:
        is_late = or_(STORY.c.published.is_(None), STORY.c.published < at - GRACE)
        missed = select(STORY.c.id).where(STORY.c.source_id == source_id, STORY.c.first_seen == at, is_late)
        if session.execute(missed.limit(1)).first():
            why = "it missed a story that we found by asking"
            _change(session, source_id, is_trusted=False, missed_at=at, why=why)


def everyone(session: Session) -> list[PushSource]:
    """Every source whose feed names a hub, by its id."""
    rows = session.execute(select(PushSourceRow).order_by(PUSH_SOURCE.c.source_id)).scalars()
    return [_push_source(row) for row in rows]


def _change(session: Session, source_id: int, **values: object) -> None:
    session.execute(update(PUSH_SOURCE).where(PUSH_SOURCE.c.source_id == source_id).values(**values))


def _push_source(row: PushSourceRow) -> PushSource:
    return PushSource(**{name: getattr(row, name) for name in PushSource.__slots__})
