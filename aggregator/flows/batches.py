"""What fetches found is written many results at a time: a round of 304s costs a few transactions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from functools import partial

from sqlmodel import Session

from aggregator import measures
from aggregator.flows import recording
from aggregator.model import FetchReport, Outcome, Recorded, SourceDue
from aggregator.store import claims, fetches, push_sources
from aggregator.store.database import Database, StoreAway, StoreError, StoreLocked

log = logging.getLogger(__name__)

#: Results that go into one transaction at most, and those among them that bring something to read.
BATCH, BATCH_READ = 500, 200
#: So long a result waits for others to be written with it, and what brings nothing to read a little
#: longer; the end of a round waits for nothing.
GATHERING, GATHERING_UNCHANGED = timedelta(milliseconds=200), timedelta(seconds=1)

#: So long what was fetched waits for a server that does not answer, or a program that has the database.
AWAY = timedelta(seconds=60)

#: A fetch that is done, ready to be recorded.
Result = tuple[SourceDue, FetchReport]


async def record_all(
    database: Database,
    results: asyncio.Queue[Result | None],
    note: Callable[[SourceDue, FetchReport, Recorded], None],
    settle: fetches.Settle,
) -> None:
    """Write results as they come, many in one transaction."""
    is_open = True
    while is_open:
        batch = await _gather(results)
        pairs = [pair for pair in batch if pair is not None]
        is_open = len(pairs) == len(batch)
        if pairs:
            done = await _written(database, partial(_record, pairs=pairs, settle=settle))
            for (source, report), recorded in zip(pairs, done, strict=True):
                count(report, recorded)
                note(source, report, recorded)


def count(report: FetchReport, done: Recorded) -> None:
    """Count what was recorded, for whoever watches the service."""
    measures.FETCHES.add(report.outcome.value, report.failure_kind or "")
    for change, stories in (("new", done.new), ("changed", done.changed), ("withdrawn", done.withdrawn)):
        if stories:
            measures.STORIES.add(change, by=stories)
    if report.outcome in (Outcome.PUSHED, Outcome.AGAIN):
        return
    measures.FETCH_SECONDS.observe(report.seconds)
    measures.FETCHED_BYTES.add(by=report.body_bytes)


async def give_back(database: Database, sources: Collection[int], owed: set[int] | None) -> None:
    """Give claims back. Where the store takes nothing they are `owed`, to be given back before the next are taken."""
    try:
        await database.write(lambda session: claims.release(session, list(sources)))
    except StoreError:
        if owed is None:
            raise
        owed.update(sources)


async def _written(database: Database, work: Callable[[Session], list[Recorded]]) -> list[Recorded]:
    """Write while the server is away for a while, or another program has it: what was fetched is not lost.

    A write of which nobody knows whether it was kept is made again: recording twice keeps nothing twice.
    """
    end = asyncio.get_running_loop().time() + AWAY.total_seconds()
    while True:
        try:
            return await database.write(work)
        except (StoreAway, StoreLocked) as error:
            if asyncio.get_running_loop().time() > end:
                raise
            log.warning("what was fetched waits for the database", extra={"reason": str(error)})
            await asyncio.sleep(1)


def _record(session: Session, pairs: Sequence[Result], settle: fetches.Settle) -> list[Recorded]:
    done = recording.record(session, [report for _, report in pairs], settle)
    found = zip(pairs, done, strict=True)
    missed = [
        (report.source_id, report.at) for (source, report), d in found if source.paced.is_pushed and d.new
    ]
    push_sources.distrust(session, missed)
    return done


async def _gather(results: asyncio.Queue[Result | None]) -> list[Result | None]:
    """The next results: a batch of them, or what has come by the time that the first has waited for."""
    loop = asyncio.get_running_loop()
    batch = [await results.get()]
    end = loop.time() + GATHERING_UNCHANGED.total_seconds()
    read = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(end) as patience:
            while (last := batch[-1]) is not None:
                if last[1].outcome is Outcome.FETCHED:
                    read += 1
                    if read == 1:
                        patience.reschedule(min(end, loop.time() + GATHERING.total_seconds()))
                if len(batch) >= BATCH or read >= BATCH_READ:
                    break
                batch.append(await results.get())
    return batch
