from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.errors import AggregatorError
from aggregator.work import schedule
from aggregator.work.jobs import Job
from aggregator.work.schedule import Schedule

NONE = timedelta()
HOUR = timedelta(hours=1)
MOMENT = timedelta(milliseconds=30)


def now() -> datetime:
    """APScheduler goes by the machine's own clock, so these tests do too."""
    return datetime.now(UTC)


class Work:
    """A job's work: notes when it runs, and holds while it is told to."""

    def __init__(self, *wanted: Callable[[], datetime | None]) -> None:
        self.began: list[datetime] = []
        self.ended = 0
        self.at_once = 0
        self.most_at_once = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self._news = asyncio.Condition()
        self._wanted = list(wanted)

    async def __call__(self) -> datetime | None:
        self.began.append(now())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            async with self._news:
                self._news.notify_all()
            await self.may_end.wait()
            return self._wanted.pop(0)() if self._wanted else None
        finally:
            self.at_once -= 1
            self.ended += 1

    async def has_begun(self, times: int) -> None:
        """Wait until it has run so often."""
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: len(self.began) >= times)


def job(work: Callable[[], Awaitable[datetime | None]], name: str = "poll") -> Job:
    """A job that rests not at all and wakes by itself once an hour."""
    return Job(name, work, rest=NONE, at_least_every=HOUR)


@asynccontextmanager
async def running(*jobs: Job) -> AsyncIterator[Schedule]:
    started = Schedule(jobs, now)
    started.start()
    try:
        yield started
    finally:
        await started.stop()


async def turns(count: int = 20) -> None:
    """Let everybody else have their turn."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_every_job_runs_at_the_start() -> None:
    poll, digest = Work(), Work()
    async with running(job(poll), job(digest, "digest")):
        await poll.has_begun(1)
        await digest.has_begun(1)


async def test_a_job_wakes_at_the_time_it_asked_for() -> None:
    asked: list[datetime] = []

    def soon() -> datetime:
        asked.append(now() + MOMENT)
        return asked[-1]

    poll = Work(soon)
    async with running(job(poll)):
        await poll.has_begun(2)
    assert poll.began[1] >= asked[0]


async def test_a_job_that_asks_for_a_time_gone_by_runs_after_its_rest() -> None:
    poll = Work(lambda: now() - HOUR, lambda: now() - HOUR)
    async with running(Job("poll", poll, rest=MOMENT, at_least_every=HOUR)):
        await poll.has_begun(3)
    assert poll.began[2] - poll.began[0] >= 2 * MOMENT


async def test_a_job_is_never_run_beside_itself() -> None:
    poll = Work()
    poll.may_end.clear()
    async with running(job(poll)) as jobs:
        await poll.has_begun(1)
        for _ in range(3):
            jobs.soon("poll")
            await turns()
        assert len(poll.began) == 1
        poll.may_end.set()
        await poll.has_begun(2)
    assert poll.most_at_once == 1


async def test_asked_for_again_while_it_runs_a_job_runs_once_more_after_its_rest() -> None:
    poll = Work(lambda: None)
    poll.may_end.clear()
    async with running(Job("poll", poll, rest=MOMENT, at_least_every=HOUR)) as jobs:
        await poll.has_begun(1)
        jobs.soon("poll")
        jobs.soon("poll")
        ended = now()
        poll.may_end.set()
        await poll.has_begun(2)
    assert poll.began[1] >= ended + MOMENT
    assert len(poll.began) == 2


async def test_asked_for_twice_in_one_breath_a_job_runs_one_after_the_other() -> None:
    poll = Work()
    async with running(job(poll)) as jobs:
        await poll.has_begun(1)
        await turns()
        jobs.soon("poll")
        # After the scheduler handed the run over, and before it began.
        asyncio.get_running_loop().call_soon(jobs.soon, "poll")
        poll.may_end.clear()
        await poll.has_begun(2)
        await turns()
        assert poll.at_once == 1
        poll.may_end.set()
        await poll.has_begun(3)
    assert poll.most_at_once == 1


async def test_soon_wakes_a_job_that_would_sleep_for_an_hour() -> None:
    poll = Work()
    async with running(job(poll)) as jobs:
        await poll.has_begun(1)
        await turns()
        jobs.soon("poll")
        await poll.has_begun(2)


async def test_a_job_survives_a_fault_and_the_log_has_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(schedule, "AFTER_A_FAULT", MOMENT)

    def fails() -> datetime | None:
        raise ZeroDivisionError

    poll = Work(fails, lambda: None)
    async with running(job(poll)):
        await poll.has_begun(2)
    (said,) = [record for record in caplog.records if record.name == schedule.__name__]
    assert (said.getMessage(), said.__dict__["job"]) == ("job failed", "poll")
    assert said.exc_info is not None
    assert said.exc_info[0] is ZeroDivisionError


async def test_stop_waits_for_what_is_under_way() -> None:
    poll = Work()
    poll.may_end.clear()
    jobs = Schedule([job(poll)], now)
    jobs.start()
    await poll.has_begun(1)
    stopping = asyncio.create_task(jobs.stop())
    await turns()
    assert not stopping.done()
    poll.may_end.set()
    async with asyncio.timeout(20):
        await stopping
    assert (poll.ended, poll.at_once) == (1, 0)


async def test_nothing_begins_after_stop_was_said() -> None:
    slow, quick = Work(), Work(lambda: now() + MOMENT)
    slow.may_end.clear()
    jobs = Schedule([job(slow, "slow"), job(quick, "quick")], now)
    jobs.start()
    await slow.has_begun(1)
    await quick.has_begun(1)
    await turns()
    stopping = asyncio.create_task(jobs.stop())
    await turns()
    # The moment at which the quick one wanted to run goes by.
    await asyncio.sleep(2 * MOMENT.total_seconds())
    jobs.soon("quick")
    slow.may_end.set()
    await stopping
    await turns()
    assert (len(slow.began), len(quick.began)) == (1, 1)


async def test_a_schedule_says_which_jobs_can_be_asked_for() -> None:
    assert Schedule([job(Work()), job(Work(), "push")], now).names == {"poll", "push"}


async def test_a_clock_that_is_set_back_leaves_no_job_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "LOOK_AT_CLOCK", 0.01)
    work, back = Work(), NONE
    jobs = Schedule([job(work)], lambda: now() - back)
    jobs.start()
    await work.has_begun(1)
    # The job waits for an hour that now is a day away.
    back = timedelta(days=1)
    await work.has_begun(2)
    await jobs.stop()


async def test_a_trouble_that_passes_is_told_once_and_so_is_its_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(schedule, "AFTER_TROUBLE", MOMENT)

    def full() -> datetime | None:
        raise AggregatorError("The disk is full.")

    work = Work(full, full, full)
    jobs = Schedule([job(work)], now)
    with caplog.at_level("WARNING"):
        jobs.start()
        await work.has_begun(4)
        await jobs.stop()
    told = [(record.getMessage(), vars(record).get("reason")) for record in caplog.records]
    assert told == [("job failed", "The disk is full."), ("job works again", None)]
    assert all(record.exc_info is None for record in caplog.records)


async def test_a_job_that_hangs_is_cancelled_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "GRACE", 0.01)
    work = Work()
    work.may_end.clear()
    jobs = Schedule([job(work)], now)
    jobs.start()
    await work.has_begun(1)
    async with asyncio.timeout(5):
        await jobs.stop()
    assert work.ended == 1
