"""Writes down a database as the program leaves it that is imported: what tests of later versions bring forward.

    python -m tests.store.keep_old tests/store/old/0008.sql.xz

It goes through the demo, and puts a row into each table that is empty then. An older version is written down
with the checkout of that version first on PYTHONPATH, and this file run by its path. Nothing but the demo's own
text is in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import lzma
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from aggregator.demo import run

#: What SQLite keeps the search index in; it comes with the index.
SHADOWS = "story_search_"


async def go_through(file: Path) -> None:
    """The demo, with its database in a file that stays."""
    settings: Any = run._settings

    def kept(*words: Any, **named: Any) -> Any:
        return replace(settings(*words, **named), database=f"sqlite:///{file}")

    run._settings = kept
    await run.run_demo(once=True, out=None, port=0, say=lambda _="": None, note=lambda _="": None)


def thin(connection: sqlite3.Connection) -> None:
    """Leave what a brief stands on and some more, so that the file stays small."""
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("DELETE FROM story WHERE id % 8 > 0 AND id NOT IN (SELECT story_id FROM story_link)")
    connection.execute("DELETE FROM story_search WHERE rowid NOT IN (SELECT id FROM story)")
    for table in tables(connection):
        keys = connection.execute(f'PRAGMA foreign_key_list("{table}")').fetchall()
        if table == "document":
            connection.execute("DELETE FROM document WHERE channel != 'briefs' OR format != 'atom'")
        if table in ("fragment", "evidence", "carried"):
            most = 12 if table == "carried" else 2
            connection.execute(
                f"DELETE FROM {table} WHERE rowid NOT IN (SELECT rowid FROM {table} ORDER BY rowid LIMIT {most})"  # noqa: S608
            )
        for key in keys:
            if key[2] == "story":
                connection.execute(f'DELETE FROM "{table}" WHERE "{key[3]}" NOT IN (SELECT id FROM story)')  # noqa: S608
    # What referred to a row that has just gone.
    while dangling := connection.execute("PRAGMA foreign_key_check").fetchall():
        for table, row, *_ in dangling:
            connection.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (row,))  # noqa: S608
    if "posting" in tables(connection):
        connection.execute("DELETE FROM anchor_key WHERE id NOT IN (SELECT key_id FROM posting)")
    connection.commit()


def fill(connection: sqlite3.Connection) -> None:
    """Put a row into each table that is empty, every column of it said."""
    waiting = [table for table in tables(connection) if not _holds(connection, table)]
    for table in waiting:
        keys = connection.execute(f'PRAGMA foreign_key_list("{table}")').fetchall()
        refers = {row[3]: (row[2], row[4]) for row in keys}
        if not all(_holds(connection, other) for other, _ in refers.values()):
            # After what it refers to.
            waiting.append(table)
            continue
        columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
        values = [_value(connection, table, row[1], row[2], refers.get(row[1])) for row in columns]
        marks = ", ".join("?" * len(values))
        connection.execute(f'INSERT INTO "{table}" VALUES ({marks})', values)  # noqa: S608
    connection.commit()
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def _holds(connection: sqlite3.Connection, table: str) -> bool:
    found = connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1')  # noqa: S608 - its own names
    return found.fetchone() is not None


def _value(
    connection: sqlite3.Connection, table: str, name: str, kind: str, refers: tuple[str, str] | None
) -> Any:
    if refers is not None:
        other, column = refers
        return connection.execute(f'SELECT min("{column}") FROM "{other}"').fetchone()[0]  # noqa: S608
    known = {"channel": "briefs", "format": "atom", "role": "editor", "state": "done", "kind": "silent"}
    if name in known:
        return known[name]
    for beginning, value in (
        ("DATETIME", "2025-02-18 09:00:00.123456"),
        ("DATE", "2025-02-18"),
        ("JSON", "[]"),
        ("BLOB", b"\x00a body"),
        ("BOOL", 1),
        ("FLOAT", 0.5),
        ("INT", 7),
        ("BIGINT", 2**40),
    ):
        if kind.upper().startswith(beginning):
            return value
    return f"{table} é “{name}”"


def tables(connection: sqlite3.Connection) -> list[str]:
    """Every table that holds rows of its own, in the order of their names."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in found if not name.startswith(("sqlite_", "story_search", "alembic_"))]


def lines(connection: sqlite3.Connection) -> Iterator[str]:
    """The statements that make the same database again."""
    made = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        " ORDER BY CASE type WHEN 'table' THEN 0 ELSE 1 END, rowid"
    )
    for name, sql in made:
        if not name.startswith(("sqlite_", SHADOWS)):
            yield f"{sql};"
    for table in [*tables(connection), "alembic_version", "sqlite_sequence"]:
        yield from _rows(connection, table, "*")
    yield from _rows(connection, "story_search", "rowid, title, summary, body")


def _rows(connection: sqlite3.Connection, table: str, columns: str) -> Iterator[str]:
    cursor = connection.execute(f'SELECT {columns} FROM "{table}"')  # noqa: S608
    names = ", ".join(f'"{column[0]}"' for column in cursor.description)
    for row in cursor:
        values = ", ".join(connection.execute("SELECT quote(?)", (value,)).fetchone()[0] for value in row)
        yield f'INSERT INTO "{table}" ({names}) VALUES ({values});'  # noqa: S608 - SQLite quotes them


def main() -> None:
    """Write the file that is named."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "old.db"
        asyncio.run(go_through(file))
        with contextlib.closing(sqlite3.connect(file)) as connection:
            thin(connection)
            fill(connection)
            text = "\n".join(lines(connection))
    Path(sys.argv[1]).write_bytes(lzma.compress(text.encode(), preset=9))


if __name__ == "__main__":
    main()
