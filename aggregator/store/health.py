"""Whether the database itself is whole."""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session

from aggregator.store.dialects import is_sqlite


def integrity(session: Session) -> list[str]:
    """What the database says is damaged; empty when all is whole.

    SQLite checks every page and every index entry, and every reference between tables.
    PostgreSQL checks its pages by itself when they are read.
    """
    if not is_sqlite(session):
        session.execute(text("SELECT count(*) FROM story_search"))
        return []
    said = [str(row[0]) for row in session.execute(text("PRAGMA integrity_check"))]
    dangling = session.execute(text("PRAGMA foreign_key_check")).all()
    faults = [line for line in said if line != "ok"]
    return faults + [f"{row[0]} {row[1]} points at a missing {row[2]}" for row in dangling]
