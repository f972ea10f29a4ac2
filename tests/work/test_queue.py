"""The queue on a real PostgreSQL: what waits, who takes it, and what becomes of the dead."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from aggregator.store import queue_tables
from aggregator.store.database import Database
from aggregator.work import queue as queue_module
from aggregator.work.queue import Call, Queue, QueueError, Task, schema_sql, schema_version

if TYPE_CHECKING:
    from tests.conftest import Server

STALLED = timedelta(seconds=2)


@pytest.fixture
def desk(postgresql_server: Server) -> Iterator[Database]:
    """A database whose queue is empty."""
    url = postgresql_server.bare()
    with psycopg.connect(url) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {queue_tables.QUEUE} CASCADE")
    with Database(url) as database:
        queue_tables.prepare(database, schema_sql(), schema_version())
        yield database


@asynccontextmanager
async def process(
    desk: Database, *tasks: Task, jobs: int = 2, stalled: timedelta = STALLED
) -> AsyncIterator[Queue]:
    """The queue, as a process of its own would use it."""
    queue = Queue(desk.conninfo, queue_tables.QUEUE, stalled=stalled, jobs=jobs)
    queue.offer(tasks)
    async with queue.opened():
        yield queue


@asynccontextmanager
async def working(queue: Queue) -> AsyncIterator[asyncio.Task[None]]:
    """The process takes jobs meanwhile."""
    task = asyncio.create_task(queue.work())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Work:
    """A task's work: notes the keys that it ran with, and holds while it is told to."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.jobs: list[int] = []
        self.at_once: Counter[str] = Counter()
        self.most_at_once = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self._news = asyncio.Condition()

    async def __call__(self, call: Call) -> None:
        self.keys.append(call.key)
        self.jobs.append(call.job)
        self.at_once[call.key] += 1
        self.most_at_once = max(self.most_at_once, *self.at_once.values())
        try:
            async with self._news:
                self._news.notify_all()
            await self.may_end.wait()
        finally:
            self.at_once[call.key] -= 1

    async def has_begun(self, times: int) -> None:
        """Wait until it has run so often."""
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: len(self.keys) >= times)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        # Another process changes it, and tells nobody.
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_job_that_waits_is_not_put_again(desk: Database) -> None:
    work = Work()
    async with process(desk, Task("channel", work)) as queue:
        assert await queue.put([("channel", "talks"), ("channel", "wire"), ("channel", "talks")]) == 2
        assert await queue.put([("channel", "talks"), ("channel", "other")]) == 1
        async with working(queue):
            await work.has_begun(3)
    assert sorted(work.keys) == ["other", "talks", "wire"]
    assert len(set(work.jobs)) == 3


async def test_two_processes_that_put_one_job_at_once_put_it_once(desk: Database) -> None:
    work = Work()
    async with process(desk, Task("channel", work)) as one, process(desk, Task("channel", work)) as other:
        put = [queue.put([("channel", "talks")]) for queue in (one, other) for _ in range(5)]
        assert sum(await asyncio.gather(*put)) == 1


async def test_a_job_that_runs_may_wait_again_and_never_runs_beside_itself(desk: Database) -> None:
    work = Work()
    work.may_end.clear()
    async with process(desk, Task("brief", work), jobs=4) as queue, working(queue):
        await queue.put([("brief", "1")])
        await work.has_begun(1)
        assert await queue.put([("brief", "1")]) == 1
        assert await queue.put([("brief", "2")]) == 1
        await work.has_begun(2)
        assert work.keys == ["1", "2"]
        work.may_end.set()
        await work.has_begun(3)
    assert work.keys == ["1", "2", "1"]
    assert work.most_at_once == 1


async def test_what_editors_wait_for_is_taken_first(desk: Database) -> None:
    sweep, channel = Work(), Work()
    tasks = (Task("sweep", sweep), Task("channel", channel, priority=3))
    async with process(desk, *tasks, jobs=1) as queue:
        sweep.may_end.clear()
        await queue.put([("sweep", "0"), ("channel", "talks")])
        async with working(queue):
            await sweep.has_begun(1)
            assert channel.keys == ["talks"]


async def test_only_who_asks_for_a_queue_of_its_own_takes_from_it(desk: Database) -> None:
    reading = Work()
    async with process(desk, Task("reading", reading, queue="reading")) as queue, working(queue):
        await queue.put([("reading", "")])
        await asyncio.sleep(0.3)
        assert reading.keys == []
        alone = asyncio.create_task(queue.work("reading", jobs=1))
        await reading.has_begun(1)
        alone.cancel()
        await asyncio.gather(alone, return_exceptions=True)


