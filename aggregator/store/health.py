"""Whether the database itself is whole."""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session

from aggregator.store.dialects import is_sqlite

_BROKEN_INDEXES = """
SELECT CAST(CAST(i.indexrelid AS regclass) AS text) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND NOT (i.indisvalid AND i.indisready) ORDER BY 1
"""
_BROKEN_PAGES = "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"


def integrity(session: Session) -> list[str]:
    """What the database says is damaged; empty when all is whole.

    SQLite checks every page and every index entry, and every reference between tables.
    PostgreSQL checks its pages by itself when they are read, and every reference when it is written; it
    knows which indexes never became whole, and how many pages were not what had been written.
    """
    if not is_sqlite(session):
        session.execute(text("SELECT count(*) FROM story_search"))
        broken = session.execute(text(_BROKEN_INDEXES)).scalars().all()
        pages = session.execute(text(_BROKEN_PAGES)).scalar() or 0
        faults = [f"the index {name} is not whole: REINDEX INDEX {name}" for name in broken]
        return faults + ([f"{pages} pages failed their checksum"] if pages else [])
    said = [str(row[0]) for row in session.execute(text("PRAGMA integrity_check"))]
    dangling = session.execute(text("PRAGMA foreign_key_check")).all()
    faults = [line for line in said if line != "ok"]
    return faults + [f"{row[0]} {row[1]} points at a missing {row[2]}" for row in dangling]
