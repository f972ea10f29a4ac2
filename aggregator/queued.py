"""The flows of an `App` through the queue: some processes work, one says what is due.

The names of jobs are those of `dispatch`, where that has the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from aggregator import measures
from aggregator.app import App, Clients
from aggregator.dispatch import (
    ALARMS_EVERY,
    DIGEST_REST,
    PUSH_EVERY,
    RENDER_EVERY,
    UPKEEP_EVERY,
    heed,
)
from aggregator.errors import BadInput
from aggregator.flows import ingest, moves, upkeep
from aggregator.flows.clock import look_at_clock
from aggregator.flows.looking import Looker
from aggregator.store import claims, lines, notices, queue_tables
from aggregator.work.jobs import Job
from aggregator.work.schedule import Schedule

if TYPE_CHECKING:
    from aggregator.work.queue import Call, Queue, Task, Wanted

log = logging.getLogger(__name__)

#: Channels are looked at so often though nothing is told of them: entries grow too old.
CHANNELS_EVERY = timedelta(minutes=1)

#: Sources that one sweep of several has; and sweeps that wait at most, whatever is due.
SWEEP, MOST_SWEEPS = 500, 64

#: The queue of what takes long, a minute for a sweep: no editor waits behind that for a place.
SWEEPING = "sweeping"
#: The queue whose jobs keep much in memory: one worker has it for as long as it lives.
READING = "reading"


def require_many(app: App) -> None:
    """Refuse a database that one machine has to itself.

    Raises:
        BadInput: it is SQLite, or what the queue needs is not installed.
    """
    if app.database.is_sqlite:
        raise BadInput(
            f"{app.database.name} is for one machine, where `wirebrief run` does everything. Several "
            "processes need PostgreSQL: see docs/scaling.md, and `wirebrief migrate` to move there."
        )
    try:
        import procrastinate  # noqa: F401
    except ModuleNotFoundError as error:
        raise BadInput("The queue needs procrastinate: install wirebrief[postgresql].") from error


@contextlib.asynccontextmanager
async def queue_of(app: App) -> AsyncIterator[Queue]:
    """The queue of an application, its tables made.

    Raises:
        BadInput: there can be none on this database.
    """
    require_many(app)
    from aggregator.work.queue import Queue, schema_sql, schema_version

    await asyncio.to_thread(queue_tables.prepare, app.database, schema_sql(), schema_version())
    settings = app.settings.work
    queue = Queue(app.database.conninfo, queue_tables.QUEUE, stalled=settings.stalled, jobs=settings.jobs)
    async with queue.opened():
        yield queue


async def work(app: App) -> None:
    """Take jobs from the queue until cancelled.

    Raises:
        BadInput: there is no queue on this database.
    """
    async with queue_of(app) as queue, app.clients() as clients:
        queue.offer(tasks_of(app, clients, queue))
        reading = lines.hold(app.database, READING, lambda: queue.work(READING, jobs=1))
        await _together(queue.work(), queue.work(SWEEPING), reading)


async def schedule(app: App, *, say: Callable[[str], None]) -> None:
    """Put jobs into the queue for as long as nobody else does, until cancelled.

    Raises:
        BadInput: there is no queue on this database.
    """
    async with queue_of(app) as queue, app.clients() as clients:
        queue.offer(tasks_of(app, clients, queue))
        putting = _Putting(app, queue)

        async def lead() -> None:
            say("At work: this process schedules.")
            measures.SCHEDULES.set(1)
            try:
                await putting.run()
            finally:
                measures.SCHEDULES.set(0)

        await lines.hold(app.database, "schedule", lead, putting.hear)


async def _together(*work: Coroutine[Any, Any, None]) -> None:
    async with asyncio.TaskGroup() as group:
        for one in work:
            group.create_task(one)


def tasks_of(app: App, clients: Clients, queue: Queue) -> list[Task]:
    """What a worker can be asked to do."""
    from aggregator.work.queue import Task

    looker = Looker.of(app.settings.fetch)
    news = _Asking(queue, [("search", ""), ("reading", "")])

    async def sweep(call: Call) -> None:
        # Only while it finds something: what others hold is theirs.
        end = asyncio.get_running_loop().time() + ingest.SWEEP.total_seconds()
        while asyncio.get_running_loop().time() < end:
            found = await ingest.sweep(
                app.database,
                clients.fetching,
                app.clock,
                app.settings.fetch,
                limit=SWEEP,
                holder=call.job,
                on_news=news.ask,
            )
            if any(found.failed[kind] for kind in moves.LOST):
                await queue.put([("moves", "")])
            if not found.sources:
                return

    async def search(_: Call) -> None:
        await upkeep.index_search(app.database)

    async def release(_: Call) -> None:
        if await app.release():
            await queue.put(await _channels(app))

    async def reading(_: Call) -> None:
        await app.match_topics()
        await queue.put(await _channels(app))
        await app.read_news()
        await queue.put([*await _channels(app), *await _briefs(app)])

    async def brief(call: Call) -> None:
        await app.suggest(int(call.key))

    async def channel(call: Call) -> None:
        if await app.render(call.key):
            await queue.put([("push", "")])

    async def push(_: Call) -> None:
        await app.tell_partners()
        await app.push(clients.pushing)

    async def alarms(_: Call) -> None:
        await app.watch()

    async def keep(_: Call) -> None:
        await app.keep()

    async def look(_: Call) -> None:
        await app.look_for_lost(looker)

    return [
        # What editors wait for comes before what the wire brings.
        Task("release", release, priority=3),
        Task("channel", channel, priority=3),
        Task("search", search, priority=2),
        Task("brief", brief, priority=2),
        Task("push", push, priority=2),
        Task("reading", reading, queue=READING),
        Task("sweep", sweep, queue=SWEEPING, priority=1),
        Task("alarms", alarms, queue=SWEEPING, priority=1),
        Task("upkeep", keep, queue=SWEEPING),
        Task("moves", look, queue=SWEEPING),
    ]


async def _channels(app: App) -> list[Wanted]:
    return [("channel", channel.slug) for channel in (await app.catalogue()).channels]


async def _briefs(app: App) -> list[Wanted]:
    return [("brief", str(brief)) for brief in await app.briefs_behind()]


class _Asking:
    """Asks for jobs from where nobody can wait for it, and not again while it does so."""

    def __init__(self, queue: Queue, wanted: Iterable[Wanted]) -> None:
        self._queue = queue
        self._wanted = list(wanted)
        self._asking: asyncio.Task[None] | None = None
        self._is_asked_again = False

    def ask(self) -> None:
        if self._asking is not None and not self._asking.done():
            self._is_asked_again = True
            return
        self._asking = asyncio.create_task(self._put())

    async def _put(self) -> None:
        from aggregator.work.queue import QueueError

        while True:
            self._is_asked_again = False
            # Where it cannot be asked, the schedule finds what is left to do.
            with contextlib.suppress(QueueError):
                await self._queue.put(self._wanted)
            await asyncio.sleep(DIGEST_REST.total_seconds())
            if not self._is_asked_again:
                return


class _Putting:
    """What the schedule does: it looks what is due, puts jobs for it, and buries those of dead workers."""

    def __init__(self, app: App, queue: Queue) -> None:
        self._app = app
        self._queue = queue
        self._jobs: Schedule | None = None
        self._looks_at_dead = 0

    def hear(self, notice: str) -> None:
        """Put soon what a notice asks for."""
        if self._jobs is None:
            return
        heed(self._jobs, notice)
        if notice in (notices.DEFINITIONS, f"{notices.SOON}digest"):
            self._jobs.soon("digest")
            self._jobs.soon("channels")

    async def run(self) -> None:
        """Put jobs until cancelled."""
        app, put = self._app, self._put_all
        jobs = Schedule(
            [
                Job("clock", self._see_clock),
                Job("poll", self._sweeps),
                Job("digest", self._digest, rest=DIGEST_REST, at_least_every=RENDER_EVERY),
                Job("channels", put(lambda: _channels(app)), at_least_every=CHANNELS_EVERY),
                Job("push", put(_only("push")), at_least_every=PUSH_EVERY),
                Job("alarms", put(_only("alarms")), at_least_every=ALARMS_EVERY),
                Job("upkeep", put(_only("upkeep")), at_least_every=UPKEEP_EVERY),
                Job("moves", put(_only("moves")), at_least_every=UPKEEP_EVERY),
                Job("dead", self._bury, at_least_every=app.settings.work.stalled / 4),
            ],
            app.clock,
        )
        # A process that waited may find all workers dead because the database was: they get time to speak up.
        self._looks_at_dead = 0
        self._jobs = jobs
        jobs.start()
        try:
            await asyncio.Event().wait()
        finally:
            self._jobs = None
            await jobs.stop()

    async def _sweeps(self) -> datetime | None:
        """As many sweeps as what is due asks for."""
        most = SWEEP * MOST_SWEEPS
        now = self._app.clock()
        due = await self._app.database.read(partial(claims.count_due, now=now, most=most))
        await self._queue.put(("sweep", str(number)) for number in range(-(-due // SWEEP)))
        earliest: datetime | None = await self._app.database.read(claims.earliest_due)
        return earliest

    async def _see_clock(self) -> datetime | None:
        if await look_at_clock(self._app.database, self._app.clock) and self._jobs is not None:
            self._jobs.soon("poll")
        return None

    async def _digest(self) -> datetime | None:
        wanted = await self._app.to_digest()
        await self._queue.put([*((name, "") for name in wanted), *await _briefs(self._app)])
        return None

    async def _bury(self) -> datetime | None:
        """Give back what the dead held, then take their jobs out, so that they are put again."""
        dead = await self._queue.dead()
        self._looks_at_dead += 1
        # Four looks are as long as a worker may be silent.
        if dead and self._looks_at_dead > 4:
            given_back = await self._app.database.write(partial(claims.release_held, holders=dead))
            await self._queue.bury(dead)
            log.warning("worker died", extra={"jobs": len(dead), "sources_given_back": given_back})
        return None

    def _put_all(
        self, wanted: Callable[[], Awaitable[list[Wanted]]]
    ) -> Callable[[], Awaitable[datetime | None]]:
        async def put() -> datetime | None:
            await self._queue.put(await wanted())
            return None

        return put


def _only(name: str) -> Callable[[], Awaitable[list[Wanted]]]:
    async def wanted() -> list[Wanted]:
        return [(name, "")]

    return wanted
