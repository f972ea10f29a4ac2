"""A week in minutes: event loops whose clock jumps, and a network that is a function of source and time.

Each simulated worker has an event loop of its own, as a process has, and runs the product's own code:
claims, polls, rules, records and a real database. Only the time, the queue and the bytes on the wire
are simulated. Time stands still while a thread works, so a database is never late for want of a processor.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
from array import array
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import event

from aggregator.flows import ingest
from aggregator.flows.ingest import FetchSettings, Round
from aggregator.store import claims
from aggregator.store.database import Database
from tests.flows.simulated_network import Network, client_of

#: So many sweeps wait at most (`aggregator.dispatch`).
MOST_SWEEPS = 64


class Time:
    """The time that all simulated event loops share."""

    def __init__(self) -> None:
        #: Seconds since the beginning.
        self.now = 0.0
        #: Calls that threads have under way: meanwhile the time stands still.
        self.working = 0
        self.stirred = threading.Event()
        self._timers: list[tuple[float, int, asyncio.TimerHandle, Loop]] = []
        self._number = count()

    def plan(self, handle: asyncio.TimerHandle, loop: Loop) -> None:
        """Something is to happen later."""
        heapq.heappush(self._timers, (handle.when(), next(self._number), handle, loop))

    def jump(self) -> bool:
        """Go to the next moment at which something happens; False where nothing ever does."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            return False
        self.now = max(self.now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self.now:
            heapq.heappop(self._timers)[3].has_turn = True
        return True


class Loop(asyncio.SelectorEventLoop):
    """An event loop that waits in simulated time. `run_all` turns several of them in one thread."""

    def __init__(self, time: Time) -> None:
        self._shared = time
        self.has_turn = False
        super().__init__()

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._shared.now

    def call_at(self, when: float, *args: Any, **more: Any) -> asyncio.TimerHandle:
        """Call something later."""
        handle = super().call_at(when, *args, **more)
        self._shared.plan(handle, self)
        return handle

    def call_soon(self, *args: Any, **more: Any) -> asyncio.Handle:
        """Call something at the next turn."""
        self.has_turn = True
        return super().call_soon(*args, **more)

    def call_soon_threadsafe(self, *args: Any, **more: Any) -> asyncio.Handle:
        """Call something at the next turn, from any thread."""
        handle = super().call_soon_threadsafe(*args, **more)
        # Only now, since a turn that began before may have missed it.
        self.has_turn = True
        self._shared.stirred.set()
        return handle

    def run_in_executor(self, executor: Executor | None, func: Any, *args: Any) -> asyncio.Future[Any]:
        """Call something on a thread; the time stands still until it has ended."""
        self._shared.working += 1
        called = super().run_in_executor(executor, func, *args)
        called.add_done_callback(self._done)
        return called

    def _done(self, _: object) -> None:
        self._shared.working -= 1

    def turn(self) -> None:
        """Run what is ready, once."""
        self.has_turn = False
        super().call_soon(self.stop)
        self.run_forever()


def run_all(time: Time, loops: Sequence[Loop], is_over: Callable[[], bool]) -> None:
    """Turn the loops until it is over, or nothing happens any more."""
    while True:
        time.stirred.clear()
        ready = [loop for loop in loops if loop.has_turn]
        for loop in ready:
            loop.turn()
        if ready:
            continue
        if time.working:
            time.stirred.wait()
        elif is_over() or not time.jump():
            return


@dataclass(slots=True)
class Watch:
    """What was asked when, against what was promised: by what went into the database, and over the wire."""

    network: Network
    #: A moment as seconds since the beginning.
    seconds: Callable[[datetime], float]
    per_host: int
    #: By source: when it is due, as it was recorded.
    promised: dict[int, float] = field(default_factory=dict)
    #: By domain: until when it is paused, as it was recorded.
    paused: dict[str, float] = field(default_factory=dict)
    lateness: array[float] = field(default_factory=lambda: array("f"))
    #: Requests before the source was due, and requests to a domain whose pause was recorded.
    early: list[str] = field(default_factory=list)
    in_pause: list[str] = field(default_factory=list)
    #: Requests that began between a 429 of their domain and its record.
    in_doubt: int = 0
    statements: Counter[str] = field(default_factory=Counter)
    most_at_a_host: int = 0
    crowded: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    _at_host: Counter[str] = field(default_factory=Counter)
    _under_way: set[int] = field(default_factory=set)

    def listen(self, database: Database) -> None:
        """Count what is asked of a database, and read there what is promised."""
        event.listen(database.engine, "before_cursor_execute", self._see)
        if database.is_sqlite:
            event.listen(database._reading, "before_cursor_execute", self._see)

    def begins(self, number: int, now: float) -> None:
        """A request begins."""
        feed = self.network.feeds[number]
        self._at_host[feed.host] += 1
        self.most_at_a_host = max(self.most_at_a_host, self._at_host[feed.host])
        said = f"{now:.2f} s: {feed.url}"
        if self._at_host[feed.host] > self.per_host:
            self.crowded.append(said)
        if number in self._under_way:
            self.twice.append(said)
        self._under_way.add(number)
        due, pause = self.promised[number], self.paused.get(feed.domain, 0.0)
        # PostgreSQL keeps microseconds.
        if now < due - 1e-4:
            self.early.append(f"{said} was due at {due:.2f}")
        if now < pause - 1e-4:
            self.in_pause.append(f"{said} is paused until {pause:.2f}")
        elif now < self.network.limited.get(feed.domain, 0.0):
            self.in_doubt += 1
        self.lateness.append(max(0.0, now - max(due, pause)))

    def ends(self, number: int) -> None:
        """A request ended."""
        self._at_host[self.network.feeds[number].host] -= 1
        self._under_way.discard(number)

    def overdue(self, now: float) -> list[float]:
        """How late those are that wait at the end."""
        waiting = self.promised.keys() - self._under_way
        due = (max(self.promised[n], self.paused.get(self.network.feeds[n].domain, 0.0)) for n in waiting)
        return [now - moment for moment in due if moment <= now]

    def _see(
        self, _connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, many: bool
    ) -> None:
        self.statements[f"{statement.split(None, 1)[0].lower()}{', many rows' if many else ''}"] += 1
        if statement.startswith("UPDATE source SET") and "next_due" in statement:
            for row in context.compiled_parameters:
                if row.get("to_gone_at") is not None:
                    self.promised.pop(row["source"] - 1, None)
                else:
                    self.promised[row["source"] - 1] = self.seconds(row["to_next_due"])
        elif statement.startswith("INSERT INTO host_pause"):
            (row,) = context.compiled_parameters
            for name in [name for name in row if name.startswith("domain")]:
                until = self.seconds(row[name.replace("domain", "until", 1)])
                self.paused[row[name]] = max(until, self.paused.get(row[name], 0.0))


class Desk:
    """Several workers and their schedule, as `aggregator.dispatch` has them; the queue is simulated."""

    def __init__(
        self,
        url: str,
        network: Network,
        *,
        start: datetime,
        workers: int,
        jobs: int,
        settings: FetchSettings,
        rest: float = 1.0,
        limit: int = 500,
        goes_on: bool = True,
    ) -> None:
        """A sweep takes up to `limit` sources. The schedule looks every `rest` seconds.

        A job `goes_on` sweeping while it finds something, or ends after one sweep.
        """
        self.time = Time()
        self.network = network
        self.watch = Watch(network, lambda at: (at - start).total_seconds(), settings.per_host)
        self.found: Counter[str] = Counter()
        self._start = start
        self._settings = settings
        self._rest = rest
        self._limit = limit
        self._goes_on = goes_on
        self._jobs = jobs
        self._databases = [Database(url) for _ in range(workers + 1)]
        self._loops = [Loop(self.time) for _ in self._databases]
        self._waiting: deque[str] = deque()
        self._running: set[str] = set()
        self._idle: list[asyncio.Future[None]] = []
        self._numbers = count(1)
        for database in self._databases:
            self.watch.listen(database)

    def clock(self) -> datetime:
        """The simulated time."""
        return self._start + timedelta(seconds=self.time.now)

    def run(self, seconds: float, *, is_over: Callable[[], bool] = lambda: False) -> None:
        """Let so much time pass, or less where it is over before."""
        tasks = list(self._begin())
        broken: list[asyncio.Task[None]] = []
        for task in tasks:
            task.add_done_callback(broken.append)
        run_all(self.time, self._loops, lambda: bool(broken) or self.time.now >= seconds or is_over())
        for task in tasks:
            task.cancel()
        run_all(self.time, self._loops, lambda: all(task.done() for task in tasks))
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error

    def close(self) -> None:
        """Let go of every loop and database."""
        for loop, database in zip(self._loops, self._databases, strict=True):
            loop.close()
            database.close()

    def _begin(self) -> Iterator[asyncio.Task[None]]:
        scheduling, *working = zip(self._loops, self._databases, strict=True)
        yield scheduling[0].create_task(self._schedule(scheduling[1]))
        for loop, database in working:
            client = client_of(self.network, self.watch, loop.time)
            for _ in range(self._jobs):
                yield loop.create_task(self._work(loop, partial(self._sweep, database, client)))

    async def _schedule(self, database: Database) -> None:
        while True:
            now = self.clock()
            due = await database.read(partial(claims.count_due, now=now, most=self._limit * MOST_SWEEPS))
            for number in range(-(-due // self._limit)):
                self._put(f"sweep:{number}")
            earliest = await database.read(claims.earliest_due)
            wait = 60.0 if earliest is None else (earliest - now).total_seconds()
            await asyncio.sleep(max(min(wait, 60.0), self._rest))

    def _put(self, key: str) -> None:
        if key not in self._waiting:
            self._waiting.append(key)
            self._wake()

    def _wake(self) -> None:
        if self._idle and any(key not in self._running for key in self._waiting):
            # Whoever has been idle for longest.
            idle = self._idle.pop(0)
            if not idle.done():
                idle.set_result(None)

    async def _work(self, loop: Loop, sweep: Callable[[int], Coroutine[Any, Any, Round]]) -> None:
        while True:
            key = next((key for key in self._waiting if key not in self._running), None)
            if key is None:
                idle = loop.create_future()
                self._idle.append(idle)
                await idle
                continue
            self._waiting.remove(key)
            self._running.add(key)
            try:
                await self._run_job(loop, sweep)
            finally:
                self._running.discard(key)
                self._wake()

    async def _run_job(self, loop: Loop, sweep: Callable[[int], Coroutine[Any, Any, Round]]) -> None:
        job, end = next(self._numbers), loop.time() + ingest.SWEEP.total_seconds()
        while loop.time() < end:
            found = await sweep(job)
            self.found.update(
                sweeps=1,
                fetches=found.sources,
                unchanged=found.unchanged,
                new=found.new,
                changed=found.changed,
                failed=sum(found.failed.values()),
            )
            if not (found.sources and self._goes_on):
                return

    async def _sweep(self, database: Database, client: Any, job: int) -> Round:
        return await ingest.sweep(database, client, self.clock, self._settings, limit=self._limit, holder=job)
