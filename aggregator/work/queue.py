"""procrastinate's queue on PostgreSQL: any number of processes take jobs from it.

A job is a task's name and a key, such as that of a channel. The same job waits once (its queueing lock)
and runs once at a time (its lock). What is in the queue is disposable: the tables know what is left to
do, so a job that was lost is put again by the schedule, and one that runs twice changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import procrastinate
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import DeleteJobCondition, Status
from procrastinate.schema import SchemaManager
from procrastinate.worker import Worker

from aggregator import measures
from aggregator.errors import AggregatorError
from aggregator.work.jobs import AFTER_A_FAULT

log = logging.getLogger(__name__)


class QueueError(AggregatorError):
    """The queue cannot be reached."""


#: After the queue was lost, it is tried again so much later.
PAUSE = timedelta(seconds=1)
#: So long a job may go on when its process is to end: it records what it has.
PATIENCE = timedelta(seconds=2)

#: A job: the name of its task, and its key; "" for a task that has only one.
Wanted = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a task."""

    key: str
    #: The number of its job, which no other has.
    job: int


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker can be asked to do."""

    name: str
    run: Callable[[Call], Awaitable[None]]
    #: Who takes its jobs.
    queue: str = "work"
    #: Jobs of a higher one are taken first.
    priority: int = 0


class Queue:
    """The queue, as one process uses it. Open it with `opened`."""

    def __init__(self, conninfo: str, schema: str, *, stalled: timedelta, jobs: int) -> None:
        """`schema` is where its tables are; `jobs` run at once; a process without a sign of life for
        longer than `stalled` is given up."""
        self._app = App(
            connector=PsycopgConnector(
                conninfo=conninfo,
                kwargs={"options": f"-c search_path={schema}"},
                min_size=1,
                max_size=jobs + 3,
            )
        )
        self._stalled = stalled
        self._jobs = jobs
        self._tasks: dict[str, Task] = {}

    def offer(self, tasks: Iterable[Task]) -> None:
        """Let this process know these tasks: it can put their jobs, and `work` runs them."""
        for task in tasks:
            self._tasks[task.name] = task
            self._app.task(name=task.name, pass_context=True)(self._runner(task))

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Queue]:
        """The queue with its connections open."""
        async with self._app.open_async():
            yield self

    async def put(self, wanted: Iterable[Wanted], *, wait: timedelta | None = None) -> int:
        """Put these jobs, save those that wait already; how many were put.

        Raises:
            QueueError: the queue cannot be reached.
        """
        try:
            waiting = {
                job.queueing_lock for job in await self._app.job_manager.list_jobs_async(status="todo")
            }
            new = [one for one in dict.fromkeys(wanted) if _lock(one) not in waiting]
            return sum([await self._put_one(*one, wait=wait) for one in new])
        except ConnectorException as error:
            raise QueueError(_said(error)) from error

    async def work(self, queue: str = "work", *, jobs: int | None = None) -> None:
        """Take and run jobs until cancelled, over as many lost connections as that takes."""
        while True:
            worker = _Worker(
                self._app,
                queues=[queue],
                name=queue,
                concurrency=jobs or self._jobs,
                delete_jobs=DeleteJobCondition.ALWAYS,
                install_signal_handlers=False,
                shutdown_graceful_timeout=self._stalled.total_seconds(),
                update_heartbeat_interval=self._stalled.total_seconds() / 4,
                stalled_worker_timeout=self._stalled.total_seconds() * 6,
            )
            running = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]
            try:
                await asyncio.shield(running)
            except asyncio.CancelledError:
                worker.shutdown_graceful_timeout = PATIENCE.total_seconds()
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await running
                raise
            except Exception as error:
                log.warning("queue lost", extra={"reason": _said(error)})
            await asyncio.sleep(PAUSE.total_seconds())

    async def dead(self) -> list[int]:
        """The jobs whose process gives no sign of life.

        Raises:
            QueueError: the queue cannot be reached.
        """
        manager = self._app.job_manager
        try:
            found = await manager.get_stalled_jobs(seconds_since_heartbeat=self._stalled.total_seconds())
        except ConnectorException as error:
            raise QueueError(_said(error)) from error
        return [job.id for job in found if job.id is not None]

    async def bury(self, jobs: Sequence[int]) -> None:
        """Take these jobs out: whatever they left undone is put again."""
        for job in jobs:
            # It may have ended after all.
            with contextlib.suppress(ConnectorException):
                await self._app.job_manager.finish_job_by_id_async(job, Status.FAILED, delete_job=True)

    async def _put_one(self, name: str, key: str, *, wait: timedelta | None) -> bool:
        task = self._tasks[name]
        deferred = self._app.configure_task(
            name,
            queue=task.queue,
            priority=task.priority,
            lock=_lock((name, key)),
            queueing_lock=_lock((name, key)),
            schedule_in={"seconds": wait.total_seconds()} if wait else None,
        )
        try:
            await deferred.defer_async(key=key)
        except AlreadyEnqueued:
            # Somebody else was faster.
            return False
        return True

    def _runner(self, task: Task) -> Callable[..., Awaitable[None]]:
        async def run(context: JobContext, key: str = "") -> None:
            try:
                with measures.JOB_SECONDS.timed(task.name):
                    await task.run(Call(key, context.job.id or 0))
            except Exception:
                # One broken job must not end the worker; the log has the fault, the tables the work.
                measures.JOBS_FAILED.add(task.name)
                log.exception("job failed", extra={"job": _lock((task.name, key))})
                with contextlib.suppress(QueueError):
                    await self.put([(task.name, key)], wait=AFTER_A_FAULT)

        return run


def schema_sql() -> str:
    """The statements that make the queue's tables."""
    return str(SchemaManager.get_schema())


def schema_version() -> str:
    """What its tables are made for."""
    return f"procrastinate {procrastinate.__version__}"


class _Worker(Worker):
    """A worker that notices when its heartbeat or its ear fails, and stops.

    procrastinate looks after its side tasks until the first of them ends. The one for periodic tasks ends
    at once where there are none, as here, and nobody looks after the others from then on.
    """

    async def _periodic_deferrer(self) -> Any:
        await asyncio.Event().wait()


def _said(error: Exception) -> str:
    """What PostgreSQL said, in one line."""
    return str(error.__cause__ or error).strip().partition("\n")[0]


def _lock(wanted: Wanted) -> str:
    name, key = wanted
    return f"{name}:{key}" if key else name
