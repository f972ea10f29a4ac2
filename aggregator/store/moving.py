"""A database that is being filled from another one: how far that came, and what is put right at the end.

As long as it lasts the target holds a table of its own, `wirebrief_migration`. Each batch of rows goes in together
with its line there. Where that table stands `schema.prepare` lets nobody in, and the last step drops it.
On PostgreSQL foreign keys and indexes wait in it, too: rows go in without them in a third of the time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    String,
    Table,
    delete,
    event,
    func,
    inspect,
    literal,
    select,
    text,
)
from sqlalchemy import insert as insert_into
from sqlalchemy import table as table_named
from sqlmodel import Session

from aggregator.store import progress, schema
from aggregator.store.copying import Key, Row, drop_rows, every_table, key_of, put_rows
from aggregator.store.database import Database, StoreError, StoreUnusable, sqlite_path
from aggregator.store.dialects import is_sqlite
from aggregator.store.stories import INDEX
from aggregator.store.tables import STORY, VERSION

_RECORD = Table(
    schema.MIGRATION,
    MetaData(),
    Column("kind", String, primary_key=True),
    Column("name", String, primary_key=True),
    #: The source; the key of the last row; a statement.
    Column("says", String, nullable=False),
    Column("rows", BigInteger, nullable=False),
)

_SOURCE, _TABLE, _INDEX, _FOREIGN_KEY = "source", "table", "index", "foreign key"

#: Indexes and foreign keys of PostgreSQL: a name, the statement that makes it, and the one that drops it.
_INDEXES = """
SELECT c.relname, pg_get_indexdef(i.indexrelid), format('DROP INDEX %s', i.indexrelid::regclass)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND NOT i.indisunique
"""
_FOREIGN_KEYS = """
SELECT conrelid::regclass || ' ' || conname,
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)),
       format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
FROM pg_constraint WHERE contype = 'f' AND connamespace = CAST(current_schema() AS regnamespace)
"""
_HERE = "SELECT oid, current_schema(), pg_postmaster_start_time() FROM pg_database WHERE datname = current_database()"
_WRITES = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE schemaname = current_schema()"


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the copy of a table has come."""

    #: The key of its last row.
    key: Key
    rows: int


def reader_of(url: str) -> Database:
    """A database that is only read: a file of SQLite is opened so that nothing can be changed in it.

    Raises:
        BadInput: the URL names no SQLite or PostgreSQL database.
        StoreUnusable: there is no such file.
    """
    database = Database(url)
    path = sqlite_path(database.url)
    if path is None:
        return database
    database.close()
    if not path.is_file():
        raise StoreUnusable(f"There is no database {path}: name one that is there.")
    only = database.url.set(
        database=path.resolve().as_uri(), query={**database.url.query, "mode": "ro", "uri": "true"}
    )
    return Database(only.render_as_string(hide_password=False))


def writer_of(url: str) -> Database:
    """A database to be filled: on SQLite no reference is looked up until all rows are there."""
    database = Database(url)
    if database.is_sqlite:
        event.listen(database.engine, "connect", _let_references_be)
    return database


