from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import sqlite3
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import StatementError
from sqlmodel import Session

from aggregator.errors import BadInput
from aggregator.store import accounts, fetches, progress, stories
from aggregator.store import database as database_module
from aggregator.store.database import Database, StoreError, StoreFull, StoreLocked, StoreUnusable, sqlite_path
from aggregator.store.schema import prepare
from aggregator.store.tables import SOURCE, STORY
from tests.conftest import NOW, strict
from tests.store.newsroom import follow, heard, keep_stories, record, says, stored


def put(name: str, upto: int) -> Any:
    return lambda session: progress.put(session, name, upto)


def got(database: Database, name: str) -> int:
    return database.read_now(lambda s: progress.get(s, name))


@pytest.mark.parametrize("url", ["", "wirebrief.db", "mysql://desk@host/wire", "sqlite+nonsense//x"])
def test_a_url_of_no_database_that_we_can_use_is_refused_with_examples(url: str) -> None:
    with pytest.raises(BadInput, match=r"write sqlite:///wirebrief\.db, or postgresql://"):
        Database(url)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_that_would_be_forgotten_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="forgotten at the end"):
        Database(url)


def test_without_its_driver_postgresql_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(BadInput, match=r"install wirebrief\[postgresql\]"):
        Database("postgresql://desk@host/wire")


def test_a_database_is_named_without_its_password() -> None:
    with Database("postgresql://desk:secret@host/wire") as database:
        assert "secret" not in database.name
        assert sqlite_path(database.url) is None


def test_the_file_of_an_sqlite_database_is_known(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'a.db'}") as database:
        assert sqlite_path(database.url) == tmp_path / "a.db"


def test_a_pick_on_sqlite_survives_a_power_cut(prepared_file: Path) -> None:
    with Database(f"sqlite:///{prepared_file}") as database:
        for ask in (database.read_now, database.write_now):
            settings = ask(
                lambda s: [
                    s.execute(text(f"PRAGMA {name}")).scalar()
                    for name in ("journal_mode", "synchronous", "foreign_keys")
                ]
            )
            assert settings == ["wal", 2, 1]


async def test_what_is_written_is_read_back(database: Database) -> None:
    await database.write(put("x", 7))
    assert await database.read(lambda s: progress.get(s, "x")) == 7


async def test_a_write_that_fails_half_way_is_absent(database: Database) -> None:
    def half(session: Session) -> None:
        progress.put(session, "x", 7)
        raise ValueError("the desk tripped")

    with pytest.raises(ValueError, match="tripped"):
        await database.write(half)
    assert got(database, "x") == 0


async def test_a_read_writes_nothing(database: Database) -> None:
    await database.read(put("x", 7))
    assert got(database, "x") == 0


async def test_a_write_whose_caller_is_cancelled_is_whole(database: Database) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slowly(session: Session) -> None:
        progress.put(session, "x", 7)
        began.set()
        assert go_on.wait(5)
        progress.put(session, "y", 8)

    writing = asyncio.create_task(database.write(slowly))
    assert await asyncio.to_thread(began.wait, 5)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    # What comes after it waits for it on SQLite's one writing thread; `close` waits on both.
    await asyncio.to_thread(database.close)
    with Database(database.url.render_as_string(hide_password=False)) as again:
        assert (got(again, "x"), got(again, "y")) == (7, 8)


async def test_a_read_sees_one_state_while_another_writes(database: Database, database_url: str) -> None:
    def twice(session: Session) -> tuple[int, int]:
        first = progress.get(session, "x")
        with strict(Database(database_url)) as other:
            other.write_now(put("x", 7))
        return first, progress.get(session, "x")

    assert await database.read(twice) == (0, 0)
    assert got(database, "x") == 7


async def test_two_programs_writing_at_once_lose_nothing(database: Database, database_url: str) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    with strict(Database(database_url)) as other:
        writes = [
            one.write(lambda s, n=n: record_one(s, source, n))  # type: ignore[misc]
            for n in range(40)
            for one in (database, other)
        ]
        assert sum(await asyncio.gather(*writes)) == 40
    assert database.read_now(stories.count) == 40
    assert {story.versions for story in stored(database)} == {1}


