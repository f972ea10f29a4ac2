from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, update

from aggregator.store import copying, moving, stories
from aggregator.store.copying import Fit, Row, RowsInTheWay, differences, every_table, key_of
from aggregator.store.database import Database, StoreError
from aggregator.store.tables import PROGRESS, SOURCE, STORY, StoryRow
from aggregator.store.tables_ingest import EVIDENCE, SOURCE_URL
from aggregator.store.tables_out import USAGE
from tests.conftest import NOW, Server
from tests.store.moved import fill, rows_of
from tests.store.newsroom import follow, keep_stories, says


@pytest.fixture
def filling(database_url: str) -> Iterator[Database]:
    """A database with all tables that looks up no reference on SQLite."""
    with moving.writer_of(database_url) as opened:
        yield opened


def read(database: Database, table: Any) -> list[Row]:
    return database.read_now(lambda s: list(copying.rows_in_order(s, table, None)))


def sum_of(database: Database, table: Any, fit: Fit | None = None) -> copying.Sum:
    return database.read_now(lambda s: copying.sum_of(s, table, fit, lambda _: None))


def test_values_of_every_column_of_every_table_come_out_as_they_went_in(filling: Database) -> None:
    fill(filling)
    assert {t.name: read(filling, t) for t in every_table()} == {t.name: rows_of(t) for t in every_table()}


