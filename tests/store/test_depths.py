"""How much waits is asked of the tables."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from aggregator.model import SourceDraft
from aggregator.store import queue_tables, sources
from aggregator.store.database import Database
from aggregator.store.depths import depths
from aggregator.store.tables import SOURCE
from aggregator.work.queue import Call, Queue, Task, schema_sql, schema_version
from tests.conftest import NOW


def follow(database: Database, *names: str) -> None:
    """Follow sources with these names, due now."""
    drafts = [SourceDraft(f"https://{name}.example/feed") for name in names]
    database.write_now(lambda session: sources.add(session, drafts, now=NOW))


def test_nothing_waits_in_an_empty_newsroom(database: Database) -> None:
    found = database.read_now(lambda session: depths(session, now=NOW))
    assert (found.due, found.due_since, found.last_fetch) == (0, None, None)
    assert {*found.sources.values(), *found.alarms.values(), *found.behind.values()} == {0}
    assert found.waiting == {"push": 0, "webhook": 0, "confirmation": 0}
    assert found.jobs == {}
    assert found.database_bytes > 0


def test_sources_count_by_how_they_are_doing_and_those_that_are_due(database: Database) -> None:
    follow(database, "well", "failing", "paused", "gone")
    states = {
        "failing": {"failure_kind": "timeout"},
        "paused": {"is_paused": True, "failure_kind": "timeout"},
        "gone": {"gone_at": NOW, "is_paused": True},
    }

    def set_states(session: object) -> None:
        for name, values in states.items():
            query = update(SOURCE).where(SOURCE.c.url == f"https://{name}.example/feed").values(**values)
            session.execute(query)  # type: ignore[attr-defined]

    database.write_now(set_states)
    later = NOW + timedelta(minutes=3)
    found = database.read_now(lambda session: depths(session, now=later))
    assert found.sources == {"well": 1, "failing": 1, "paused": 1, "gone": 1}
    assert found.due == 2
    assert found.due_since is not None
    assert NOW - timedelta(hours=1) <= found.due_since <= later


async def test_jobs_of_the_queue_count_by_queue_and_status(postgresql_database: Database) -> None:
    async def nothing(_: Call) -> None:
        """Never run here."""

    queue_tables.prepare(postgresql_database, schema_sql(), schema_version())
    queue = Queue(postgresql_database.conninfo, queue_tables.QUEUE, stalled=timedelta(seconds=10), jobs=1)
    queue.offer([Task("nothing", nothing)])
    async with queue.opened():
        await queue.put([("nothing", "a"), ("nothing", "b")])
    assert postgresql_database.read_now(queue_tables.jobs) == {("work", "todo"): 2}
