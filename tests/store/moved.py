"""Rows for every table, of every kind of value, for the tests of what is copied."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, DateTime, Float, Integer, LargeBinary, Table

from aggregator.store import copying
from aggregator.store.copying import Row, every_table
from aggregator.store.database import Database
from aggregator.store.tables import CLUSTER

ROWS = 3

#: A cluster refers to one that comes after it.
TURNED = {CLUSTER.c.merged_into, CLUSTER.c.root}


def value_of(column: Column[Any], number: int) -> Any:
    """A plain value for a column; where it refers to another one, a value of that."""
    for reference in column.foreign_keys:
        return value_of(reference.column, ROWS + 1 - number if column in TURNED else number)
    match copying._plain_type(column):
        case JSON():
            return json.dumps(["é", number, None, {"a": 0.1}])
        case LargeBinary():
            return bytes([0, 255, number]) * 7
        case Boolean():
            return number % 2 == 1
        case Float():
            return number / 3
        case Integer():
            return number
        case DateTime():
            return f"2025-02-1{number} 09:00:00.00000{number}"
        case Date():
            return f"2025-02-1{number}"
    if column.nullable and number == 2:
        return None
    return f"«{column.name}»\t\\N 🗞 {number}\r\n"


def rows_of(table: Table) -> list[Row]:
    """The rows that `fill` puts into a table."""
    return [tuple(value_of(column, number) for column in table.columns) for number in range(1, ROWS + 1)]


def fill(database: Database) -> None:
    """Put them into every table."""
    for table in every_table():
        database.write_now(lambda s, table=table: copying.put_rows(s, table, rows_of(table)))  # type: ignore[misc]