def test_a_sum_is_the_same_on_either_database_and_whatever_is_read_at_once(
    filling: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(filling)
    sums = [sum_of(filling, table) for table in every_table()]
    monkeypatch.setattr(copying, "_ROWS", 1)
    monkeypatch.setattr(copying, "_BODIES", 2)
    assert [sum_of(filling, table) for table in every_table()] == sums
    told = sha256("".join(each.hash for each in sums).encode()).hexdigest()
    assert _SEEN.setdefault("told", told) == told


#: What the test before this one, on the other database, came to.
_SEEN: dict[str, str] = {}


def test_what_is_copied_is_read_as_the_application_wrote_it(
    sqlite_database: Database, postgresql_server: Server
) -> None:
    published = datetime(1, 1, 1, tzinfo=UTC)
    keep_stories(sqlite_database, says("a", "Élysée « 🗞 »", published=published), says("b", published=None))
    with Database(postgresql_server.swept()) as other:
        for table in (SOURCE, STORY, *(t for t in every_table() if t.name == "version")):
            rows = read(sqlite_database, table)
            other.write_now(partial(copying.put_rows, table=table, rows=rows))
        assert other.read_now(stories.find) == sqlite_database.read_now(stories.find)
        moments = other.read_now(lambda s: s.execute(select(StoryRow.published)).scalars().all())
        assert set(moments) == {published, None}


def test_rows_come_in_portions_that_begin_after_a_key(
    filling: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(filling)
    monkeypatch.setattr(copying, "MOST_ROWS", 2)
    for table in every_table():
        after, found = None, []
        while rows := filling.read_now(partial(copying.next_rows, table=table, after=after, fit=None)):
            assert len(rows) <= 2
            found += rows
            after = key_of(table, rows[-1])
        assert found == rows_of(table), table.name


def test_bodies_that_are_large_go_over_a_few_at_a_time(
    filling: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(filling)
    monkeypatch.setattr(copying, "_BODIES", 1)
    monkeypatch.setattr(copying, "MOST_BYTES", 20)
    first = filling.read_now(partial(copying.next_rows, table=EVIDENCE, after=None, fit=None))
    assert len(first) == 1


def test_rows_are_dropped_by_keys_of_any_kind(filling: Database) -> None:
    fill(filling)
    one, *others = (key_of(USAGE, row) for row in rows_of(USAGE))
    filling.write_now(partial(copying.drop_rows, table=USAGE, keys=others))
    filling.write_now(partial(copying.drop_rows, table=USAGE, keys=[]))
    assert [key_of(USAGE, row) for row in read(filling, USAGE)] == [one]


def test_a_row_that_takes_what_another_has_is_told_from_one_that_cannot_be(filling: Database) -> None:
    fill(filling)
    (row, *_) = rows_of(SOURCE)
    with pytest.raises(RowsInTheWay, match="source"):
        filling.write_now(partial(copying.put_rows, table=SOURCE, rows=[(99, *row[1:])]))
    nothing = (None,) * len(SOURCE_URL.columns)
    with pytest.raises(StoreError) as caught:
        filling.write_now(partial(copying.put_rows, table=SOURCE_URL, rows=[nothing]))
    assert not isinstance(caught.value, RowsInTheWay)


def test_a_connection_that_is_lost_on_the_way_is_said_and_leaves_nothing(postgresql_server: Server) -> None:
    url = postgresql_server.swept()
    (first, *_), total = rows_of(SOURCE), 50_000

    def rows() -> Iterator[Row]:
        for number in range(total):
            if number == total // 2:
                with psycopg.connect(url) as other:
                    others = "pid <> pg_backend_pid() AND datname = current_database()"
                    other.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")  # noqa: S608
            yield (number, f"https://wire.example/{number}", *first[2:])

    with moving.writer_of(url) as database:
        with pytest.raises(StoreError, match="does not answer"):
            database.write_now(partial(copying.put_rows, table=SOURCE, rows=rows()))  # type: ignore[arg-type]
        assert database.read_now(partial(copying.count_rows, table=SOURCE)) == 0


def test_how_far_the_search_index_has_come_stays_behind(filling: Database) -> None:
    rows = [(stories.INDEX, 7), ("clusters", 5)]
    filling.write_now(partial(copying.put_rows, table=PROGRESS, rows=rows))
    assert read(filling, PROGRESS) == [("clusters", 5)]
    assert filling.read_now(partial(copying.count_rows, table=PROGRESS)) == 1


def test_what_postgresql_cannot_hold_is_made_to_fit_and_counted(sqlite_database: Database) -> None:
    long = "https://wire.example/" + "é" * 2_000
    keep_stories(sqlite_database, says("a", "N\0ULs", summary="a\0b\0c", url=long), says("b", "Fits"))
    fit = Fit()
    (version,) = (table for table in every_table() if table.name == "version")
    rows = {
        table: sqlite_database.read_now(lambda s, t=table: list(copying.rows_in_order(s, t, fit)))  # type: ignore[misc]
        for table in (STORY, version)
    }
    urls = [row[STORY.c.keys().index("url")] for row in rows[STORY]]
    (cut,) = (url for url in urls if long.startswith(url))
    assert copying.MOST_INDEXED - 2 < len(cut.encode()) <= copying.MOST_INDEXED
    said = {row[version.c.keys().index("title")]: row for row in rows[version]}
    assert set(said) == {"N�ULs", "Fits"}
    assert "a�b�c" in said["N�ULs"]
    # As JSON the entry keeps its NUL.
    assert "N\\u0000ULs" in said["N�ULs"][version.c.keys().index("entry")]
    assert fit.changed == {"story.url": 1, "version.title": 1, "version.summary": 1}


def test_a_time_written_by_hand_is_the_same_time(sqlite_database: Database) -> None:
    follow(sqlite_database, "https://wire.example/feed", now=NOW.replace(microsecond=0))
    raw = "UPDATE source SET added_at = '2025-02-18 09:00:00'"
    sqlite_database.write_now(lambda s: s.connection().exec_driver_sql(raw))
    (row,) = read(sqlite_database, SOURCE)
    assert dict(zip(SOURCE.c.keys(), row, strict=True))["added_at"] == "2025-02-18 09:00:00.000000"


@pytest.mark.parametrize(
    ("wanted", "found", "differing"),
    [
        ("", "", []),
        ("1a 2b", "1a 2b", []),
        ("1a 2b 3c", "", ["+1", "+2", "+3"]),
        ("", "1a 2b", ["-1", "-2"]),
        ("1a 3c", "1a 2b 3c", ["-2"]),
        ("1a 2b 3c", "1a 3x", ["+2", "+3"]),
        ("2b", "1a 3c", ["-1", "+2", "-3"]),
    ],
)
def test_rows_in_order_are_compared_key_by_key(wanted: str, found: str, differing: list[str]) -> None:
    def rows(words: str) -> Iterator[Row]:
        return ((int(word[0]), word[1:]) for word in words.split())

    told = differences(SOURCE, rows(wanted), rows(found))
    assert [f"{'-' if row is None else '+'}{key[0]}" for key, row in told] == differing


def test_a_source_that_is_written_to_is_marked(database: Database) -> None:
    follow(database, "https://wire.example/feed")
    told_at_once(database)
    before = moving.mark_of(database)
    database.read_now(stories.find)
    assert moving.mark_of(database) == before
    database.write_now(lambda s: s.execute(update(SOURCE).values(title="Another")))
    told_at_once(database)
    assert moving.mark_of(database) != before


def told_at_once(database: Database) -> None:
    """PostgreSQL counts what a connection wrote some seconds later; at its end at the latest."""
    database.engine.dispose()