def record_one(session: Session, source: int, n: int) -> int:
    (done,) = fetches.record(session, [heard(source, says(f"{n}"))])
    return done.new


def write_half(url: str, began: Any) -> None:
    """A program that is killed in the middle of its write."""

    def half(session: Session) -> None:
        progress.put(session, "x", 7)
        began.set()
        threading.Event().wait(30)

    Database(url).write_now(half)


def test_a_program_killed_half_way_leaves_nothing_and_blocks_nobody(
    database: Database, database_url: str
) -> None:
    spawn = multiprocessing.get_context("spawn")
    began = spawn.Event()
    program = spawn.Process(target=write_half, args=(database_url, began), daemon=True)
    program.start()
    assert began.wait(20)
    program.kill()
    program.join(10)
    assert got(database, "x") == 0
    database.write_now(put("x", 8))
    assert got(database, "x") == 8


def test_what_breaks_a_rule_of_the_tables_is_refused_and_says_which(database: Database) -> None:
    database.write_now(lambda s: accounts.add(s, "ada", "editor", now=NOW))
    with pytest.raises(StoreError, match=r"refused: .*(UNIQUE|unique)") as caught:
        database.write_now(lambda s: accounts.add(s, "ada", "editor", now=NOW))
    assert type(caught.value) is StoreError
    assert caught.value.__cause__ is not None


def test_stories_cannot_lose_their_source(database: Database) -> None:
    keep_stories(database, says("a"))
    with pytest.raises(StoreError, match=r"(FOREIGN KEY|foreign key)"):
        database.write_now(lambda s: s.execute(text("DELETE FROM source")))
    assert database.read_now(stories.count) == 1


def test_a_time_without_a_zone_is_never_kept(database: Database) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(StatementError, match="has no time zone"):
        follow(database, "https://wire.example/feed", now=naive)
    assert database.read_now(lambda s: s.execute(select(SOURCE.c.id)).all()) == []


def test_a_database_without_tables_says_to_run_init(empty_url: str) -> None:
    with Database(empty_url) as database, pytest.raises(StoreUnusable, match="Run `wirebrief init` first"):
        database.read_now(stories.count)


def test_a_postgresql_that_does_not_answer_is_named_with_advice(tmp_path: Path) -> None:
    url = f"postgresql://desk@/wire?host={tmp_path}"
    with (
        Database(url) as database,
        pytest.raises(StoreUnusable, match=r"does not answer .* Check that it runs"),
    ):
        database.read_now(stories.count)


def test_a_postgresql_database_that_does_not_exist_is_no_case_for_init(postgresql_server: Any) -> None:
    url = postgresql_server.url_of("nowhere")
    with Database(url) as database, pytest.raises(StoreUnusable, match="does not answer"):
        database.read_now(stories.count)


@pytest.mark.parametrize("ask", ["read_now", "write_now"])
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, ask: str) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(b"Notes of the morning conference.\n" * 200)
    before = path.read_bytes()
    with (
        Database(f"sqlite:///{path}") as database,
        pytest.raises(StoreUnusable, match="move it away to begin anew"),
    ):
        getattr(database, ask)(stories.count)
    with Database(f"sqlite:///{path}") as database, pytest.raises(StoreUnusable, match="left as it is"):
        prepare(database)
    assert path.read_bytes() == before
    assert [other.name for other in tmp_path.iterdir()] == ["notes.db"]


def test_a_damaged_database_says_to_take_a_backup(sqlite_database: Database) -> None:
    keep_stories(sqlite_database, *(says(f"{n}", body="word " * 2000) for n in range(20)))
    path = sqlite_path(sqlite_database.url)
    assert path is not None
    sqlite_database.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xaa" * (len(whole) - 4096))
    with (
        Database(f"sqlite:///{path}") as damaged,
        pytest.raises(StoreUnusable, match="put a backup in its place"),
    ):
        damaged.read_now(stories.find)


