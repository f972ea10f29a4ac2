"""Backups are there whole or not at all, and go back into an empty place only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from aggregator.errors import AggregatorError, BadInput
from aggregator.flows import keeping
from aggregator.store import backups, copying, dumps, schema
from aggregator.store.backups import Unusable
from aggregator.store.database import Database, StoreError, StoreFull, sqlite_path
from aggregator.store.tables import SOURCE, VERSION
from tests.acceptance.desk import wait_until
from tests.conftest import NOW, Server
from tests.store.newsroom import keep_stories, says


@contextlib.contextmanager
def quiet(_what: str) -> Iterator[Callable[[int, int], None]]:
    """No bar."""
    yield lambda _done, _of: None


@pytest.fixture(autouse=True)
def _programs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's programs come with its server, where a test has one."""
    if "postgresql_server" in request.fixturenames or "backend" in request.fixturenames:
        server: Server = request.getfixturevalue("postgresql_server")
        monkeypatch.setenv("PATH", f"{server.programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def filled(database: Database) -> Database:
    """A database with some stories."""
    keep_stories(database, *(says(f"story {n}") for n in range(20)))
    return database


@pytest.fixture
def place(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Where no database is."""
    url = f"sqlite:///{tmp_path / 'place.db'}"
    if backend == "postgresql":
        server: Server = request.getfixturevalue("postgresql_server")
        url = server.bare()
    with Database(url) as empty:
        yield empty


def rows(database: Database) -> dict[str, list[Any]]:
    """Every row of every table."""
    return {
        table.name: database.read_now(lambda s, t=table: list(copying.rows_in_order(s, t, None)))  # type: ignore[misc]
        for table in copying.every_table()
        # In which backup what stands is known by the database that is used.
        if table.name != "progress"
    }


async def test_what_was_backed_up_is_put_back_as_it_was(
    filled: Database, place: Database, tmp_path: Path
) -> None:
    file = tmp_path / "kept"
    done = await keeping.backup(filled, file, quiet)
    assert (done.stories, done.versions, done.schema) == (20, 20, schema.head())
    assert (done.body_bytes, done.digest) == (file.stat().st_size, backups.digest_of(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert (
        filled.read_now(backups.kept_upto)
        == filled.read_now(lambda s: s.execute(select(VERSION.c.id)).all())[-1][0]
    )
    before = file.read_bytes()
    again = await keeping.restore(place, file, quiet)
    assert (again.stories, again.versions, again.digest) == (20, 20, done.digest)
    assert rows(place) == rows(filled)
    assert place.read_now(schema.drift) == []
    assert place.read_now(backups.kept_upto) == filled.read_now(backups.kept_upto)
    assert file.read_bytes() == before
    assert not (tmp_path / ".kept.part").exists()
    keep_stories(place, says("a story that came later"))


async def test_a_backup_that_is_there_is_replaced_only_when_told_so(filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "kept"
    file.write_bytes(b"the backup of yesterday")
    with pytest.raises(BadInput, match="is there already: name another file, or say --force"):
        await keeping.backup(filled, file, quiet)
    assert file.read_bytes() == b"the backup of yesterday"
    await keeping.backup(filled, file, quiet, replace=True)
    assert file.stat().st_size > 10_000


async def test_a_place_that_is_not_empty_is_left_as_it_is(filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "kept"
    await keeping.backup(filled, file, quiet)
    before = rows(filled)
    with pytest.raises(BadInput, match="nothing is ever put over it"):
        await keeping.restore(filled, file, quiet)
    assert rows(filled) == before


@pytest.mark.parametrize("share", [0.03, 0.5, 0.97])
async def test_a_backup_that_was_cut_short_leaves_nothing_behind(
    filled: Database, place: Database, tmp_path: Path, share: float
) -> None:
    file = tmp_path / "kept"
    await keeping.backup(filled, file, quiet)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(Unusable, match="damaged or cut short"):
        await keeping.restore(place, file, quiet)
    _require_nothing(place)
    file.write_bytes(whole)
    assert (await keeping.restore(place, file, quiet)).stories == 20


@pytest.mark.parametrize("body", [b"", b"hello", b"PK\x03\x04" * 100])
async def test_what_is_no_backup_is_refused(place: Database, tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "kept"
    file.write_bytes(body)
    with pytest.raises(Unusable, match="is no backup of wirebrief"):
        await keeping.restore(place, file, quiet)
    with pytest.raises(BadInput, match="there is no such file"):
        await keeping.restore(place, tmp_path / "none", quiet)
    _require_nothing(place)


async def test_a_database_of_another_program_is_refused(sqlite_database: Database, tmp_path: Path) -> None:
    file = tmp_path / "recipes.db"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE recipe (name TEXT)")
    place = Database(f"sqlite:///{tmp_path / 'place.db'}")
    with place, pytest.raises(Unusable, match="holds no tables of wirebrief"):
        await keeping.restore(place, file, quiet)
    assert not (tmp_path / "place.db").exists()


async def test_a_backup_of_a_newer_wirebrief_is_refused(
    filled: Database, place: Database, tmp_path: Path
) -> None:
    file = tmp_path / "kept"
    filled.write_now(lambda s: s.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    try:
        assert (await keeping.backup(filled, file, quiet)).schema == "9999"
        with pytest.raises(Unusable, match=r"newer wirebrief \(schema 9999\)"):
            await keeping.restore(place, file, quiet)
    finally:
        version = {"head": schema.head()}
        filled.write_now(lambda s: s.execute(text("UPDATE alembic_version SET version_num = :head"), version))
    _require_nothing(place)


async def test_a_backup_of_the_other_kind_names_the_way_over(
    sqlite_database: Database, postgresql_server: Server, tmp_path: Path
) -> None:
    file, dump = tmp_path / "kept", tmp_path / "dump"
    keep_stories(sqlite_database, says("a"))
    await keeping.backup(sqlite_database, file, quiet)
    with Database(postgresql_server.swept()) as server:
        await keeping.backup(server, dump, quiet)
    with Database(postgresql_server.bare()) as bare, pytest.raises(BadInput, match="wirebrief migrate"):
        await keeping.restore(bare, file, quiet)
    place = Database(f"sqlite:///{tmp_path / 'place.db'}")
    with place, pytest.raises(BadInput, match="wirebrief migrate"):
        await keeping.restore(place, dump, quiet)
    assert not (tmp_path / "place.db").exists()


# SQLite


async def test_a_backup_ends_while_others_write_all_the_time(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "STEP", 5)
    keep_stories(sqlite_database, *(says(f"story {n}") for n in range(400)))
    path, is_over, written = sqlite_path(sqlite_database.url), threading.Event(), 0

    def write() -> None:
        nonlocal written
        # As another process would: through a connection of its own.
        with contextlib.closing(sqlite3.connect(str(path), timeout=30, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            while not is_over.wait(0.001):
                connection.execute("UPDATE source SET title = title || 'x'")
                written += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        done = await keeping.backup(sqlite_database, tmp_path / "kept", quiet)
    finally:
        is_over.set()
        thread.join()
    assert done.stories == 400
    assert written > 5


async def test_what_is_left_of_a_database_that_was_here_is_not_put_into_the_new_one(
    sqlite_database: Database, tmp_path: Path
) -> None:
    await keeping.backup(sqlite_database, tmp_path / "kept", quiet)
    (tmp_path / "place.db-wal").write_bytes(b"what was written ahead")
    with (
        Database(f"sqlite:///{tmp_path / 'place.db'}") as place,
        pytest.raises(BadInput, match="move it away"),
    ):
        await keeping.restore(place, tmp_path / "kept", quiet)
    assert not (tmp_path / "place.db").exists()


async def test_a_backup_that_nobody_waits_for_leaves_nothing(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_stories(sqlite_database, *(says(f"story {n}") for n in range(50)))
    monkeypatch.setattr(backups, "STEP", 1)
    began, go = threading.Event(), threading.Event()

    @contextlib.contextmanager
    def slow(_what: str) -> Iterator[Callable[[int, int], None]]:
        def show(_done: int, _of: int) -> None:
            began.set()
            go.wait(10)

        yield show

    task = asyncio.create_task(keeping.backup(sqlite_database, tmp_path / "kept", slow))
    await asyncio.to_thread(began.wait)
    assert (tmp_path / ".kept.part").exists()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    # The thread notices at its next step.
    await asyncio.to_thread(wait_until, lambda: not (tmp_path / ".kept.part").exists())
    assert not (tmp_path / "kept").exists()


async def test_a_restore_that_was_killed_half_way_is_simply_run_again(
    sqlite_database: Database, tmp_path: Path
) -> None:
    keep_stories(sqlite_database, *(says(f"story {n}") for n in range(50)))
    await keeping.backup(sqlite_database, tmp_path / "kept", quiet)
    killed = (
        "import os, sys, threading\n"
        "from pathlib import Path\n"
        "from aggregator.store import backups\n"
        "with backups.placed(Path(sys.argv[2]), backups.require_empty) as part:\n"
        "    backups.put_back(Path(sys.argv[1]), part, lambda *_: None, threading.Event())\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    place = tmp_path / "place.db"
    words = [sys.executable, "-c", killed, str(tmp_path / "kept"), str(place)]
    assert subprocess.run(words, check=False).returncode == -9  # noqa: ASYNC221, S603 - our own program
    assert (tmp_path / ".place.db.part").exists()
    assert not place.exists()
    with Database(f"sqlite:///{place}") as database:
        assert (await keeping.restore(database, tmp_path / "kept", quiet)).stories == 50
    assert not (tmp_path / ".place.db.part").exists()


async def test_two_backups_into_one_file_do_not_meet(sqlite_database: Database, tmp_path: Path) -> None:
    with backups.placed(tmp_path / "kept", lambda _: None) as part:
        part.write_bytes(b"by the first")
        with pytest.raises(BadInput, match="Another process is writing"):
            await keeping.backup(sqlite_database, tmp_path / "kept", quiet)
    assert (tmp_path / "kept").read_bytes() == b"by the first"


async def test_a_full_disk_is_told_and_leaves_nothing(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull, match="Nothing was left there"):
        await keeping.backup(sqlite_database, tmp_path / "kept", quiet)
    _require_none(tmp_path)


async def test_a_database_that_takes_nothing_any_more_is_backed_up(
    sqlite_database: Database, tmp_path: Path
) -> None:
    refuse = "CREATE TRIGGER full BEFORE INSERT ON progress BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    sqlite_database.write_now(lambda s: s.execute(text(refuse)))
    assert (await keeping.backup(sqlite_database, tmp_path / "kept", quiet)).stories == 0
    assert sqlite_database.read_now(backups.kept_upto) is None


async def test_nobody_holds_a_source_in_what_was_put_back(
    filled: Database, place: Database, tmp_path: Path
) -> None:
    claim = update(SOURCE).values(claimed_until=NOW + timedelta(hours=1), claimed_by=7)
    filled.write_now(lambda s: s.execute(claim))
    await keeping.backup(filled, tmp_path / "kept", quiet)
    await keeping.restore(place, tmp_path / "kept", quiet)
    held = select(SOURCE.c.claimed_until, SOURCE.c.claimed_by)
    assert {tuple(row) for row in place.read_now(lambda s: s.execute(held).all())} == {(None, None)}


async def test_a_damaged_database_gives_no_backup(sqlite_database: Database, tmp_path: Path) -> None:
    keep_stories(sqlite_database, *(says(f"story {n}") for n in range(50)))
    path = sqlite_path(sqlite_database.url)
    assert path is not None
    sqlite_database.engine.dispose()
    sqlite_database._reading.dispose()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM source")
    with pytest.raises(Unusable, match="refers to a missing source"):
        await keeping.backup(sqlite_database, tmp_path / "kept", quiet)
    assert not (tmp_path / "kept").exists()


# PostgreSQL


async def test_without_pg_dump_it_says_what_to_install(
    postgresql_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match=r"There is no pg_dump on this machine: install"):
        await keeping.backup(postgresql_database, tmp_path / "kept", quiet)
    _require_none(tmp_path)


async def test_an_older_pg_dump_is_told_apart(
    postgresql_database: Database, postgresql_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The wheel that brings the server brings an older one, too.
    older = postgresql_server.programs.parents[1] / "pginstall" / "bin"
    if not (older / "pg_dump").exists():
        pytest.skip("There is no older pg_dump beside the server.")
    monkeypatch.setenv("PATH", f"{older}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(
        StoreError, match=r"pg_dump \d+ cannot read a server of version (\d+): install .*-\1 on Debian"
    ):
        await keeping.backup(postgresql_database, tmp_path / "kept", quiet)
    assert not (tmp_path / "kept").exists()


async def test_a_password_is_told_to_the_program_by_its_environment_alone(
    postgresql_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _script(
        tmp_path / "pg_dump", f'echo "$@" >{tmp_path}/words; echo "$PGPASSWORD" >{tmp_path}/password; exit 1'
    )
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    url = postgresql_server.swept().replace("postgres:@", "postgres:hush%27hush@")
    with Database(url) as database, pytest.raises(AggregatorError, match="pg_dump failed"):
        await keeping.backup(database, tmp_path / "kept", quiet)
    assert "hush" not in (tmp_path / "words").read_text()
    assert (tmp_path / "password").read_text() == "hush'hush\n"


async def test_the_queue_stays_out_of_a_dump(postgresql_database: Database, tmp_path: Path) -> None:
    postgresql_database.write_now(lambda s: s.execute(text("CREATE SCHEMA wirebrief_queue")))
    postgresql_database.write_now(lambda s: s.execute(text("CREATE TABLE wirebrief_queue.job (id int)")))
    try:
        await keeping.backup(postgresql_database, tmp_path / "kept", quiet)
    finally:
        postgresql_database.write_now(lambda s: s.execute(text("DROP SCHEMA wirebrief_queue CASCADE")))
    assert "job" not in dumps.look_through(tmp_path / "kept", threading.Event()).rows
    assert b"wirebrief_queue" not in (tmp_path / "kept").read_bytes()


def _script(file: Path, body: str) -> None:
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)


def _require_none(folder: Path) -> None:
    assert [path.name for path in folder.iterdir() if "kept" in path.name] == []


def _require_nothing(place: Database) -> None:
    path = sqlite_path(place.url)
    if path is not None:
        assert not path.exists()
        assert not path.with_name(f".{path.name}.part").exists()
    else:
        place.read_now(dumps.require_empty)
