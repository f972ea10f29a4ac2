"""APScheduler in this process: each job wakes when the tables say that something is due.

There is no fixed tick: a tick of a minute would ask a feed with an interval of a minute only
every second one. A job is never run beside itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from errno import EMFILE, ENFILE

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from aggregator import measures
from aggregator.errors import AggregatorError
from aggregator.model import Clock
from aggregator.work.jobs import AFTER_A_FAULT, AFTER_TROUBLE, Job

log = logging.getLogger(__name__)

#: So long a job may take to end by itself when the process is told to end, in seconds.
GRACE = 2.0
#: So often it is asked whether the clock was set back, in seconds.
LOOK_AT_CLOCK = 5.0


class Schedule:
    """Runs jobs until it is stopped. `start` it within a running event loop."""

    def __init__(self, jobs: Iterable[Job], clock: Clock) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._clock = clock
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._under_way: set[str] = set()
        self._asked_again: set[str] = set()
        self._is_stopping = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._watching: asyncio.Task[None] | None = None
        self._runs: set[asyncio.Future[datetime | None]] = set()
        #: What keeps a job from its work, by its name.
        self._troubles: dict[str, str] = {}

    @property
    def names(self) -> frozenset[str]:
        """The jobs that can be asked for."""
        return frozenset(self._jobs)

    def start(self) -> None:
        """Run every job for the first time now."""
        self._scheduler.start()
        for name in self._jobs:
            self.soon(name)
        self._watching = asyncio.create_task(self._watch_clock())

    def soon(self, name: str) -> None:
        """Run a job as soon as it is free: something happened that it will want to know."""
        if name in self._under_way:
            self._asked_again.add(name)
        else:
            self._plan(self._jobs[name], timedelta())

    async def stop(self) -> None:
        """Start nothing more, and let what is under way end: by itself for a while, then it is cancelled.

        A job that is cancelled keeps what it has, and gives the rest back; a server that hangs must not
        keep the process from its end.
        """
        self._is_stopping = True
        if self._watching is not None:
            self._watching.cancel()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await self._idle.wait()
        finally:
            for run in list(self._runs):
                run.cancel()
            await self._idle.wait()
            # Only now: APScheduler cancels what is under way, and does so at the loop's next turn.
            self._scheduler.shutdown(wait=False)
            await asyncio.sleep(0)

    async def _watch_clock(self) -> None:
        """Run every job once the clock was set back: each waits for a time that is far away now."""
        while True:
            before = self._clock()
            await asyncio.sleep(LOOK_AT_CLOCK)
            if self._clock() < before:
                for name in self._jobs:
                    self.soon(name)

    async def _run_of(self, job: Job) -> datetime | None:
        """Run a job in a task of its own, which can be cancelled."""
        run = asyncio.ensure_future(job.run())
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)
        return await run

    def _tell(self, job: Job, trouble: str) -> None:
        if self._troubles.get(job.name) != trouble:
            self._troubles[job.name] = trouble
            log.error("job failed", extra={"job": job.name, "reason": trouble})

    def _tell_again(self, job: Job) -> None:
        if self._troubles.pop(job.name, None) is not None:
            log.warning("job works again", extra={"job": job.name})

    def _plan(self, job: Job, wait: timedelta) -> None:
        if not self._is_stopping:
            self._scheduler.add_job(
                self._run,
                DateTrigger(self._clock() + wait),
                args=[job],
                id=job.name,
                replace_existing=True,
                misfire_grace_time=None,
                # It counts a run for a turn of the loop after its end, and drops a job beyond the
                # limit for good. That no job runs beside itself is seen to in `_run`.
                max_instances=1_000,
            )

    async def _run(self, job: Job) -> None:
        if self._is_stopping:
            return
        if job.name in self._under_way:
            self._asked_again.add(job.name)
            return
        self._under_way.add(job.name)
        self._idle.clear()
        wait = AFTER_A_FAULT
        try:
            with measures.JOB_SECONDS.timed(job.name):
                wanted = await self._run_of(job)
            now = self._clock()
            wait = job.next_run(wanted, now) - now
            self._tell_again(job)
        except asyncio.CancelledError:
            # APScheduler would take it for a fault; where the end is near it is none.
            if not self._is_stopping:
                raise
        except Exception as error:
            measures.JOBS_FAILED.add(job.name)
            if (trouble := _trouble(error)) is not None:
                wait = AFTER_TROUBLE
                self._tell(job, trouble)
            else:
                # One broken run must not end the service; the log has the fault, the tables the work.
                log.exception("job failed", extra={"job": job.name})
        finally:
            self._under_way.discard(job.name)
            if job.name in self._asked_again:
                self._asked_again.discard(job.name)
                wait = min(wait, job.rest)
            self._plan(job, wait)
            if not self._under_way:
                self._idle.set()


def _trouble(error: Exception) -> str | None:
    """What passes by itself, in words: a full disk, a lock, a server that is away. None for a fault of ours."""
    if isinstance(error, AggregatorError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (EMFILE, ENFILE):
        return "This process has too many files and connections open: let it have more (`ulimit -n`)."
    return None