def test_a_file_opened_for_reading_only_can_be_read_and_says_why_it_is_not_written(
    sqlite_database: Database,
) -> None:
    keep_stories(sqlite_database, says("a"))
    path = sqlite_path(sqlite_database.url)
    with Database(f"sqlite:///file:{path}?mode=ro&uri=true") as database:
        assert database.read_now(stories.count) == 1
        with pytest.raises(StoreUnusable, match=r"cannot be opened for writing .*this user may write there"):
            database.write_now(put("x", 7))


@pytest.mark.skipif(os.geteuid() == 0, reason="Root may write everywhere; this test is for other users.")
def test_a_file_that_this_user_may_not_write_says_so(sqlite_database: Database) -> None:
    path = sqlite_path(sqlite_database.url)
    assert path is not None
    sqlite_database.close()
    path.chmod(0o400)
    with Database(f"sqlite:///{path}") as database, pytest.raises(StoreUnusable, match="may write there"):
        database.write_now(put("x", 7))


def test_a_file_that_cannot_be_made_says_to_check_its_folder(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path}") as database, pytest.raises(StoreUnusable, match="folder exists"):
        database.write_now(put("x", 7))


def test_a_full_disk_keeps_all_that_was_stored_before(sqlite_database: Database) -> None:
    event.listen(sqlite_database.engine, "connect", _allow_a_few_pages)
    (source,) = follow(sqlite_database, "https://wire.example/feed")
    record(sqlite_database, heard(source, says("small")))
    book = heard(source, *(says(f"{n}", body="word " * 5_000) for n in range(50)))
    with pytest.raises(StoreFull, match=r"all that was stored before is safe. Make room"):
        record(sqlite_database, book)
    assert [story.entry_id for story in stored(sqlite_database)] == ["urn:small"]
    record(sqlite_database, heard(source, says("another small one")))
    assert sqlite_database.read_now(stories.count) == 2


def _allow_a_few_pages(connection: sqlite3.Connection, _record: object) -> None:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 30}")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
    finally:
        connection.close()


def test_a_locked_database_is_waited_for_then_named(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sqlite_path(sqlite_database.url)
    assert path is not None
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.1)
    with Database(f"sqlite:///{path}") as database:
        with _locked(path):
            with pytest.raises(StoreError, match=r"locked by another program for 0\.1 seconds") as caught:
                database.write_now(put("x", 7))
            assert type(caught.value) is StoreLocked
            assert got(database, "x") == 0
        database.write_now(put("x", 7))
        assert got(database, "x") == 7


def test_a_program_that_waits_for_another_writes_when_that_one_is_done(sqlite_database: Database) -> None:
    path = sqlite_path(sqlite_database.url)
    assert path is not None
    lock = _locked(path)
    lock.__enter__()
    writer = threading.Thread(target=sqlite_database.write_now, args=(put("x", 7),))
    writer.start()
    writer.join(0.2)
    assert writer.is_alive()
    lock.__exit__(None, None, None)
    writer.join(5)
    assert got(sqlite_database, "x") == 7


def test_times_are_read_back_in_utc(database: Database) -> None:
    kyiv = datetime(2025, 2, 18, 11, 0, tzinfo=timezone(timedelta(hours=2)))
    (source,) = follow(database, "https://wire.example/feed", now=kyiv)
    read = database.read_now(lambda s: s.execute(select(SOURCE.c.added_at)).scalar_one())
    assert (read, read.utcoffset()) == (NOW, timedelta(0))
    assert source == 1


def test_a_story_belongs_to_a_source_that_exists(database: Database) -> None:
    values = {"source_id": 9, "key": "a", "entry_id": "a", "first_seen": NOW, "sorted_at": NOW, "digest": "d"}
    with pytest.raises(StoreError):
        database.write_now(lambda s: s.execute(insert(STORY).values(versions=1, **values)))


def test_a_traceback_of_the_database_holds_nothing_of_what_was_to_be_stored(database: Database) -> None:
    secret = "-".join(["hush", "hush"])
    with pytest.raises(StoreError) as caught:
        database.write_now(
            lambda session: session.execute(text("SELECT :said FROM nowhere"), {"said": secret})
        )
    told = "".join(traceback.format_exception(caught.value))
    assert "FROM nowhere" in told
    assert secret not in told