def _let_references_be(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = OFF")


def name_of(database: Database) -> str:
    """Which database it is, for people and to be known again: no login, and the whole path."""
    url, path = database.url, _file_of(database)
    if path is not None:
        return f"sqlite:///{path}"
    host = url.host or url.query.get("host") or "localhost"
    return f"postgresql://{host}:{url.port or 5432}/{url.database or url.username}"


def _file_of(database: Database) -> Path | None:
    path = sqlite_path(database.url)
    if path is None:
        return None
    written = str(path)
    return Path(unquote(urlsplit(written).path)) if written.startswith("file:") else path.resolve()


def are_one(source: Database, target: Database) -> bool:
    """Whether both are the same database, however they are named."""
    here, there = _file_of(source), _file_of(target)
    if here is not None or there is not None:
        return here is not None and there is not None and there.exists() and here.samefile(there)
    one, other = (each.read_now(lambda s: tuple(s.execute(text(_HERE)).one())) for each in (source, target))
    return one == other


def mark_of(source: Database) -> object:
    """Something that differs once somebody wrote into a database."""
    path = _file_of(source)
    if path is None:
        return source.read_now(lambda s: s.execute(text(_WRITES)).scalar())
    files = [path, path.with_name(f"{path.name}-wal")]
    facts = [file.stat() if file.exists() else None for file in files]
    # A file to write ahead that is empty says no more than none.
    return [(each.st_size, each.st_mtime_ns) for each in facts if each is not None and each.st_size]


# The record


def begin(session: Session, source: str) -> dict[str, Reached]:
    """Make this database ready to be filled from a source; how far an unfinished copy came, by table.

    Raises:
        StoreUnusable: it holds something else; nothing was changed.
    """
    if not schema.is_being_filled(session):
        require_free(session)
        _RECORD.create(session.connection())
        _note(session, _SOURCE, source, "")
        return {}
    begun = session.execute(select(_RECORD.c.name).where(_RECORD.c.kind == _SOURCE)).scalar_one()
    if begun != source:
        raise StoreUnusable(
            f"The target holds an unfinished copy of {begun}: name that database again to go on, or empty it."
        )
    lines = session.execute(
        select(_RECORD.c.name, _RECORD.c.says, _RECORD.c.rows).where(_RECORD.c.kind == _TABLE)
    )
    return {name: Reached(tuple(json.loads(says)), rows) for name, says, rows in lines}


def require_free(session: Session) -> None:
    """Let nothing be mixed with what a database holds.

    Raises:
        StoreUnusable: it holds something that no unfinished copy put there.
    """
    if schema.is_being_filled(session):
        return
    there = set(inspect(session.connection()).get_table_names())
    ours = [each.name for each in every_table() if each.name in there]
    others = sorted(
        name for name in there - {*ours, "alembic_version"} if not name.startswith("story_search")
    )
    if others:
        raise StoreUnusable(
            f"The target holds tables of another program ({', '.join(others[:5])}): name an empty database. "
            "Nothing was changed."
        )
    # By their names alone: in a database of an older wirebrief some columns are missing.
    one = select(literal(1)).limit(1)
    holding = [name for name in ours if session.execute(one.select_from(table_named(name))).first()]
    if holding:
        raise StoreUnusable(
            f"The target holds something of its own ({', '.join(holding[:5])}), and nothing is mixed with that: "
            "name an empty database. Nothing was changed."
        )


def require_open(session: Session) -> None:
    """Let only one copy at a time write here.

    Raises:
        StoreError: another one has ended, and taken the record away.
    """
    if not schema.is_being_filled(session):
        raise StoreError("Another `wirebrief migrate` has finished this copy meanwhile.")


def keep_rows(session: Session, table: Table, rows: Sequence[Row], before: Reached | None) -> Reached:
    """Insert the rows that follow what was reached before, and say so in the record.

    Raises:
        StoreError: another copy wrote meanwhile.
    """
    own = (_RECORD.c.kind == _TABLE, _RECORD.c.name == table.name)
    require_open(session)
    # The record first: of two copies at once the second waits here, and finds another state.
    standing = session.execute(select(_RECORD.c.rows).where(*own).with_for_update()).scalar()
    if standing != (before.rows if before else None):
        raise StoreError("Another `wirebrief migrate` is at work here: let it end.")
    reached = Reached(key_of(table, rows[-1]), len(rows) + (before.rows if before else 0))
    session.execute(delete(_RECORD).where(*own))
    _note(session, _TABLE, table.name, json.dumps(reached.key), reached.rows)
    put_rows(session, table, rows)
    return reached


def mend_rows(session: Session, table: Table, wrong: Sequence[tuple[Key, Row | None]]) -> None:
    """Put rows right that differ from the source; where none is wanted it goes."""
    require_open(session)
    drop_rows(session, table, [key for key, _ in wrong])
    put_rows(session, table, [row for _, row in wrong if row is not None])
    if table in (STORY, VERSION):
        # What was indexed may be one of these: the index begins anew.
        session.execute(text("DELETE FROM story_search"))
        progress.put(session, INDEX, 0)


def _note(session: Session, kind: str, name: str, says: str, rows: int = 0) -> None:
    session.execute(insert_into(_RECORD).values(kind=kind, name=name, says=says, rows=rows))


def take_stock(session: Session) -> None:
    """Let PostgreSQL count what it has: it would look for rows in the wrong way, as in tables that are empty."""
    if not is_sqlite(session):
        session.execute(text("ANALYZE"))


# Foreign keys, indexes, sequences


def loosen(session: Session) -> None:
    """Take foreign keys and indexes down, all but those that keep rows single, and keep them in the record."""
    if is_sqlite(session):
        return
    for kind, query in ((_FOREIGN_KEY, _FOREIGN_KEYS), (_INDEX, _INDEXES)):
        for name, makes, drops in session.execute(text(query)).all():
            _note(session, kind, name, makes)
            session.execute(text(drops))


def tighten_next(session: Session) -> int:
    """Put the next index or foreign key back; how many were waiting. The rows that refer to nothing are found here.

    Raises:
        StoreError: a row refers to one that is not there.
    """
    require_open(session)
    waiting = _RECORD.c.kind.in_([_INDEX, _FOREIGN_KEY])
    # Indexes first: by their names of kinds, too.
    found = session.execute(
        select(_RECORD).where(waiting).order_by(_RECORD.c.kind.desc(), _RECORD.c.name)
    ).all()
    if found:
        kind, name, makes, _ = found[0]
        session.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        session.connection().exec_driver_sql(makes)
        session.execute(delete(_RECORD).where(_RECORD.c.kind == kind, _RECORD.c.name == name))
    return len(found)


def highest_ids(session: Session) -> dict[str, int]:
    """The highest id that each table has given, by table: of a row that is gone, perhaps."""
    found = {}
    for table in every_table():
        column = table.autoincrement_column
        if column is None:
            continue
        highest = session.execute(select(func.max(column))).scalar() or 0
        if not is_sqlite(session):
            highest = max(highest, _last_given(session, table))
        found[table.name] = highest
    if is_sqlite(session):
        for name, given in session.execute(text("SELECT name, seq FROM sqlite_sequence")):
            found[name] = max(found.get(name, 0), given)
    return found


def numbers_taken(session: Session) -> list[str]:
    """Tables of PostgreSQL in which the next row would get the number of one that is there."""
    return sorted(
        table.name
        for table in every_table()
        if (column := table.autoincrement_column) is not None
        and (session.execute(select(func.max(column))).scalar() or 0) > _last_given(session, table)
    )


def _last_given(session: Session, table: Table) -> int:
    """The last number that PostgreSQL gave to a row of a table."""
    name = _sequence(session, table)
    given = text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}")  # noqa: S608
    return int(session.execute(given).scalar_one())


