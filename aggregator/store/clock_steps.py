"""What the clock said last; and what waits for a time, which is moved along where the clock was set back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, Table, bindparam, select, update
from sqlmodel import Session

from aggregator.store import progress
from aggregator.store.dialects import exclusive
from aggregator.store.tables import SOURCE
from aggregator.store.tables_ingest import ALARM, HOST_PAUSE
from aggregator.store.tables_out import PING, PUSH_SOURCE, SUBSCRIBER, SUBSCRIPTION_ASKED, WEBHOOK

#: The name under which the minute that was seen last stands.
SEEN = "clock"
#: A step back of less than this is not told from two looks at one time.
LEAST = timedelta(minutes=2)

#: The times before which nothing is done. What an editor planned or a partner was told is none of them.
WAITS: tuple[tuple[Table, str], ...] = (
    (SOURCE, "next_due"),
    (SOURCE, "claimed_until"),
    (HOST_PAUSE, "until"),
    (ALARM, "next_try"),
    (SUBSCRIBER, "next_try"),
    (SUBSCRIPTION_ASKED, "next_try"),
    (PUSH_SOURCE, "next_try"),
    (PING, "next_try"),
    (WEBHOOK, "next_try"),
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def see(session: Session, now: datetime) -> timedelta:
    """Remember what the clock says; how far it was set back since the last look, zero where it was not.

    What waited for a time waits for as much earlier a one then, and so no longer than was meant.
    """
    exclusive(session, "claims")
    minute = (now - _EPOCH) // _MINUTE
    before = progress.get(session, SEEN)
    if minute != before:
        progress.put(session, SEEN, minute)
    back = (before - minute) * _MINUTE
    if back < LEAST:
        return timedelta()
    for table, name in WAITS:
        _move(session, table, table.c[name], now, back)
    return back


def _move(session: Session, table: Table, column: Column[datetime], now: datetime, back: timedelta) -> None:
    keys = list(table.primary_key.columns)
    rows = session.execute(select(*keys, column).where(column > now)).all()
    if not rows:
        return
    row_of = [key == bindparam(f"key_{place}", type_=key.type) for place, key in enumerate(keys)]
    # Not before now: what then was due long ago must not come before what is due today.
    values = [
        {f"key_{place}": value for place, value in enumerate(row[:-1])} | {"time": max(row[-1] - back, now)}
        for row in rows
    ]
    moved = update(table).where(*row_of).values({column: bindparam("time", type_=column.type)})
    session.connection().execute(moved, values)
