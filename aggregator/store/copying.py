"""Rows on their way from one database to another, as plain values that are the same on either side.

Numbers, texts, bytes; a moment is its digits in UTC and JSON its text. Nothing is taken apart into
values of the application and put together again, so a row that is copied says what it said.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Float,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    select,
    text,
    tuple_,
    type_coerce,
)
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine
from sqlmodel import Session

# Their tables are in the metadata once they are imported.
from aggregator.store import tables_desk, tables_ingest, tables_out, tables_people  # noqa: F401
from aggregator.store.database import StoreError
from aggregator.store.dialects import is_sqlite
from aggregator.store.stories import INDEX
from aggregator.store.tables import PROGRESS, metadata

Row = tuple[Any, ...]
#: The values of a row's primary key, in the order of its columns.
Key = tuple[Any, ...]

#: What goes over in one transaction, at most.
MOST_ROWS, MOST_BYTES = 20_000, 8_000_000

#: Rows that are fetched at once; of those with bodies, which are megabytes, few.
_ROWS, _BODIES = 500, 16

#: PostgreSQL indexes no text beyond 2,704 bytes, less what else stands in the row of the index.
MOST_INDEXED = 2_600

#: A text that no index holds is never cut.
_ANY = 2**40

#: A moment's digits, and how PostgreSQL is told to write them.
_DIGITS, _PICTURE = len("2025-02-18 09:00:00.000000"), "YYYY-MM-DD HH24:MI:SS.US"

#: What PostgreSQL's codes begin with where it refuses what a row holds.
_OF_ROWS = ("22", "23", "54")

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class RowsInTheWay(StoreError):
    """A row that is there already has what no two rows may have."""


@dataclass(slots=True)
class Fit:
    """Makes texts fit for PostgreSQL: it takes no NUL, and indexes no text that is a page long."""

    #: How many values were changed, by column: "story.url".
    changed: Counter[str] = field(default_factory=Counter)

    def texts(self, column: Column[Any], values: Sequence[str | None]) -> Sequence[str | None]:
        """The values of a column, those changed that have to be."""
        most = MOST_INDEXED if column in _indexed(column.table) else _ANY
        fitting = [value if value is None else _fitting(value, most) for value in values]
        if changed := sum(new is not old for new, old in zip(fitting, values, strict=True)):
            self.changed[str(column)] += changed
        return fitting


@dataclass(frozen=True, slots=True)
class Sum:
    """All rows of a table, in short."""

    rows: int
    #: SHA-256 over the rows in the order of their keys: each as a JSON array and a comma, in UTF-8.
    #: For bytes their own SHA-256 stands there.
    hash: str


def every_table() -> list[Table]:
    """All tables, each after those that it refers to."""
    return list(metadata.sorted_tables)


def key_of(table: Table, row: Row) -> Key:
    """The primary key of a row."""
    return tuple(row[place] for place in _places(table))


def count_rows(session: Session, table: Table) -> int:
    """How many rows of a table are to be copied."""
    return int(session.execute(_of_all(table, select(func.count()).select_from(table))).scalar_one())


def next_rows(session: Session, table: Table, after: Key | None, fit: Fit | None) -> list[Row]:
    """The rows after a key, as many as go over in one transaction; none at the end."""
    query = _rows(session, table).order_by(*_keys(table)).limit(MOST_ROWS)
    if after is not None:
        query = query.where(_is_beyond(table, after))
    rows: list[Row] = []
    size = 0
    with contextlib.closing(_portions(session, table, query, fit)) as portions:
        for columns in portions:
            rows += zip(*columns, strict=True)
            size += sum(map(size_of, columns))
            if size >= MOST_BYTES:
                break
    return rows


def size_of(values: Iterable[Any]) -> int:
    """How much texts and bytes among these values weigh."""
    return sum(len(value) for value in values if isinstance(value, (str, bytes)))


def rows_in_order(session: Session, table: Table, fit: Fit | None) -> Iterator[Row]:
    """All rows, in an order of their keys that is the same on every database."""
    for columns in _portions(session, table, _in_order(session, table), fit):
        yield from zip(*columns, strict=True)


def sum_of(session: Session, table: Table, fit: Fit | None, on_rows: Callable[[int], None]) -> Sum:
    """The sum of a table; `on_rows` is called now and then with how many more were read."""
    found, rows = sha256(), 0
    for columns in _portions(session, table, _in_order(session, table), fit):
        told = [
            _hashes(values) if isinstance(_plain_type(column), LargeBinary) else values
            for column, values in zip(table.columns, columns, strict=True)
        ]
        some = list(zip(*told, strict=True))
        found.update(f"{_JSON.encode(some)[1:-1]},".encode())
        rows += len(some)
        on_rows(len(some))
    return Sum(rows, found.hexdigest())


def differences(
    table: Table, wanted: Iterable[Row], found: Iterable[Row]
) -> Iterator[tuple[Key, Row | None]]:
    """Where the second differs from the first, both in order: keys, with the row that is wanted there."""
    ones, others = iter(wanted), iter(found)
    one, other = next(ones, None), next(others, None)
    while one is not None or other is not None:
        key = None if one is None else key_of(table, one)
        its = None if other is None else key_of(table, other)
        if its is None or (key is not None and key < its):
            assert key is not None  # noqa: S101 - one of the two is there
            yield key, one
            one = next(ones, None)
        elif key is None or its < key:
            yield its, None
            other = next(others, None)
        else:
            if one != other:
                yield key, one
            one, other = next(ones, None), next(others, None)


def put_rows(session: Session, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, none of which is there.

    Raises:
        RowsInTheWay: another row has what must be had once.
    """
    if not rows:
        return
    into = ", ".join(f'"{column.name}"' for column in table.columns)
    if not is_sqlite(session):
        _copy_in(session, table, f'COPY "{table.name}" ({into}) FROM STDIN', rows)
        return
    marks = ", ".join("?" * len(table.columns))
    sql = f'INSERT INTO "{table.name}" ({into}) VALUES ({marks})'  # noqa: S608 - our own names
    try:
        session.connection().exec_driver_sql(sql, list(rows))
    except IntegrityError as error:
        raise _refused(table, error.orig) from error


