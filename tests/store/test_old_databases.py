"""Databases of every schema that the program ever had are brought to the newest one, and keep what they held.

Each file of `old` was written by the last version of the program that worked with that schema (`keep_old.py`): its
demo gone through, and a row in each table that the demo leaves empty.
"""

from __future__ import annotations

import contextlib
import lzma
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlmodel import Session

from aggregator.language.query import parse_query
from aggregator.store import schema, stories
from aggregator.store.database import Database
from aggregator.store.health import integrity
from tests.conftest import Server
from tests.store.keep_old import tables

OLD = Path(__file__).with_name("old")
REVISIONS = sorted(file.name[:4] for file in OLD.glob("*.sql.xz"))

#: What a later schema lets go, by the revision that does: tables (documents are rendered anew, and everybody
#: signs in anew), and columns (an account's key is a key of the API since then).
LET_GO = {"0004": ({"document"}, set()), "0008": ({"session"}, {("account", "key_digest")})}

#: What a table holds: its columns, and its rows in the order of their values.
Content = tuple[list[str], list[tuple[Any, ...]]]


@pytest.fixture(params=REVISIONS)
def revision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def old(revision: str, tmp_path: Path) -> Path:
    """A database as it was left by a version of this revision."""
    file = tmp_path / f"{revision}.db"
    statements = lzma.decompress((OLD / f"{revision}.sql.xz").read_bytes()).decode()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.executescript(f"PRAGMA synchronous = OFF; BEGIN; {statements} COMMIT;")
    return file


@pytest.fixture
def moved(revision: str, old: Path, postgresql_server: Server) -> str:
    """The URL of a PostgreSQL with the tables of this revision, and the same rows in them."""
    url = postgresql_server.bare()
    with Database(url) as database:
        database.write_now(lambda session: _upgrade(session, revision))
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("SET LOCAL TimeZone = 'UTC'")
        for table, (columns, rows) in _content_of(old).items():
            into = ", ".join(f'"{column}"' for column in columns)
            with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" ({into}) FROM STDIN') as copy:  # type: ignore[arg-type]
                for row in rows:
                    copy.write_row(row)
    return url


def test_there_is_a_database_of_each_schema_but_those_that_landed_with_the_next() -> None:
    files = {path.name[1:5] for path in Path(schema._folder(), "versions").glob("r[0-9]*.py")}
    # 0002 and 0003 came in one step; the newest schema is held by all other tests.
    assert sorted(files - {*REVISIONS, "0002", schema.head()}) == []


def test_an_old_file_keeps_every_row(revision: str, old: Path) -> None:
    before = _content_of(old)
    assert all(rows for _, rows in before.values())
    with _prepared(f"sqlite:///{old}") as database:
        assert database.read_now(integrity) == []
        query = parse_query("riad OR riyad OR riyadh")
        assert len(database.read_now(lambda s: stories.find(s, query))) > 3
    wanted = _kept(before, revision)
    _hold(wanted, _content_of(old, wanted))


def test_old_tables_of_postgresql_keep_every_row(revision: str, old: Path, moved: str) -> None:
    before = _content_of(old)
    with _prepared(moved):
        pass
    wanted = _kept(before, revision)
    with psycopg.connect(moved) as connection:
        _hold(wanted, {table: _rows_of(connection, table, columns) for table, (columns, _) in wanted.items()})


def test_the_key_of_an_account_opens_the_api_as_before(old: Path) -> None:
    (key,) = _content_of(old, {"account": (["name", "role", "key_digest"], [])})["account"][1]
    with _prepared(f"sqlite:///{old}") as database:
        found = database.read_now(lambda s: s.execute(text("SELECT role, key_digest FROM api_key")).all())
    assert [tuple(row) for row in found] == [key[1:]]


def test_a_file_that_cannot_be_brought_forward_stays_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, upgrade = _content_of(old), schema._upgrade

    def fail(session: Session) -> None:
        upgrade(session)
        raise RuntimeError("the power is cut")

    with monkeypatch.context() as patch, Database(f"sqlite:///{old}") as database:
        patch.setattr(schema, "_upgrade", fail)
        with pytest.raises(RuntimeError, match="power"):
            schema.prepare(database)
        assert database.read_now(schema.revision) == old.stem
    assert _content_of(old) == before


@contextlib.contextmanager
def _prepared(url: str) -> Iterator[Database]:
    with Database(url) as database:
        schema.prepare(database)
        assert database.read_now(schema.revision) == schema.head()
        assert database.read_now(schema.drift) == []
        yield database


def _upgrade(session: Session, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", schema._folder())
    config.attributes["connection"] = session.connection()
    command.upgrade(config, revision)


def _hold(before: dict[str, Content], after: dict[str, Content]) -> None:
    """Every row is there, saying what it said."""
    for table, content in before.items():
        assert after[table] == content, table


def _kept(before: dict[str, Content], revision: str) -> dict[str, Content]:
    """What is there after all that later schemas let go."""
    later = [what for number, what in LET_GO.items() if number > revision]
    tables_gone = {table for tables, _ in later for table in tables}
    columns_gone = {column for _, columns in later for column in columns}
    found = {}
    for table, (columns, rows) in before.items():
        stay = [at for at, column in enumerate(columns) if (table, column) not in columns_gone]
        if table not in tables_gone:
            found[table] = ([columns[at] for at in stay], _sorted([[row[at] for at in stay] for row in rows]))
    return found


def _content_of(file: Path, like: dict[str, Content] | None = None) -> dict[str, Content]:
    """What the tables hold; with `like` those tables and columns alone."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        wanted = {table: columns for table, (columns, _) in (like or {}).items()} or {
            table: [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            for table in tables(connection)
        }
        return {
            table: (columns, _sorted(connection.execute(f"SELECT {_named(columns)} FROM {table}")))  # noqa: S608
            for table, columns in wanted.items()
        }


def _rows_of(connection: psycopg.Connection, table: str, columns: list[str]) -> Content:
    """What a table of PostgreSQL holds, as SQLite writes it."""
    found = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", [table]
    )
    kinds = dict(found.fetchall())
    read = ", ".join(_READ.get(kinds[name], '"{}"').format(name) for name in columns)
    query = f'SELECT {read} FROM "{table}"'  # noqa: S608 - a test's own names
    return columns, _sorted(connection.execute(query))  # type: ignore[arg-type]


_READ = {
    "timestamp with time zone": "to_char(timezone('UTC', \"{}\"), 'YYYY-MM-DD HH24:MI:SS.US')",
    "date": "to_char(\"{}\", 'YYYY-MM-DD')",
    "boolean": '"{}"::int',
    "json": '"{}"::text',
}


def _named(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _sorted(rows: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in rows), key=repr)
