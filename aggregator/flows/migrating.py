"""A whole database goes into another one: copied, compared, and only then opened.

Copying goes on where it was interrupted. It needs no quiet source to end well: afterwards both sides
are read whole, and what differs is put right once. What is not equal then is told, and stays closed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import groupby
from typing import TypeVar

from sqlalchemy import Table
from sqlmodel import Session

from aggregator.flows.upkeep import BATCH
from aggregator.store import copying, documents, moving, schema, stories
from aggregator.store.copying import Fit, Key, Row, RowsInTheWay, Sum
from aggregator.store.database import Database, StoreError, StoreUnusable

#: Opens a bar for a stage of the work, which is told (done, of).
Stage = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]

#: Rows that differ which are put right in one transaction, unless they weigh too much.
MOST_WRONG = 1_000

T = TypeVar("T")


class _Halted(Exception):
    """Nobody waits for this reading any more."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A table on both sides."""

    table: str
    rows: int
    #: Of the source.
    hash: str
    is_equal: bool
    #: The first key at which they differ.
    differs_at: Key | None = None


@dataclass(frozen=True, slots=True)
class ChannelCompared:
    """The documents of a channel on both sides."""

    channel: str
    formats: tuple[str, ...]
    body_bytes: int
    #: Their bytes, ETags and times are the same.
    is_equal: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two databases."""

    tables: tuple[Compared, ...]
    channels: tuple[ChannelCompared, ...]
    #: How many values PostgreSQL could not hold as they are and were changed, by column.
    changed: Mapping[str, int]

    @property
    def is_equal(self) -> bool:
        """Whether one says what the other says."""
        return all(each.is_equal for each in self.tables) and all(each.is_equal for each in self.channels)


@dataclass(slots=True)
class Move:
    """From where to where, and who is told what."""

    source: Database
    target: Database
    stage: Stage
    note: Callable[[str], None]
    halt: threading.Event = field(default_factory=threading.Event)

    @property
    def fit(self) -> Fit | None:
        """What makes the source's values fit into the target; none where they all do."""
        return Fit() if self.source.is_sqlite and not self.target.is_sqlite else None

    def go_on(self) -> None:
        """Let a long reading end where nobody waits for it."""
        if self.halt.is_set():
            raise _Halted


async def migrate(move: Move) -> Comparison:
    """Copy everything, compare, and open the target where all is equal.

    Raises:
        StoreError: it cannot be done, or the source was written to meanwhile; a sentence says what to do.
    """
    await _require_source(move)
    await _require_two(move)
    await move.target.read(moving.require_free)
    await asyncio.to_thread(partial(schema.prepare, move.target, is_filled=True))
    reached = await move.target.write(partial(moving.begin, source=moving.name_of(move.source)))
    try:
        mark = await _mark(move)
        await _copy(move, reached)
        await move.target.write(moving.take_stock)
        found, mark = await _compare_and_mend(move, mark)
        if not found.is_equal:
            return found
        await _index(move)
        await _tighten(move)
        highest = await move.source.read(moving.highest_ids)
        await move.target.write(partial(moving.number_on, highest=highest))
        if await _mark(move) != mark:
            raise StoreError(
                f"{moving.name_of(move.source)} was written to after it was compared: end every process of "
                "wirebrief that uses it, and run the same command again. It copies what is missing."
            )
        await move.target.write(moving.finish)
        return found
    except StoreError:
        move.note("What was copied is kept: the same command goes on from there.")
        raise
    finally:
        move.halt.set()


async def compare(move: Move) -> Comparison:
    """Compare without copying; nothing is changed on either side.

    Raises:
        StoreError: one of them cannot be read.
    """
    await _require_source(move)
    _require_current(moving.name_of(move.target), await move.target.read(schema.revision))
    await _require_two(move)
    try:
        return await _compare(move)
    finally:
        move.halt.set()


async def _require_source(move: Move) -> None:
    _require_current(moving.name_of(move.source), await move.source.read(schema.revision))
    if await move.source.read(schema.is_being_filled):
        raise StoreUnusable(
            f"{moving.name_of(move.source)} is itself a copy that has not come to its end: finish that first."
        )


def _require_current(name: str, have: str | None) -> None:
    want = schema.head()
    if have is None:
        raise StoreUnusable(f"{name} holds no wirebrief tables.")
    if have < want:
        raise StoreUnusable(
            f"{name} is of an older wirebrief (schema {have} instead of {want}), and a copy changes nothing in it: "
            "run `wirebrief init` on it first."
        )
    if have > want:
        raise StoreUnusable(f"{name} is of a newer wirebrief (schema {have}; this one knows {want}).")


async def _require_two(move: Move) -> None:
    if await asyncio.to_thread(moving.are_one, move.source, move.target):
        raise StoreUnusable("Both are the same database: name another one to copy into.")


async def _mark(move: Move) -> object:
    return await asyncio.to_thread(moving.mark_of, move.source)


# Copying


async def _copy(move: Move, reached: Mapping[str, moving.Reached]) -> None:
    """Copy what is not there yet, table after table."""
    counts = [await move.source.read(partial(copying.count_rows, table=t)) for t in copying.every_table()]
    done, total = sum(each.rows for each in reached.values()), sum(counts)
    if reached:
        move.note(f"Going on where it was: {done:,} of {total:,} rows are there.")
    is_loose = False
    with move.stage("Copying rows") as show:
        for table in copying.every_table():
            async for count in _copy_table(move, table, reached.get(table.name), is_loose=is_loose):
                is_loose = True
                done += count
                show(done, total)


