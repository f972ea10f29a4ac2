from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update

from aggregator.flows import migrating
from aggregator.flows.migrating import Comparison, Move
from aggregator.language.query import parse_query
from aggregator.store import copying, moving, progress, retention, schema, stories
from aggregator.store.database import Database, StoreError, StoreUnusable
from aggregator.store.tables import SOURCE, STORY, VERSION
from tests.conftest import NOW, Server, strict
from tests.store.moved import fill, rows_of
from tests.store.newsroom import follow, heard, keep_stories, record, says


class Interrupted(BaseException):
    """The process ends here, as if it was killed."""


@dataclass
class Moving:
    """Two databases, and what was said while one went into the other."""

    source: Database
    to: str
    said: list[str] = field(default_factory=list)
    #: What happens when a stage has come so far: (stage, done).
    when: Callable[[str, int], None] = lambda _stage, _done: None

    async def migrate(self) -> Comparison:
        return await self._run(migrating.migrate)

    async def compare(self) -> Comparison:
        return await self._run(migrating.compare)

    async def _run(self, work: Any) -> Comparison:
        self.said.clear()
        url = self.source.url.render_as_string(hide_password=False)
        with moving.reader_of(url) as source, strict(moving.writer_of(self.to)) as target:
            found: Comparison = await work(Move(source, target, self._stage, self.said.append))
            return found

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda done, _of: self.when(name, done)

    def interrupt_at(self, stage: str, count: int) -> None:
        """End at the so-manieth step of a stage."""
        steps = iter(range(count))

        def when(name: str, _done: int) -> None:
            if name == stage and next(steps, None) is None:
                raise Interrupted

        self.when = when

    def go_on(self) -> None:
        """Let the next one come to its end."""
        self.when = lambda _stage, _done: None


@pytest.fixture(params=["to PostgreSQL", "to SQLite"])
def move(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql_server: Server, prepared_file: Path
) -> Iterator[Moving]:
    """A source with all tables and no rows, and an empty target of the other kind."""
    file = tmp_path / "desk.db"
    if request.param == "to PostgreSQL":
        file.write_bytes(prepared_file.read_bytes())
        urls = f"sqlite:///{file}", postgresql_server.bare()
    else:
        urls = postgresql_server.swept(), f"sqlite:///{file}"
    with strict(Database(urls[0])) as source:
        yield Moving(source, urls[1])


@pytest.fixture
def plain(tmp_path: Path, prepared_file: Path) -> Iterator[Moving]:
    """A source and a target that are both files, for what has nothing to do with either database."""
    file = tmp_path / "desk.db"
    file.write_bytes(prepared_file.read_bytes())
    with strict(Database(f"sqlite:///{file}")) as source:
        yield Moving(source, f"sqlite:///{tmp_path / 'other.db'}")


def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MOST_ROWS", 1)
    monkeypatch.setattr(migrating, "BATCH", 1)
    monkeypatch.setattr(migrating, "MOST_WRONG", 1)


def some_stories(database: Database) -> None:
    keep_stories(database, *(says(f"{n}", f"Talks {n}", body="grain") for n in range(4)))
    while database.write_now(lambda s: stories.index_new(s, limit=100)):
        pass


def search(database: Database, words: str) -> list[str]:
    return [story.title for story in database.read_now(lambda s: stories.find(s, parse_query(words)))]


async def test_a_database_goes_into_another_with_everything_in_it(move: Moving) -> None:
    with moving.writer_of(move.source.url.render_as_string(hide_password=False)) as source:
        fill(source)
    found = await move.migrate()
    assert found.is_equal
    assert move.said == []
    assert {each.rows for each in found.tables} == {3}
    with Database(move.to) as target:
        for table in copying.every_table():
            assert target.read_now(lambda s, t=table: list(copying.rows_in_order(s, t, None))) == rows_of(
                table
            )  # type: ignore[misc]
        assert target.read_now(schema.drift) == []
        schema.prepare(target)
    assert (await move.compare()).is_equal


