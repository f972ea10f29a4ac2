"""APScheduler in this process: each job wakes when the tables say that something is due.

There is no fixed tick: a tick of a minute would ask a feed with an interval of a minute only
every second one. A job is never run beside itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from aggregator.model import Clock
from aggregator.work.jobs import AFTER_A_FAULT, Job

log = logging.getLogger(__name__)


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

    @property
    def names(self) -> frozenset[str]:
        """The jobs that can be asked for."""
        return frozenset(self._jobs)

    def start(self) -> None:
        """Run every job for the first time now."""
        self._scheduler.start()
        for name in self._jobs:
            self.soon(name)

    def soon(self, name: str) -> None:
        """Run a job as soon as it is free: something happened that it will want to know."""
        if name in self._under_way:
            self._asked_again.add(name)
        else:
            self._plan(self._jobs[name], timedelta())

    async def stop(self) -> None:
        """Start nothing more, and let what is under way end."""
        self._is_stopping = True
        await self._idle.wait()
        # Only now: APScheduler cancels what is under way, and does so at the loop's next turn.
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)

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
            wanted = await job.run()
            now = self._clock()
            wait = job.next_run(wanted, now) - now
        except Exception:
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
