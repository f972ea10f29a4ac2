"""One writer, many readers, on SQLite or PostgreSQL.

On SQLite one thread writes, inside `BEGIN IMMEDIATE`, so writers of this process never wait for
a lock; other processes are waited for. On PostgreSQL each write is a transaction of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, NoSuchModuleError
from sqlmodel import Session

from aggregator import measures
from aggregator.errors import AggregatorError, BadInput
from aggregator.store.notices import pending_of

T = TypeVar("T")

#: How long another process's write is waited for, in seconds.
BUSY_SECONDS = 30
#: Threads that read. On SQLite one: a read is Python's work for the most part, of which one thread does as much
#: as four, and each more of them keeps the event loop from its turn (benchmarks/load.py: feeds were answered in
#: 7 ms instead of 114, pages of the desk in 390 ms instead of 950). A server works while we wait for it.
READERS_OF_SQLITE, READERS_OF_A_SERVER = 1, 4

#: A traceback in a log names statements, but not what they were to store.
_QUIET: dict[str, Any] = {"hide_parameters": True}


class StoreError(AggregatorError):
    """The database did not do what was asked; nothing of that one write was kept."""


class StoreUnusable(StoreError):
    """The database cannot be opened or read."""


class StoreAway(StoreUnusable):
    """The server does not answer: it may be starting anew. Of a write that was under way nobody knows
    whether it was kept."""


class StoreLocked(StoreError):
    """Another program had the database to itself for too long."""


class StoreFull(StoreError):
    """The disk is full."""


class Database:
    """A database and its threads. `close` it, or use it as a context."""

    def __init__(self, url: str) -> None:
        """Open `url`, an SQLAlchemy URL. Nothing is connected yet.

        Raises:
            BadInput: the URL names no SQLite or PostgreSQL database.
        """
        self.url = _parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.engine = _sqlite_engine(self.url, begin="BEGIN IMMEDIATE")
            self._reading = _sqlite_engine(self.url, begin="BEGIN")
        else:
            self.engine = _postgresql_engine(self.url)
            # One snapshot for the whole of a read, as SQLite gives it by itself.
            self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._hearers: list[Callable[[str], object]] = []
        self._writer = ThreadPoolExecutor(1 if self.is_sqlite else 2, "store-write")
        self.readers = READERS_OF_SQLITE if self.is_sqlite else READERS_OF_A_SERVER
        self._readers = ThreadPoolExecutor(self.readers, "store-read")

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The URL without its password, for messages."""
        plain = self.url.set(drivername=self.url.get_backend_name())
        return plain.render_as_string(hide_password=True)

    @property
    def conninfo(self) -> str:
        """The URL as PostgreSQL's own library takes it, with its password."""
        return _patient(self.url).set(drivername="postgresql").render_as_string(hide_password=False)

    def hear(self, hearer: Callable[[str], object]) -> Callable[[], None]:
        """Call `hearer`, on the thread that wrote, with each notice of this process's writes.

        Returns what ends that.
        """
        self._hearers.append(hearer)
        return lambda: self._hearers.remove(hearer)

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction of its own, on the writing thread; all of it or nothing.

        Raises:
            StoreError: the database refused.
        """
        return await self._on(self._writer, "write", lambda: self.write_now(work))

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` on a reading thread, against one consistent state.

        Raises:
            StoreError: the database refused.
        """
        return await self._on(self._readers, "read", lambda: self.read_now(work))

    def write_now(self, work: Callable[[Session], T]) -> T:
        """`write` for callers that run no event loop, such as migrations and the command line."""
        with self._explained(), Session(self.engine, expire_on_commit=False) as session:
            with session.begin():
                done = work(session)
            told = pending_of(session)
        for notice in told:
            for hearer in list(self._hearers):
                hearer(notice)
        return done

    def read_now(self, work: Callable[[Session], T]) -> T:
        """`read` for callers that run no event loop."""
        with self._explained(), Session(self._reading, expire_on_commit=False) as session:
            return work(session)

    def close(self) -> None:
        """Let what is being written end, then let go of every connection."""
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self.engine.dispose()
        self._reading.dispose()

    @staticmethod
    async def _on(threads: ThreadPoolExecutor, name: str, work: Callable[[], T]) -> T:
        asked = time.perf_counter()

        def run() -> T:
            measures.DATABASE_WAIT.observe(time.perf_counter() - asked, name)
            with measures.DATABASE_SECONDS.timed(name):
                return work()

        # Shielded: a write that began is let end even when its caller is cancelled (Ctrl-C).
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(threads, run))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (DatabaseError, InterfaceError) as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> StoreError:
        said = str(getattr(error, "orig", error)).strip().splitlines()[0]
        if "disk is full" in said or "No space left" in said or "disk I/O error" in said:
            return StoreFull(
                f"The disk that holds {self.name} is full or failing ({said}). Nothing of this "
                "step was kept; all that was stored before is safe. Make room and run the command again."
            )
        if "not a database" in said or "malformed" in said:
            return StoreUnusable(
                f"{self.name} is no readable database ({said}). It was left as it is: "
                "move it away to begin anew, or put a backup in its place."
            )
        if "unable to open" in said and _is_out_of_handles():
            return StoreError(
                f"{self.name} could not be opened: this process has too many files and connections open. "
                "It goes on by itself once some are closed; where it comes back, raise the limit (ulimit -n)."
            )
        if "unable to open" in said or "readonly" in said:
            return StoreUnusable(
                f"{self.name} cannot be opened for writing ({said}). "
                "Check that its folder exists and that this user may write there."
            )
        if "locked" in said:
            return StoreLocked(
                f"{self.name} was locked by another program for {_busy_seconds(self.url):g} seconds. "
                "End that program, or try again when it is done."
            )
        # Asked first, since a database missing altogether "does not exist" either.
        if not self.is_sqlite and ("connect" in said or "authentication" in said):
            return StoreAway(
                f"{self.name} does not answer ({said}). Check that it runs and the URL is right."
            )
        if "no such table" in said or "does not exist" in said:
            return StoreUnusable(
                f"{self.name} holds no wirebrief tables ({said}). Run `wirebrief init` first."
            )
        return StoreError(f"{self.name} refused: {said}")


