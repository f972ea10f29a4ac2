"""How the flows of an `App` are started by one process, and how processes ask one another for jobs.

`queued` starts them through the queue. The tables know what is left to do: a job that is lost, doubled
or late changes nothing but when it is done.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from aggregator.app import App, Clients
from aggregator.flows import ingest, moves, upkeep
from aggregator.flows.clock import look_at_clock
from aggregator.flows.looking import Looker
from aggregator.store import lines, notices
from aggregator.store.database import Database, StoreError
from aggregator.work.jobs import Job
from aggregator.work.schedule import Schedule

#: How often what is not driven by due times is looked at.
RENDER_EVERY = timedelta(seconds=5)
#: Stories that come one after the other are digested together, and wait no longer than this for one another.
DIGEST_REST = timedelta(milliseconds=200)
PUSH_EVERY = timedelta(seconds=2)
UPKEEP_EVERY = timedelta(hours=6)
ALARMS_EVERY = timedelta(minutes=5)


def inline(app: App, clients: Clients) -> Schedule:
    """The jobs of a process that does everything."""
    looker = Looker.of(app.settings.fetch)
    #: Sources that could not be given back, since the store took nothing.
    owed: set[int] = set()

    def news() -> None:
        # Whatever else is under way, what came is found by a search at once.
        jobs.soon("search")
        jobs.soon("digest")

    async def sweep() -> datetime | None:
        found, due = await ingest.poll_due(
            app.database, clients.fetching, app.clock, app.settings.fetch, on_news=news, owed=owed
        )
        if any(found.failed[kind] for kind in moves.LOST):
            jobs.soon("moves")
        return due

    async def digest() -> datetime | None:
        rendered = await app.digest()
        if any(each.is_new for each in rendered):
            jobs.soon("push")
        return None

    async def see_clock() -> datetime | None:
        if await look_at_clock(app.database, app.clock):
            jobs.soon("poll")
            jobs.soon("push")
        return None

    jobs = Schedule(
        [
            Job("clock", see_clock),
            Job("poll", sweep),
            Job("search", _run(partial(upkeep.index_search, app.database)), at_least_every=RENDER_EVERY),
            Job("digest", digest, rest=DIGEST_REST, at_least_every=RENDER_EVERY),
            Job("push", _run(partial(app.push, clients.pushing)), at_least_every=PUSH_EVERY),
            Job("alarms", _run(app.watch), at_least_every=ALARMS_EVERY),
            Job("upkeep", _run(app.keep), at_least_every=UPKEEP_EVERY),
            Job("moves", _run(partial(app.look_for_lost, looker)), at_least_every=UPKEEP_EVERY),
        ],
        app.clock,
    )
    return jobs


def heed(jobs: Schedule, notice: str) -> None:
    """Run soon what a notice asks for."""
    name = notice.removeprefix(notices.SOON)
    if notice.startswith(notices.SOON) and name in jobs.names:
        jobs.soon(name)


class Telling:
    """Asks for jobs of whatever process schedules, by notices."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._telling: set[asyncio.Task[None]] = set()

    def soon(self, job: str) -> None:
        """Let a job run soon; where nobody hears it, it runs when the tables say so."""
        task = asyncio.create_task(self._tell(notices.SOON + job))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, notice: str) -> None:
        with contextlib.suppress(StoreError):
            await self._app.database.write(partial(notices.tell, notice=notice))


@contextlib.asynccontextmanager
async def hearing(database: Database, hear: Callable[[str], None]) -> AsyncIterator[None]:
    """Call `hear`, within the event loop, with each notice of the database's writers: see `store.notices`."""
    if database.is_sqlite:
        loop = asyncio.get_running_loop()
        end = database.hear(lambda notice: loop.call_soon_threadsafe(hear, notice))
        try:
            yield
        finally:
            end()
        return
    following = asyncio.create_task(lines.follow(database, hear))
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


def _run(work: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[datetime | None]]:
    """Work of which nobody knows when it is due again."""

    async def run() -> datetime | None:
        await work()
        return None

    return run
