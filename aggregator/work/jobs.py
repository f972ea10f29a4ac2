"""A job: a flow with a name, and how often it may and must run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.written import Duration

#: Does what is due, and says when there will be something due again; None: nothing is known of.
Run = Callable[[], Awaitable[datetime | None]]

#: After a job broke, it waits so long before it is tried again.
AFTER_A_FAULT = timedelta(seconds=30)
#: And so long where it did not break, but could not work: the disk is full, the database away or locked.
AFTER_TROUBLE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class WorkSettings:
    """How the workers of several processes share the work."""

    #: Jobs that a worker runs at once: so many sweeps, and so many of what follows from them.
    jobs: int = 4
    #: A worker that gives no sign of life for so long is given up: others have its sources and its jobs.
    stalled: Duration = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work. The tables say what is left to do; the job only does it soon."""

    name: str
    run: Run
    #: It rests so long between two runs.
    rest: timedelta = timedelta(seconds=1)
    #: It runs so often even when nothing is known to be due.
    at_least_every: timedelta = timedelta(minutes=1)

    def next_run(self, wanted: datetime | None, now: datetime) -> datetime:
        """When to run again: as wanted, after a rest, and not later than it must."""
        latest = now + self.at_least_every
        return min(max(wanted or latest, now + self.rest), latest)