async def test_a_job_that_breaks_waits_before_it_is_tried_again_and_stops_no_other(
    desk: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "AFTER_A_FAULT", timedelta(seconds=2))
    work, tries = Work(), 0

    async def breaks(_: Call) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("the wire is on fire")

    tasks = (Task("breaks", breaks), Task("channel", work))
    async with process(desk, *tasks) as queue, working(queue):
        await queue.put([("breaks", "")])
        await until(lambda: _is(tries == 1))
        await until(lambda: _waits(queue, "breaks"))
        assert await queue.put([("breaks", "")]) == 0
        await queue.put([("channel", "talks")])
        await work.has_begun(1)
        assert tries == 1
        await until(lambda: _is(tries == 2))
    assert "job failed" in caplog.messages


async def _waits(queue: Queue, lock: str) -> bool:
    found = await queue._app.job_manager.list_jobs_async(status="todo", queueing_lock=lock)
    return bool(list(found))


async def _is(holds: bool) -> bool:
    return holds


async def test_a_worker_that_lost_the_database_goes_on_by_itself(desk: Database) -> None:
    work = Work()
    async with process(desk, Task("channel", work)) as queue, working(queue):
        await queue.put([("channel", "before")])
        await work.has_begun(1)
        for number in range(2):
            _hang_up(desk)
            with contextlib.suppress(QueueError):
                await queue.put([("channel", f"lost {number}")])
            await asyncio.sleep(STALLED.total_seconds() / 2)
            await queue.put([("channel", f"after {number}")])
            await until(lambda number=number: _is(f"after {number}" in work.keys))  # type: ignore[misc]
        # It still gives signs of life, or it would be buried while it works.
        await asyncio.sleep(1.5 * STALLED.total_seconds())
        work.may_end.clear()
        await queue.put([("channel", "long")])
        await until(lambda: _is("long" in work.keys))
        await asyncio.sleep(1.5 * STALLED.total_seconds())
        assert await queue.dead() == []
        work.may_end.set()


async def test_a_worker_whose_queue_was_taken_away_works_on_once_it_is_there_again(
    desk: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "PAUSE", timedelta(milliseconds=50))
    work = Work()
    async with process(desk, Task("channel", work)) as queue, working(queue):
        await queue.put([("channel", "before")])
        await work.has_begun(1)
        with psycopg.connect(desk.conninfo) as connection:
            connection.execute(f"DROP SCHEMA {queue_tables.QUEUE} CASCADE")
        await until(lambda: _is("queue lost" in caplog.messages))
        queue_tables.prepare(desk, schema_sql(), schema_version())
        await queue.put([("channel", "after")])
        await work.has_begun(2)


def _hang_up(desk: Database) -> None:
    """Let the server end every connection but our own, as it does when it is started anew."""
    with psycopg.connect(desk.conninfo, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_the_jobs_of_a_dead_worker_are_found_and_taken_out(desk: Database) -> None:
    work = Work()
    async with process(desk, Task("brief", work), stalled=timedelta(milliseconds=200)) as queue:
        manager = queue._app.job_manager
        await queue.put([("brief", "1")])
        # A process that took a job and was killed: it never says another word.
        job = await manager.fetch_job(queues=["work"], worker_id=await manager.register_worker())
        assert job is not None
        assert await queue.dead() == []
        await until(lambda: _has(queue, job.id))
        await queue.put([("brief", "1")])
        await queue.bury(await queue.dead())
        await queue.bury([job.id or 0])
        assert await queue.dead() == []
        async with working(queue):
            await work.has_begun(1)


async def _has(queue: Queue, job: int | None) -> bool:
    return await queue.dead() == [job]


async def test_a_worker_that_is_told_to_end_lets_its_jobs_record_what_they_have(desk: Database) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def long(_: Call) -> None:
        try:
            begun.set()
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            ended.set()

    async with process(desk, Task("sweep", long)) as queue:
        async with working(queue) as task:
            await queue.put([("sweep", "0")])
            await asyncio.wait_for(begun.wait(), 20)
            async with asyncio.timeout(10):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        assert ended.is_set()
        assert await queue.dead() == []


async def test_a_queue_that_cannot_be_reached_says_so(
    desk: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(desk, Task("brief", Work())) as queue:
        with psycopg.connect(desk.conninfo) as connection:
            connection.execute(f"DROP SCHEMA {queue_tables.QUEUE} CASCADE")
        with pytest.raises(QueueError, match="procrastinate_jobs"):
            await queue.put([("brief", "1")])
        with pytest.raises(QueueError, match="procrastinate_workers"):
            await queue.dead()
        await queue.bury([1])


async def test_after_an_update_the_queue_is_made_anew_and_else_it_stays(desk: Database) -> None:
    async with process(desk, Task("brief", Work())) as queue:
        await queue.put([("brief", "1")])
        queue_tables.prepare(desk, schema_sql(), schema_version())
        assert await queue.put([("brief", "1")]) == 0
        queue_tables.prepare(desk, schema_sql(), "procrastinate 99.9 'beta'")
        assert await queue.put([("brief", "1")]) == 1
        queue_tables.prepare(desk, schema_sql(), "procrastinate 99.9 'beta'")
        assert await queue.put([("brief", "1")]) == 0
