"""What only the tests of the store need."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import event

from aggregator.store import dialects
from aggregator.store.database import Database


@pytest.fixture
def narrow(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database whose statements hold few values, so that a hundred rows need several of them.

    The room left between the two limits is that of the real ones.
    """
    monkeypatch.setattr(dialects, "MOST_VALUES", 300)
    if database.is_sqlite:
        for engine in (database.engine, database._reading):
            event.listen(engine, "connect", _limit_variables)
    return database


def _limit_variables(connection: sqlite3.Connection, _record: object) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 327)
