"""Lines to PostgreSQL: a connection of its own on which a process hears notices and holds locks.

A lock that a line holds is free again the moment its process dies, so nobody has to guess who lives.
A line goes around no pool of transactions (pgbouncer's transaction mode): it would hear nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aggregator.store.database import Database, StoreAway
from aggregator.store.dialects import LOCKS
from aggregator.store.notices import ALL, CHANNEL, LOST

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)

#: So long a lost line waits before it is tried anew.
PAUSE = timedelta(seconds=1)
#: Who waits for a lock tries so often.
STANDBY = timedelta(seconds=2)
#: A line on which nothing came for so long is tested.
SILENCE = timedelta(seconds=5)


#: What lets the server find out within some fifteen seconds that the machine at the other end is gone, and
#: let go of its locks.
_GONE = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 3, "tcp_keepalives_count": 3}


class Line:
    """A connection that lives as long as whoever opened it."""

    def __init__(self, database: Database, connection: psycopg.AsyncConnection) -> None:
        self._database = database
        self._connection = connection

    async def take(self, lock: str) -> bool:
        """Take a lock of `LOCKS` for as long as this line lasts; False where somebody else has it.

        Raises:
            StoreAway: the line is lost.
        """
        with _explained(self._database):
            asked = await self._connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCKS[lock]])
            row = await asked.fetchone()
        return bool(row and row[0])

    async def hear(self, patience: timedelta = SILENCE) -> list[str]:
        """The notices that came, or none after so long.

        Raises:
            StoreAway: the line is lost.
        """
        with _explained(self._database):
            coming = self._connection.notifies(timeout=patience.total_seconds(), stop_after=1)
            heard = [notice.payload async for notice in coming]
            if not heard:
                await self._connection.execute("SELECT 1")
        return heard


@contextlib.asynccontextmanager
async def opened(database: Database) -> AsyncIterator[Line]:
    """A line to the database, which is on PostgreSQL.

    Raises:
        StoreAway: it does not answer.
    """
    from psycopg import AsyncConnection

    with _explained(database):
        connection = await AsyncConnection.connect(database.conninfo, autocommit=True)
    try:
        with _explained(database):
            for setting, value in _GONE.items():
                await connection.execute(f"SET {setting} = {value}")
            await connection.execute(f"LISTEN {CHANNEL}")
        yield Line(database, connection)
    finally:
        await connection.close()


async def follow(database: Database, hear: Callable[[str], None]) -> None:
    """Hear every notice until cancelled, over as many lines as that takes.

    After each beginning `ALL` is heard, since anything may have been told before, and `LOST` after each end.
    """
    while True:
        try:
            async with opened(database) as line:
                hear(ALL)
                while True:
                    for notice in await line.hear():
                        hear(notice)
        except StoreAway as error:
            hear(LOST)
            log.warning("notices are not heard", extra={"reason": str(error)})
            await asyncio.sleep(PAUSE.total_seconds())


async def hold(
    database: Database,
    lock: str,
    work: Callable[[], Coroutine[Any, Any, None]],
    hear: Callable[[str], None] = lambda _: None,
) -> None:
    """Do `work` for as long as this process holds a lock of `LOCKS`, and wait for it while another does.

    Where the line is lost, so is the lock: the work is cancelled, and taken up when the lock is ours again.
    Meanwhile `hear` is called with every notice.
    """
    while True:
        try:
            async with opened(database) as line:
                while not await line.take(lock):
                    await _stand_by(line)
                await _while_held(line, work, hear)
        except StoreAway as error:
            log.warning("lock lost", extra={"lock": lock, "reason": str(error)})
            await asyncio.sleep(PAUSE.total_seconds())


async def _stand_by(line: Line) -> None:
    """Wait for a while; what is told goes by."""
    loop = asyncio.get_running_loop()
    end = loop.time() + STANDBY.total_seconds()
    while (left := end - loop.time()) > 0:
        await line.hear(timedelta(seconds=left))


async def _while_held(
    line: Line, work: Callable[[], Coroutine[Any, Any, None]], hear: Callable[[str], None]
) -> None:
    async def listen() -> None:
        while True:
            for notice in await line.hear():
                hear(notice)

    working, listening = asyncio.create_task(work()), asyncio.create_task(listen())
    try:
        done, _ = await asyncio.wait({working, listening}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (working, listening):
            task.cancel()
        await asyncio.gather(working, listening, return_exceptions=True)


@contextlib.contextmanager
def _explained(database: Database) -> Iterator[None]:
    from psycopg import Error

    try:
        yield
    except (Error, OSError) as error:
        said = str(error).strip().partition("\n")[0]
        raise StoreAway(f"{database.name} does not answer ({said}).") from error
