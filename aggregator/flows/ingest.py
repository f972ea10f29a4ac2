"""Due sources are fetched, read and stored: one bad feed does not stop a round, a bug does.

`poll` draws the flow: fetch (concurrently, few a host) -> read (on a thread) -> record (many
results in one transaction). What was fetched is recorded even when the round is interrupted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import httpx
from sqlmodel import Session

from aggregator.flows import outages, recording
from aggregator.flows.pacing import asked_of, failed, settle_with
from aggregator.flows.places import Quiet, place_at
from aggregator.model import Clock, FetchReport, Outcome, Recorded, SourceDue
from aggregator.rules.cadence import Cadences
from aggregator.rules.evidence import evidence_of
from aggregator.rules.polling import why_whole
from aggregator.rules.stories import read_stories
from aggregator.store import fetches, push_sources, sources
from aggregator.store.database import Database
from aggregator.written import Duration
from feeds.errors import FailureKind, FetchError, ParseError
from feeds.http import Fetched, Limits, NotModified, Validators, fetch, make_client
from feeds.model import Feed, Origin
from feeds.read import parse
from feeds.urls import host_of
from feeds.websub import discover

log = logging.getLogger(__name__)

# Feeds are read by Python, which reads one at a time however many threads there are. More would only
# keep the event loop from its turn, and more feeds in memory.
_READING = ThreadPoolExecutor(1, "read")

#: Results that go into one transaction at most.
BATCH = 200
#: So long a result waits for others to be written with it; the end of a round waits for nothing.
GATHERING = timedelta(milliseconds=200)
#: Fetches under way and results that wait to be written, at most: memory stays bounded.
MOST_AT_ONCE = 5 * BATCH
#: A sweep begins no request after so long: what is left is ranked anew, with what has become due.
SWEEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """How feeds are asked for."""

    #: Requests under way at once, over all hosts.
    concurrency: int = 50
    #: Requests under way at one host.
    per_host: int = 2
    #: The whole of one fetch, redirects and body included.
    timeout: Duration = timedelta(seconds=30)
    #: The decoded body, in bytes; more is refused.
    body_bytes: int = 10 * 1024 * 1024
    #: Follow feeds on private addresses and this machine too.
    private_networks: bool = False
    #: How we introduce ourselves; say where you can be reached.
    user_agent: str = "wirebrief/0.1 (feed aggregator)"
    #: A claim that was not recorded after this time is free again.
    lease: Duration = timedelta(minutes=10)
    #: Validators are dropped after so long: some servers answer 304 for ever.
    whole_after: Duration = timedelta(days=8)
    #: A feed is followed where it has moved once its permanent redirects have held for so long.
    move_after: Duration = timedelta(days=7)
    cadence: Cadences = field(default_factory=Cadences)

    @property
    def limits(self) -> Limits:
        """What the library needs to know of this."""
        return Limits(total=self.timeout, body_bytes=self.body_bytes)


@dataclass(slots=True)
class Round:
    """What a poll did."""

    sources: int = 0
    #: Answered 304, or with the same bytes.
    unchanged: int = 0
    #: Stories not seen before.
    new: int = 0
    #: Stories with a new version.
    changed: int = 0
    #: Stories that their feeds took back, or put back.
    withdrawn: int = 0
    #: Failures by kind.
    failed: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, report: FetchReport, done: Recorded) -> None:
        """Count one recorded fetch."""
        self.sources += 1
        self.unchanged += report.outcome is Outcome.UNCHANGED
        self.new += done.new
        self.changed += done.changed
        self.withdrawn += done.withdrawn
        if report.failure_kind:
            self.failed[report.failure_kind] += 1


OnDone = Callable[[SourceDue, FetchReport], None]

#: A fetch that is done, ready to be recorded.
_Result = tuple[SourceDue, FetchReport]


@contextlib.asynccontextmanager
async def client_for(settings: FetchSettings) -> AsyncIterator[httpx.AsyncClient]:
    """The HTTP client of a process."""
    async with make_client(
        user_agent=settings.user_agent,
        private_networks=settings.private_networks,
        connections=settings.concurrency,
    ) as client:
        yield client


async def poll(
    database: Database,
    client: httpx.AsyncClient,
    clock: Clock,
    settings: FetchSettings,
    due: Sequence[SourceDue],
    *,
    on_done: OnDone | None = None,
    within: timedelta | None = None,
    even_waiting: bool = False,
) -> Round:
    """Fetch these sources, which the caller has claimed, and record what they say.

    Once a domain answers 429, the rest of it is left for later, unless `even_waiting` says to ask it all
    the same. Nothing new is begun after `within`. Then, and when it is interrupted, it records what has been
    fetched and gives the other claims back.
    """
    begun = clock()
    found = Round()
    results: asyncio.Queue[_Result | None] = asyncio.Queue()
    weather = outages.Round(results.put_nowait)
    room = asyncio.Semaphore(MOST_AT_ONCE)
    left = {source.id for source in due}

    def note(source: SourceDue, report: FetchReport, done: Recorded) -> None:
        left.discard(source.id)
        room.release()
        found.add(report, done)
        if on_done is not None:
            on_done(source, report)

    def keep(result: _Result) -> None:
        if not weather.take(*result):
            # What is held back must not keep others from being fetched.
            room.release()

    until = None if within is None else asyncio.get_running_loop().time() + within.total_seconds()
    fetching = asyncio.create_task(
        _fetch_all(client, clock, settings, due, room, keep, until, Quiet(is_heeded=not even_waiting))
    )
    settle = settle_with({source.id: source for source in due}, settings.cadence)
    writer = asyncio.create_task(_record_all(database, results, note, settle))
    # A writer that ends before it is told to is broken: what cannot be kept need not be fetched.
    writer.add_done_callback(lambda _: fetching.cancel())
    try:
        await fetching
    finally:
        try:
            await _end(weather, database, clock, results, writer)
        finally:
            if left:
                await database.write(lambda session: sources.release(session, list(left)))
    found.seconds = (clock() - begun).total_seconds()
    return found


async def _end(
    weather: outages.Round,
    database: Database,
    clock: Clock,
    results: asyncio.Queue[_Result | None],
    writer: asyncio.Task[None],
) -> None:
    """Hand on what was held back, tell the writer that nothing more comes, and let it end."""
    try:
        await weather.end(database, clock())
    finally:
        results.put_nowait(None)
        await asyncio.shield(writer)


async def poll_due(
    database: Database, client: httpx.AsyncClient, clock: Clock, settings: FetchSettings, *, limit: int = 1000
) -> tuple[Round, datetime | None]:
    """One sweep of what is due; with it, when the next source will be."""
    now = clock()
    due = await database.write(
        lambda session: sources.claim_due(session, now, limit=limit, lease=settings.lease)
    )
    found = await poll(database, client, clock, settings, due, within=SWEEP)
    return found, await database.read(sources.earliest_due)


async def refresh_source(
    client: httpx.AsyncClient, clock: Clock, settings: FetchSettings, source: SourceDue
) -> FetchReport:
    """One fetch of one source, read and identified; failures are reports too."""
    begun = clock()
    whole = why_whole(source, begun, after=settings.whole_after)
    known = Validators() if whole else Validators(etag=source.etag, last_modified=source.last_modified)
    try:
        answer = await fetch(client, source.url, validators=known, limits=settings.limits)
        report = await _report(answer, clock, settings, source)
        return replace(report, why="; ".join(filter(None, (report.why, whole))))
    except FetchError as error:
        log.info("fetch failed", extra={"url": source.url, "kind": error.kind.value, "status": error.status})
        return failed(error, clock(), begun, settings.cadence, source)


async def _fetch_all(
    client: httpx.AsyncClient,
    clock: Clock,
    settings: FetchSettings,
    due: Sequence[SourceDue],
    room: asyncio.Semaphore,
    keep: Callable[[_Result], None],
    until: float | None,
    quiet: Quiet,
) -> None:
    overall = asyncio.Semaphore(settings.concurrency)
    loop = asyncio.get_running_loop()

    async def one(source: SourceDue) -> None:
        # The host first: waiting for a busy host must not take a place from another.
        async with place_at(host_of(source.url), most=settings.per_host):
            if not await quiet.is_over(source.url):
                return
            async with overall:
                # One slow host with hundreds of feeds must not keep all others from their next turn.
                if until is not None and loop.time() > until:
                    return
                await room.acquire()
                report = await refresh_source(client, clock, settings, source)
                # Nothing stands between the two, so what was fetched is kept even when this is cancelled.
                quiet.note(report)
                keep((source, report))

    tasks = [asyncio.create_task(one(source)) for source in due]
    try:
        for task in asyncio.as_completed(tasks):
            await task
    finally:
        for pending in tasks:
            pending.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _record_all(
    database: Database,
    results: asyncio.Queue[_Result | None],
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
            done = await database.write(partial(_record, pairs=pairs, settle=settle))
            for (source, report), recorded in zip(pairs, done, strict=True):
                note(source, report, recorded)


def _record(session: Session, pairs: Sequence[_Result], settle: fetches.Settle) -> list[Recorded]:
    done = recording.record(session, [report for _, report in pairs], settle)
    found = zip(pairs, done, strict=True)
    missed = [
        (report.source_id, report.at) for (source, report), d in found if source.paced.is_pushed and d.new
    ]
    push_sources.distrust(session, missed)
    return done


async def _gather(results: asyncio.Queue[_Result | None]) -> list[_Result | None]:
    """The next results: a batch of them, or what has come by the time that the first has waited for."""
    batch = [await results.get()]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GATHERING.total_seconds()):
            while batch[-1] is not None and len(batch) < BATCH:
                batch.append(await results.get())
    return batch


async def _report(
    answer: Fetched | NotModified, clock: Clock, settings: FetchSettings, source: SourceDue
) -> FetchReport:
    now = clock()
    base = FetchReport(
        source_id=source.id,
        at=now,
        outcome=Outcome.UNCHANGED,
        # That is settled once it is known what of it is new.
        next_due=now,
        why="",
        seconds=answer.elapsed.total_seconds(),
        final_url=answer.url,
        etag=answer.validators.etag,
        last_modified=answer.validators.last_modified,
        asked=asked_of(answer, source, now, after=settings.move_after),
    )
    match answer:
        case NotModified():
            return replace(base, status=304, why="nothing new (304)")
        case Fetched() if answer.digest == source.digest:
            return replace(
                base,
                status=answer.status,
                body_bytes=len(answer.body),
                why="the same bytes as before",
            )
        case _:
            turn = asyncio.get_running_loop().run_in_executor
            return await turn(_READING, _read, answer, base, source)


def _read(answer: Fetched, base: FetchReport, source: SourceDue) -> FetchReport:
    try:
        feed = parse(answer.body, content_type=answer.content_type, base_url=answer.url)
    except ParseError as error:
        raise FetchError(
            str(error), url=answer.url, kind=FailureKind.NOT_A_FEED, status=answer.status
        ) from error
    drafts = read_stories(feed, source_url=source.url, language=source.language, identity=source.identity)
    return replace(
        base,
        outcome=Outcome.FETCHED,
        status=answer.status,
        body_bytes=len(answer.body),
        # What of it was new is known, and said, when it is recorded.
        why="; ".join(feed.problems),
        entries=len(feed.entries),
        evidence=evidence_of(
            answer.body, content_type=answer.content_type, base_url=answer.url, digest=answer.digest
        ),
        digest=answer.digest,
        origin=_origin(feed),
        title=feed.title if not source.title else None,
        site_url=feed.url if not source.site_url else None,
        hubs=discover(feed.links, answer.headers.get("link"), base_url=answer.url),
        drafts=drafts,
        tombstones=feed.tombstones,
    )


def _origin(feed: Feed) -> Origin:
    return Origin(
        id=feed.id,
        title=feed.title,
        links=feed.links,
        updated=feed.updated,
        rights=feed.rights,
        language=feed.language,
        authors=feed.authors,
        icon=feed.icon,
    )