async def test_what_was_copied_is_searched_and_numbered_on(move: Moving) -> None:
    some_stories(move.source)
    newest = move.source.read_now(lambda s: stories.find(s, limit=1))[0].id
    highest = move.source.read_now(stories.newest_version)
    # The newest version is gone, and its number is not given again: others have read up to it.
    gone = move.source.read_now(
        lambda s: s.execute(select(VERSION.c.story_id).order_by(VERSION.c.id.desc()))
    ).scalar()
    move.source.write_now(lambda s: retention.purge(s, [gone], now=NOW))
    assert (await move.migrate()).is_equal
    with Database(move.to) as target:
        assert search(target, "grain") == search(move.source, "grain") != []
        assert target.read_now(stories.is_searchable)
        record(target, heard(1, says("new", "A new one")))
        (new,) = (story for story in target.read_now(stories.find) if story.title == "A new one")
        assert new.id > newest - 1
        assert target.read_now(stories.newest_version) > highest


async def interrupted(move: Moving, stage: str, count: int) -> None:
    """Begin, and end before the end."""
    move.interrupt_at(stage, count)
    with pytest.raises(Interrupted):
        await move.migrate()
    move.go_on()


@pytest.mark.parametrize(("stage", "count"), [("Copying rows", 0), ("Copying rows", 5), ("Comparing", 2)])
async def test_interrupted_it_goes_on_where_it_was(
    plain: Moving, stage: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await goes_on(plain, stage, count, monkeypatch)


async def test_interrupted_late_it_goes_on_where_it_was(
    move: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = "Search index" if "sqlite" in move.to else "Indexes and foreign keys"
    await goes_on(move, stage, 3, monkeypatch)


async def goes_on(move: Moving, stage: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted there, it lets nobody in, and ends well the next time."""
    small_steps(monkeypatch)
    some_stories(move.source)
    await interrupted(move, stage, count)
    closed = pytest.raises(StoreUnusable, match="being filled by `wirebrief migrate`")
    with Database(move.to) as target, closed:
        schema.prepare(target)
    assert (await move.migrate()).is_equal
    assert any(line.startswith("Going on where it was: ") for line in move.said)
    with Database(move.to) as target:
        schema.prepare(target)
        assert target.read_now(schema.drift) == []
        assert len(search(target, "grain")) == 4


async def test_what_changed_between_two_runs_is_put_right(
    move: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch)
    some_stories(move.source)
    await interrupted(move, "Indexes and foreign keys" if "postgresql" in move.to else "Search index", 1)
    record(move.source, heard(1, says("0", "Changed", body="grain"), says("9", "New")))
    move.source.write_now(lambda s: s.execute(update(SOURCE).values(title="Renamed")))
    gone = move.source.read_now(
        lambda s: s.execute(select(STORY.c.id).where(STORY.c.entry_id == "urn:1"))
    ).scalar()
    move.source.write_now(lambda s: retention.purge(s, [gone], now=NOW))
    move.go_on()
    assert (await move.migrate()).is_equal
    assert "version differs, and is copied again where it does." in move.said
    with Database(move.to) as target:
        assert target.read_now(stories.find) == move.source.read_now(stories.find)
        assert sorted(search(target, "grain")) == ["Changed", "Talks 2", "Talks 3"]


async def test_a_row_that_took_what_a_copied_one_had_is_no_hindrance(
    move: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch)
    follow(move.source, "https://a.example/feed", "https://b.example/feed", "https://c.example/feed")
    await interrupted(move, "Copying rows", 0)
    move.source.write_now(lambda s: s.execute(delete(SOURCE).where(SOURCE.c.url == "https://a.example/feed")))
    follow(move.source, "https://a.example/feed")
    move.go_on()
    assert (await move.migrate()).is_equal


async def test_a_source_that_is_written_to_all_the_time_is_not_said_to_be_copied(
    plain: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch)
    some_stories(plain.source)

    def writes(stage: str, done: int) -> None:
        if stage == "Search index":
            plain.source.write_now(lambda s: progress.put(s, "clusters", done))

    plain.when = writes
    with pytest.raises(StoreError, match="was written to after it was compared: end every process"):
        await plain.migrate()
    plain.go_on()
    assert (await plain.migrate()).is_equal


async def test_what_differs_still_is_told_with_its_first_key(
    plain: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch)
    some_stories(plain.source)
    await interrupted(plain, "Search index", 0)
    plain.source.write_now(lambda s: s.execute(update(SOURCE).values(title="Renamed")))
    with monkeypatch.context() as patch:
        # As if somebody undid in the target what was put right.
        patch.setattr(migrating, "_mend", lambda _move, _table: None)
        found = await plain.migrate()
    assert [(t.table, t.differs_at) for t in found.tables if not t.is_equal] == [("source", (1,))]
    assert (await plain.migrate()).is_equal


async def test_comparing_finds_a_single_letter(plain: Moving) -> None:
    some_stories(plain.source)
    await plain.migrate()
    with Database(plain.to) as target:
        target.write_now(lambda s: s.execute(update(VERSION).where(VERSION.c.id == 3).values(body="grains")))
    found = await plain.compare()
    assert [(t.table, t.differs_at) for t in found.tables if not t.is_equal] == [("version", (3,))]
    assert not found.is_equal


async def test_a_source_is_not_changed_by_a_byte(plain: Moving) -> None:
    some_stories(plain.source)
    plain.source.close()
    path = Path(str(plain.source.url.database))
    before = await asyncio.to_thread(path.read_bytes)
    await plain.migrate()
    assert await asyncio.to_thread(path.read_bytes) == before


async def test_nothing_is_mixed_with_what_a_target_holds(plain: Moving) -> None:
    with Database(plain.to) as target:
        schema.prepare(target)
        follow(target, "https://wire.example/feed")
    with pytest.raises(StoreUnusable, match=r"holds something of its own \(source\).*Nothing was changed"):
        await plain.migrate()
    with Database(plain.to) as target:
        target.write_now(lambda s: s.execute(delete(SOURCE)))
        target.write_now(lambda s: s.execute(text("CREATE TABLE recipe (name TEXT)")))
    with pytest.raises(StoreUnusable, match=r"tables of another program \(recipe\)"):
        await plain.migrate()


async def test_an_unfinished_copy_of_another_database_is_refused(plain: Moving) -> None:
    with Database(plain.to) as target:
        schema.prepare(target)
        target.write_now(lambda s: moving.begin(s, "sqlite:///other.db"))
    with pytest.raises(StoreUnusable, match=r"an unfinished copy of sqlite:///other\.db"):
        await plain.migrate()


async def test_a_source_of_another_schema_is_told_what_to_do(plain: Moving) -> None:
    def pretend(version: str) -> None:
        plain.source.write_now(
            lambda s: s.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
        )

    try:
        for version, says_what in (
            ("0001", "run `wirebrief init` on it first"),
            ("9999", "a newer wirebrief"),
        ):
            pretend(version)
            with pytest.raises(StoreUnusable, match=says_what):
                await plain.migrate()
    finally:
        pretend(schema.head())


async def test_a_database_is_not_copied_into_itself(move: Moving, tmp_path: Path) -> None:
    move.to = move.source.url.render_as_string(hide_password=False)
    with pytest.raises(StoreUnusable, match="Both are the same database"):
        await move.migrate()


async def test_two_copies_at_once_do_not_mix(plain: Moving, monkeypatch: pytest.MonkeyPatch) -> None:
    small_steps(monkeypatch)
    some_stories(plain.source)
    table = STORY
    rows = plain.source.read_now(lambda s: copying.next_rows(s, table, None, None))
    await interrupted(plain, "Copying rows", 0)
    with moving.writer_of(plain.to) as target:
        target.write_now(lambda s: moving.keep_rows(s, table, rows, None))
        with pytest.raises(StoreError, match="Another `wirebrief migrate` is at work"):
            target.write_now(lambda s: moving.keep_rows(s, table, rows, None))
    plain.go_on()
    assert (await plain.migrate()).is_equal
    with moving.writer_of(plain.to) as target, pytest.raises(StoreError, match="has finished this copy"):
        target.write_now(lambda s: moving.keep_rows(s, table, rows, None))


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
async def test_a_row_that_refers_to_nothing_is_not_taken_for_whole(
    kind: str, plain: Moving, request: pytest.FixtureRequest
) -> None:
    if kind == "PostgreSQL":
        plain.to = request.getfixturevalue("postgresql_server").bare()
    with contextlib.closing(sqlite3.connect(str(plain.source.url.database))) as connection:
        connection.execute("INSERT INTO topic VALUES ('t', 'T', 'f', 0)")
        connection.execute("INSERT INTO story_topic VALUES ('t', 99, 'why')")
        connection.commit()
    with pytest.raises(StoreError, match=r"story_topic"):
        await plain.migrate()


def test_a_source_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="There is no database"):
        moving.reader_of(f"sqlite:///{tmp_path / 'none.db'}")
    assert list(tmp_path.iterdir()) == []