def _parse_url(text: str) -> URL:
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise BadInput(_URL_HELP.format(text)) from error
    if backend == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise BadInput(
                f"{text!r} would be forgotten at the end: name a file, as in sqlite:///wirebrief.db."
            )
        return url.set(drivername="sqlite+pysqlite")
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise BadInput(_URL_HELP.format(text))


_URL_HELP = (
    "{!r} is no database that wirebrief can use: write sqlite:///wirebrief.db, "
    "or postgresql://user@host/name for PostgreSQL."
)


def _postgresql_engine(url: URL) -> Engine:
    try:
        return create_engine(_patient(url), pool_size=READERS_OF_A_SERVER + 2, pool_pre_ping=True, **_QUIET)
    except ModuleNotFoundError as error:
        raise BadInput("PostgreSQL needs its driver: install wirebrief[postgresql].") from error


def _patient(url: URL) -> URL:
    """The URL with what finds out within some fifteen seconds that its server is gone (options of libpq)."""
    lines = {
        "keepalives_idle": "5",
        "keepalives_interval": "3",
        "keepalives_count": "3",
        "tcp_user_timeout": "15000",
        "connect_timeout": "5",
    }
    return url.update_query_dict({name: value for name, value in lines.items() if name not in url.query})


def _busy_seconds(url: URL) -> float:
    """How long another program's write is waited for: as the URL has it (`?timeout=5`), else as usual."""
    given = url.query.get("timeout", "")
    return float(given) if isinstance(given, str) and given.isdecimal() else BUSY_SECONDS


def _use_wal(connection: sqlite3.Connection) -> None:
    """Write ahead. Several programs that begin at once may meet here: SQLite does not wait by itself."""
    patient_until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > patient_until:
                raise
            time.sleep(0.02)


def _sqlite_engine(url: URL, *, begin: str) -> Engine:
    connecting = {"timeout": _busy_seconds(url), "check_same_thread": False}
    engine = create_engine(url, connect_args=connecting, **_QUIET)

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own BEGIN comes too late and is never IMMEDIATE; ours is sent below.
        connection.isolation_level = None
        _use_wal(connection)
        # FULL, not NORMAL: an editor's pick survives a power cut too.
        # 16 MB are written ahead, not 4: a page that many writes touch goes into the file once for all of them.
        for pragma in (
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-32000",
            "wal_autocheckpoint=4000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _is_out_of_handles() -> bool:
    """Whether this process may open nothing more; SQLite says no more of it than that it could not."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return False


def sqlite_path(url: URL) -> Path | None:
    """The file of an SQLite database; None for one on a server."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
