from __future__ import annotations

import sqlite3

from aggregator.store import health
from aggregator.store.database import Database, sqlite_path
from tests.store.newsroom import keep_stories, says


def test_a_whole_database_has_no_fault(database: Database) -> None:
    keep_stories(database, says("a"), says("b"))
    assert database.read_now(health.integrity) == []


def test_a_story_whose_source_is_missing_is_told(sqlite_database: Database) -> None:
    keep_stories(sqlite_database, says("a"))
    _tamper(sqlite_database, "DELETE FROM source")
    faults = sqlite_database.read_now(health.integrity)
    said = {"fetch 1 points at a missing source", "story 1 points at a missing source"}
    assert said <= set(faults)
    assert all("missing source" in fault for fault in faults)


def test_a_damaged_index_is_told(sqlite_database: Database) -> None:
    keep_stories(sqlite_database, says("a"))
    _tamper(
        sqlite_database,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, '(url)', '(key)') WHERE name = 'ix_story_url'",
    )
    assert any("ix_story_url" in fault for fault in sqlite_database.read_now(health.integrity))


def _tamper(database: Database, *statements: str) -> None:
    """What another program does to the file, unchecked."""
    path = sqlite_path(database.url)
    assert path is not None
    database.engine.dispose()
    database._reading.dispose()
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