def _refused(table: Table, error: object) -> StoreError:
    said = str(error).splitlines()[0]
    is_taken = "unique" in said.lower()
    return (RowsInTheWay if is_taken else StoreError)(f"A row of {table.name} was refused: {said}")


def drop_rows(session: Session, table: Table, keys: Sequence[Key]) -> None:
    """Delete the rows of these keys, where they are there."""
    names = [f"key_{place}" for place in range(len(_keys(table)))]
    pairs = list(zip(names, _keys(table), strict=True))
    wanted = and_(*(column == bindparam(name, type_=column.type) for name, column in pairs))
    values = [{name: _typed(column, v) for (name, column), v in zip(pairs, key, strict=True)} for key in keys]
    if values:
        session.execute(delete(table).where(wanted), values)


def _copy_in(session: Session, table: Table, sql: str, rows: Sequence[Row]) -> None:
    """PostgreSQL's COPY, in a third of the time that inserts take."""
    # Moments come as digits in UTC.
    session.execute(text("SET LOCAL TimeZone = 'UTC'"))
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(sql) as copy:
            for row in rows:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.DatabaseError as error:
        if error.sqlstate is None or error.sqlstate[:2] not in _OF_ROWS:
            raise DatabaseError(sql, None, error) from error
        raise _refused(table, f"{str(error).splitlines()[0]} ({error.diag.context})") from error


# How rows are read


def _rows(session: Session, table: Table) -> Select[Any]:
    return _of_all(table, select(*(_read(session, column) for column in table.columns)))


def _of_all(table: Table, query: Select[Any]) -> Select[Any]:
    # How far the search index has come is each database's own.
    return query.where(PROGRESS.c.name != INDEX) if table is PROGRESS else query


def _in_order(session: Session, table: Table) -> Select[Any]:
    """By the bytes of the keys, whatever language the database sorts by."""
    by_bytes = not is_sqlite(session)
    return _rows(session, table).order_by(
        *(
            column.collate("C") if by_bytes and isinstance(_plain_type(column), String) else column
            for column in _keys(table)
        )
    )


def _read(session: Session, column: Column[Any]) -> ColumnElement[Any]:
    """A column as a plain value."""
    if not is_sqlite(session):
        match _plain_type(column):
            case DateTime():
                return func.to_char(func.timezone("UTC", column), _PICTURE)
            case Date():
                return func.to_char(column, "YYYY-MM-DD")
            case JSON():
                return type_coerce(cast(column, Text), NullType())
    return type_coerce(column, NullType())


def _portions(
    session: Session, table: Table, query: Select[Any], fit: Fit | None
) -> Generator[list[Sequence[Any]]]:
    """The columns of so many rows after the others."""
    has_bodies = any(isinstance(_plain_type(column), LargeBinary) for column in table.columns)
    size = _BODIES if has_bodies else _ROWS
    with session.execute(query, execution_options={"yield_per": size}) as result:
        for rows in result.partitions(size):
            columns = zip(*rows, strict=True)
            yield [_plain(column, v, fit) for column, v in zip(table.columns, columns, strict=True)]


def _plain(column: Column[Any], values: Sequence[Any], fit: Fit | None) -> Sequence[Any]:
    """What a database gave for a column, as the other one gives it."""
    match _plain_type(column):
        case DateTime() if any(value is not None and len(value) != _DIGITS for value in values):
            return [value if value is None else _digits(value) for value in values]
        case Boolean():
            return [None if value is None else bool(value) for value in values]
        case Float():
            # There are two zeros, of which SQLite keeps one.
            return [None if value is None else value + 0.0 for value in values]
        case String() if fit is not None:
            return fit.texts(column, values)
    return values


def _digits(written: str) -> str:
    return datetime.fromisoformat(written).isoformat(" ", "microseconds")


def _fitting(value: str, most: int) -> str:
    """A text that PostgreSQL takes; the same object where it is as it was."""
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    if 4 * len(value) > most and len(encoded := value.encode()) > most:
        value = encoded[:most].decode(errors="ignore")
    return value


def _hashes(values: Sequence[bytes | None]) -> list[str | None]:
    return [None if value is None else sha256(value).hexdigest() for value in values]


# What a table is like


@cache
def _keys(table: Table) -> tuple[Column[Any], ...]:
    return tuple(table.primary_key.columns)


@cache
def _places(table: Table) -> tuple[int, ...]:
    columns = list(table.columns)
    return tuple(columns.index(column) for column in _keys(table))


@cache
def _indexed(table: Any) -> frozenset[Column[Any]]:
    """The columns that stand in an index."""
    own = [*table.indexes, *(each for each in table.constraints if hasattr(each, "columns"))]
    return frozenset(column for each in own for column in each.columns)


def _plain_type(column: Column[Any]) -> TypeEngine[Any]:
    """The type of a column as the database knows it."""
    type_ = column.type
    return type_.impl_instance if isinstance(type_, TypeDecorator) else type_


def _is_beyond(table: Table, key: Key) -> ColumnElement[bool]:
    values = [
        literal(_typed(column, value), column.type) for column, value in zip(_keys(table), key, strict=True)
    ]
    return tuple_(*_keys(table)) > tuple_(*values)


def _typed(column: Column[Any], value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(_plain_type(column), Date) else value