def number_on(session: Session, highest: dict[str, int]) -> None:
    """Let new rows be numbered behind these ids."""
    for table in every_table():
        given = highest.get(table.name, 0)
        if not given:
            continue
        if not is_sqlite(session):
            session.execute(
                text("SELECT setval(:name, :given)"), {"name": _sequence(session, table), "given": given}
            )
        elif table.dialect_options["sqlite"]["autoincrement"]:
            values = {"name": table.name, "given": given}
            session.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
            session.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :given)"), values)


def _sequence(session: Session, table: Table) -> str:
    column = table.autoincrement_column
    assert column is not None  # noqa: S101 - only such tables are asked for
    asked = select(func.pg_get_serial_sequence(f'"{table.name}"', column.name))
    return str(session.execute(asked).scalar_one())


def finish(session: Session) -> None:
    """Open the database to everybody.

    Raises:
        StoreError: a row refers to one that is not there, or a table is not as it should be.
    """
    require_open(session)
    if is_sqlite(session) and (dangling := session.execute(text("PRAGMA foreign_key_check")).all()):
        raise StoreError(f"{dangling[0][0]} {dangling[0][1]} refers to a missing {dangling[0][2]}.")
    _RECORD.drop(session.connection())
    if differing := schema.drift(session):
        raise StoreError(f"Its tables are not as they should be: {'; '.join(differing)}")
