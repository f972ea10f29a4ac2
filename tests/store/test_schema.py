from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from sqlmodel import Session

from aggregator.rules.identities import page_key
from aggregator.store import schema, stories
from aggregator.store.database import Database, StoreUnusable, sqlite_path
from aggregator.store.tables import STORY, metadata
from aggregator.store.tables_ingest import STORY_KEY
from tests.conftest import NOW
from tests.store.newsroom import keep_stories, says


def tables(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        return {
            name for name in inspect(connection).get_table_names() if not name.startswith("story_search_")
        }


def test_migrations_from_empty_give_exactly_the_tables(empty_url: str) -> None:
    with Database(empty_url) as database:
        assert database.read_now(schema.revision) is None
        schema.prepare(database)
        assert database.read_now(schema.revision) == schema.head()
        assert database.read_now(schema.drift) == []
        assert tables(database) == {*metadata.tables, "alembic_version", "story_search"}


def test_the_newest_migration_is_the_schema_of_this_program() -> None:
    assert schema.head() == ScriptDirectory(schema._folder()).get_current_head()


def test_a_table_that_differs_is_told(empty_url: str) -> None:
    with Database(empty_url) as database:
        schema.prepare(database)
        database.write_now(lambda s: s.execute(text("DROP TABLE session")))
        database.write_now(lambda s: s.execute(text("ALTER TABLE brief ADD COLUMN mood TEXT")))
        told = " ".join(database.read_now(schema.drift))
    assert "session" in told
    assert "mood" in told


def test_a_prepared_database_is_left_alone(database: Database) -> None:
    keep_stories(database, says("a"))
    schema.prepare(database)
    assert database.read_now(stories.count) == 1


def test_programs_started_at_once_prepare_one_database(empty_url: str) -> None:
    with Database(empty_url) as one, Database(empty_url) as other, ThreadPoolExecutor(2) as threads:
        for ready in [threads.submit(schema.prepare, each) for each in (one, other)]:
            ready.result()
        assert one.read_now(schema.drift) == []


def test_a_database_of_a_newer_wirebrief_is_refused_and_left_unchanged(empty_url: str) -> None:
    def pretend(session: Session) -> None:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with Database(empty_url) as database:
        schema.prepare(database)
        database.write_now(pretend)
        path = sqlite_path(database.url)
    before = path.read_bytes() if path else b""
    with Database(empty_url) as database:
        with pytest.raises(StoreUnusable, match=r"newer wirebrief \(schema 9999\).*nothing was changed"):
            schema.prepare(database)
        assert database.read_now(schema.revision) == "9999"
    assert (path.read_bytes() if path else b"") == before


def test_a_migration_that_fails_leaves_no_table(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade: Any = schema._upgrade

    def stumble(session: Session) -> None:
        upgrade(session)
        session.execute(text("SELECT * FROM nowhere"))

    with Database(empty_url) as database:
        monkeypatch.setattr(schema, "_upgrade", stumble)
        with pytest.raises(StoreUnusable):
            schema.prepare(database)
        assert tables(database) == set()
        monkeypatch.setattr(schema, "_upgrade", upgrade)
        schema.prepare(database)
        assert database.read_now(schema.drift) == []


def test_a_missing_folder_is_named_with_what_to_do(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'none' / 'wirebrief.db'}") as database:
        with pytest.raises(StoreUnusable, match=r"none for the database does not exist: make it"):
            schema.prepare(database)
        with pytest.raises(StoreUnusable, match="Check that its folder exists"):
            database.read_now(stories.count)


def test_another_programs_database_is_refused_and_left_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE recipe (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with Database(f"sqlite:///{path}") as database:
        with pytest.raises(StoreUnusable, match=r"belongs to another program \(it holds recipe\)"):
            schema.prepare(database)
        assert tables(database) == {"recipe"}
    assert path.read_bytes() == before


def test_stories_of_an_older_database_keep_their_keys_and_get_their_pages(empty_url: str) -> None:
    def as_before(session: Session) -> None:
        config = Config()
        config.set_main_option("script_location", schema._folder())
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0005")
        session.execute(
            text(
                "INSERT INTO source (id, url, title, kind, reuse, added_at, is_paused, host, next_due, failures, why)"
                " VALUES (1, 'https://wire.example/feed', '', 'news', 'summary', :now, :no, 'wire.example', :now, 0,"
                " '')"
            ),
            {"now": NOW.replace(tzinfo=None), "no": False},
        )
        story = text(
            "INSERT INTO story (id, source_id, key, entry_id, url, first_seen, sorted_at, versions, digest)"
            " VALUES (:id, 1, :key, :key, :url, :now, :now, 1, 'd')"
        )
        for id, url in ((1, "http://www.wire.example/a/?utm_source=rss"), (2, None)):
            values = {"id": id, "key": f"k{id}", "url": url, "now": NOW.replace(tzinfo=None)}
            session.execute(story, values)

    with Database(empty_url) as database:
        database.write_now(as_before)
        schema.prepare(database)
        names = database.read_now(lambda s: s.execute(select(STORY_KEY.c.key, STORY_KEY.c.story_id)).all())
        pages = database.read_now(
            lambda s: s.execute(select(STORY.c.page).order_by(STORY.c.id)).scalars().all()
        )
        assert database.read_now(schema.drift) == []
    assert sorted(tuple(name) for name in names) == [("k1", 1), ("k2", 2)]
    assert pages == [page_key("https://wire.example/a"), None]
