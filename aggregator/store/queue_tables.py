"""Where the queue has its tables: a schema of PostgreSQL of its own, made anew whenever its version changes.

What is in the queue is disposable, so nothing of it is migrated.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session

from aggregator.store.database import Database
from aggregator.store.dialects import exclusive

#: The schema.
QUEUE = "wirebrief_queue"


def prepare(database: Database, sql: str, version: str) -> None:
    """Make the tables of a queue that is at this version, unless they stand. Of several programs one does.

    Raises:
        StoreError: the database refused: its user may not create a schema, for instance.
    """
    if database.read_now(_version) != version:
        database.write_now(lambda session: _make(session, sql, version))


def _version(session: Session) -> str | None:
    found = session.execute(
        text("SELECT obj_description(to_regnamespace(:schema), 'pg_namespace')"), {"schema": QUEUE}
    )
    version: str | None = found.scalar()
    return version


def _make(session: Session, sql: str, version: str) -> None:
    exclusive(session, "queue")
    if _version(session) == version:
        return
    run = session.connection().execution_options(no_parameters=True).exec_driver_sql
    run(f"DROP SCHEMA IF EXISTS {QUEUE} CASCADE")
    run(f"CREATE SCHEMA {QUEUE}")
    run(f"SET LOCAL search_path TO {QUEUE}")
    run(sql)
    escaped = version.replace("'", "''")
    run(f"COMMENT ON SCHEMA {QUEUE} IS '{escaped}'")


def jobs(session: Session) -> dict[tuple[str, str], int]:
    """How many jobs there are, by the name of their queue and their status; none where there is no queue."""
    if session.connection().dialect.name == "sqlite":
        return {}
    table = f"{QUEUE}.procrastinate_jobs"
    if session.execute(text("SELECT to_regclass(:name)"), {"name": table}).scalar() is None:
        return {}
    # The schema's name is ours.
    query = f"SELECT queue_name, status::text, count(*) FROM {table} GROUP BY 1, 2"  # noqa: S608
    return {(queue, status): int(count) for queue, status, count in session.execute(text(query))}
