"""What channels carry: what their subscribers were told, under numbers that only rise."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import func, select, type_coerce, update
from sqlalchemy.types import NullType
from sqlmodel import Session

from aggregator.outgoing import Carried, Told
from aggregator.store.dialects import chunks, exclusive, upsert
from aggregator.store.tables_out import CARRIED, CarriedRow

_KEY = ("channel", "entry_id")

#: What stands for a whole row, as the database gives it. A row is told under a new number whenever
#: its entry is another one; only its second, its place and the desk's reason change under the same.
_STAMP = [
    type_coerce(CARRIED.c[name], NullType())
    for name in (*_KEY, "change", "digest", "updated", "kind", "ref", "is_present", "why", "archived")
]


class Known(Protocol):
    """Rows that were read before, by their stamps: they are not read again."""

    def get_all(self, keys: Collection[tuple[Any, ...]], /) -> Mapping[tuple[Any, ...], Carried]:
        """The rows of these stamps, as far as they are known."""

    def __setitem__(self, key: tuple[Any, ...], value: Carried, /) -> None:
        """Keep the row of a stamp."""


def present(session: Session, channel: str, known: Known | None = None) -> dict[str, Carried]:
    """What stands in the document of a channel, by entry id."""
    return _found(session, channel, [CARRIED.c.is_present], known)


def of_ids(
    session: Session, channel: str, ids: Collection[str], known: Known | None = None
) -> dict[str, Carried]:
    """What was told of these entries in a channel, by entry id."""
    found: dict[str, Carried] = {}
    if known is not None and ids:
        # Most are the last that left the document, and naming each takes longer than reading them.
        left = select(CARRIED.c.entry_id).where(CARRIED.c.channel == channel, ~CARRIED.c.is_present)
        last = left.order_by(CARRIED.c.updated.desc()).limit(len(ids))
        found = _found(session, channel, [CARRIED.c.entry_id.in_(last)], known, only=ids)
    for some in chunks(sorted(set(ids) - found.keys()), columns=1):
        found |= _found(session, channel, [CARRIED.c.entry_id.in_(some)], known)
    return found


def withdrawn(session: Session, channel: str, known: Known | None = None) -> list[Carried]:
    """Every entry of a channel that was withdrawn, oldest first."""
    found = _found(session, channel, [CARRIED.c.told == Told.WITHDRAWN.value], known)
    return sorted(found.values(), key=lambda row: (row.dated, row.entry_id))


def seconds(session: Session, channel: str, since: datetime, *, but: Collection[str]) -> set[datetime]:
    """The seconds from `since` on that entries other than `but` stand on."""
    query = select(CARRIED.c.entry_id, CARRIED.c.updated).where(
        CARRIED.c.channel == channel, CARRIED.c.updated >= since
    )
    return {at for id, at in session.execute(query) if id not in but}


def tell(session: Session, rows: Iterable[Carried]) -> int:
    """Record rows, those whose change is 0 under new numbers, in their order; the highest given.

    The lock lasts until the transaction ends, so numbers become visible in their order, and a
    cursor over them skips nothing.
    """
    listed = list(rows)
    if not listed:
        return 0
    exclusive(session, "changes")
    highest = newest_change(session)
    numbered = []
    for row in listed:
        if row.change == 0:
            highest += 1
            row = replace(row, change=highest)
        numbered.append(_values(row))
    # One row a statement: it is compiled once, where one for many rows would be each time.
    statement = upsert(session, CARRIED)
    new = {name: statement.excluded[name] for name in numbered[0] if name not in _KEY}
    session.execute(
        statement.on_conflict_do_update(index_elements=["channel", "entry_id"], set_=new), numbered
    )
    return highest


def serve(session: Session, channel: str, ids: Collection[str], *, now: datetime) -> list[int]:
    """Note that a document stands ready with these entries; of each only the first time counts.

    Gives the ids of the stories among those that do so for the first time.
    """
    columns = (CARRIED.c.entry_id, CARRIED.c.kind, CARRIED.c.ref)
    unserved = (CARRIED.c.served_at.is_(None), CARRIED.c.channel == channel, CARRIED.c.is_present)
    asked = set(ids)
    new = {
        id: (kind, ref) for id, kind, ref in session.execute(select(*columns).where(*unserved)) if id in asked
    }
    for some in chunks(sorted(new), columns=1):
        rows = (CARRIED.c.channel == channel, CARRIED.c.entry_id.in_(some))
        session.execute(update(CARRIED).where(*rows).values(served_at=now))
    return [ref for kind, ref in new.values() if kind == "story"]


def newest_change(session: Session) -> int:
    """The highest change number, 0 where nothing was ever told."""
    return int(session.execute(select(func.coalesce(func.max(CARRIED.c.change), 0))).scalar_one())


def changes_after(session: Session, channel: str, since: int, *, limit: int) -> list[Carried]:
    """What was told in a channel after a change, in order: of each entry only the last."""
    query = (
        select(CarriedRow)
        .where(CARRIED.c.channel == channel, CARRIED.c.change > since)
        .order_by(CARRIED.c.change)
        .limit(limit)
    )
    return [_carried(row) for row in session.execute(query).scalars()]


def unarchived(session: Session, channel: str, *, present: bool, limit: int) -> list[Carried]:
    """What stands in no archive page as it was told, oldest first: of the document, or of what left it."""
    query = (
        select(CarriedRow)
        .where(
            CARRIED.c.channel == channel,
            CARRIED.c.is_present.is_(present),
            CARRIED.c.told == Told.PUT.value,
            CARRIED.c.archived.is_(None),
        )
        .order_by(CARRIED.c.updated, CARRIED.c.entry_id)
        .limit(limit)
    )
    return [_carried(row) for row in session.execute(query).scalars()]


def mark_archived(session: Session, channel: str, ids: Sequence[str], number: int) -> None:
    """Note that these entries stand in an archive page as they were told."""
    for some in chunks(ids, columns=1):
        session.execute(
            update(CARRIED)
            .where(CARRIED.c.channel == channel, CARRIED.c.entry_id.in_(some))
            .values(archived=number)
        )


def unmark_archived(session: Session, channel: str, first: int) -> None:
    """Note that what stood in the archive pages from this number on stands in none now."""
    session.execute(
        update(CARRIED).where(CARRIED.c.channel == channel, CARRIED.c.archived >= first).values(archived=None)
    )


def channels_of(session: Session, kind: str, ref: int) -> list[Carried]:
    """What every channel told of a brief or a story, by channel."""
    query = select(CarriedRow).where(CARRIED.c.kind == kind, CARRIED.c.ref == ref)
    return [_carried(row) for row in session.execute(query.order_by(CARRIED.c.channel)).scalars()]


def _found(
    session: Session,
    channel: str,
    conditions: Sequence[Any],
    known: Known | None,
    only: Collection[str] | None = None,
) -> dict[str, Carried]:
    of_channel = CARRIED.c.channel == channel
    if known is None:
        rows = session.execute(select(CarriedRow).where(of_channel, *conditions)).scalars()
        return {row.entry_id: _carried(row) for row in rows}
    rows_read = session.execute(select(*_STAMP).where(of_channel, *conditions)).all()
    stamps = {row[1]: tuple(row) for row in rows_read if only is None or row[1] in only}
    read = known.get_all(stamps.values())
    found = {id: read[stamp] for id, stamp in stamps.items() if stamp in read}
    for some in chunks([id for id in stamps if id not in found], columns=1):
        rows = session.execute(select(CarriedRow).where(of_channel, CARRIED.c.entry_id.in_(some))).scalars()
        for row in rows:
            found[row.entry_id] = known[stamps[row.entry_id]] = _carried(row)
    return found


def _values(row: Carried) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in Carried.__slots__}
    return values | {"told": row.told.value, "updated": row.entry.updated}


def _carried(row: CarriedRow) -> Carried:
    values = {name: getattr(row, name) for name in Carried.__slots__}
    return Carried(**(values | {"told": Told(row.told)}))