async def _copy_table(
    move: Move, table: Table, at: moving.Reached | None, *, is_loose: bool
) -> AsyncIterator[int]:
    read = partial(copying.next_rows, table=table, fit=move.fit)
    rows = await move.source.read(partial(read, after=at.key if at else None))
    if rows and not is_loose:
        await move.target.write(moving.loosen)
    try:
        while rows:
            put = partial(moving.keep_rows, table=table, rows=rows, before=at)
            after = copying.key_of(table, rows[-1])
            # The next rows are read while these are written.
            count = len(rows)
            at, rows = await asyncio.gather(
                move.target.write(put), move.source.read(partial(read, after=after))
            )
            yield count
    except RowsInTheWay:
        # The source changed since: a row that was copied is gone there, and another has its name.
        await asyncio.to_thread(_mend, move, table)


# Comparing


async def _compare_and_mend(move: Move, mark: object) -> tuple[Comparison, object]:
    """Compare, put right what differs and compare again; with how the source stood before that."""
    before = await _mark(move)
    if before != mark:
        move.note("The source was written to while it was copied: what differs is copied again.")
    found = await _compare(move)
    if found.is_equal:
        return found, before
    await move.target.write(moving.loosen)
    for table in copying.every_table():
        if any(each.table == table.name and not each.is_equal for each in found.tables):
            move.note(f"{table.name} differs, and is copied again where it does.")
            await asyncio.to_thread(_mend, move, table)
    before = await _mark(move)
    return await _compare(move), before


async def _compare(move: Move) -> Comparison:
    """Read both sides whole."""
    tables = copying.every_table()
    total = sum([await move.source.read(partial(copying.count_rows, table=t)) for t in tables])
    fit, done, compared = move.fit, 0, []
    with move.stage("Comparing") as show:

        def on_rows(count: int) -> None:
            nonlocal done
            move.go_on()
            done += count
            show(done, total)

        for table in tables:
            one, other = await asyncio.gather(
                move.source.read(partial(copying.sum_of, table=table, fit=fit, on_rows=on_rows)),
                move.target.read(
                    partial(copying.sum_of, table=table, fit=None, on_rows=lambda _: move.go_on())
                ),
            )
            compared.append(await _told(move, table, one, other))
    return Comparison(tuple(compared), await _channels(move), dict(fit.changed) if fit else {})


async def _told(move: Move, table: Table, one: Sum, other: Sum) -> Compared:
    at = None if one == other else await asyncio.to_thread(_first_difference, move, table)
    return Compared(table.name, one.rows, one.hash, one == other, at)


def _first_difference(move: Move, table: Table) -> Key | None:
    return _differing(move, table, lambda found: next((key for key, _ in found), None))


def _differing(move: Move, table: Table, work: Callable[[Iterator[tuple[Key, Row | None]]], T]) -> T:
    """Do something with what differs, both sides as they stand now."""

    def rows(session: Session, fit: Fit | None) -> Iterator[Row]:
        for row in copying.rows_in_order(session, table, fit):
            move.go_on()
            yield row

    return move.source.read_now(
        lambda ours: move.target.read_now(
            lambda theirs: work(copying.differences(table, rows(ours, move.fit), rows(theirs, None)))
        )
    )


def _mend(move: Move, table: Table) -> None:
    """Put right what differs in a table."""

    def put(wrong: Sequence[tuple[Key, Row | None]]) -> None:
        move.target.write_now(partial(moving.mend_rows, table=table, wrong=wrong))

    def work(found: Iterator[tuple[Key, Row | None]], *, is_dropping: bool) -> None:
        wrong: list[tuple[Key, Row | None]] = []
        size = 0
        for key, row in found:
            wrong.append((key, None if is_dropping else row))
            size += copying.size_of(wrong[-1][1] or ())
            if len(wrong) >= MOST_WRONG or size >= copying.MOST_BYTES:
                put(wrong)
                wrong, size = [], 0
        if wrong:
            put(wrong)

    # First all that is wrong goes: a row that is to stay may need what it has for itself.
    _differing(move, table, partial(work, is_dropping=True))
    _differing(move, table, partial(work, is_dropping=False))


_Standing = dict[tuple[str, str], tuple[str, datetime, int, str]]


async def _channels(move: Move) -> tuple[ChannelCompared, ...]:
    """What subscribers get, on either side."""
    ours, theirs = await asyncio.gather(move.source.read(_documents), move.target.read(_documents))
    compared = []
    for channel, names in groupby(sorted({*ours, *theirs}), key=lambda name: name[0]):
        own = list(names)
        size = sum(ours[name][2] for name in own if name in ours)
        is_equal = all(ours.get(name) == theirs.get(name) for name in own)
        compared.append(ChannelCompared(channel, tuple(format for _, format in own), size, is_equal))
    return tuple(compared)


def _documents(session: Session) -> _Standing:
    return {
        (head.channel, head.format): (
            head.etag,
            head.last_modified,
            head.body_bytes,
            sha256(documents.body_of(session, head.channel, head.format) or b"").hexdigest(),
        )
        for head in documents.heads(session)
    }


# What follows


async def _index(move: Move) -> None:
    """Fill the search index of the target from its stories; what was indexed before stays."""
    newest = await move.target.read(stories.newest_version)
    with move.stage("Search index") as show:
        while not await move.target.read(stories.is_searchable):
            if not await move.target.write(partial(stories.index_new, limit=BATCH)):
                break
            show(await move.target.read(stories.indexed_upto), newest)


async def _tighten(move: Move) -> None:
    """Put indexes and foreign keys back."""
    with move.stage("Indexes and foreign keys") as show:
        total = 0
        while left := await move.target.write(moving.tighten_next):
            total = max(total, left)
            show(total - left + 1, total)
