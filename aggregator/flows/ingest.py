"""Due sources are fetched, read and stored: one bad feed does not stop a round, a bug does.

`poll` draws the flow: fetch (concurrently, few a host) -> read (on a thread) -> record (many
results in one transaction). What was fetched is recorded even when the round is interrupted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import httpx

from aggregator.model import Clock, FetchReport, Outcome, Recorded, SourceDue
from aggregator.rules.cadence import Cadences, after_failure, after_success, in_words, weight
from aggregator.rules.stories import read_stories
from aggregator.store import fetches, sources
from aggregator.store.database import Database
from aggregator.written import Duration
from feeds.errors import FailureKind, FetchError, ParseError
from feeds.http import Fetched, Limits, NotModified, Validators, fetch, make_client
from feeds.model import Feed, Origin
from feeds.read import parse
from feeds.urls import host_of
from feeds.websub import discover

log = logging.getLogger(__name__)

#: Results that go into one transaction at most.
BATCH = 200
#: So long a result waits for others to be written with it; the end of a round waits for nothing.
GATHERING = timedelta(milliseconds=200)
#: Fetches under way and results that wait to be written, at most: memory stays bounded.
MOST_AT_ONCE = 5 * BATCH


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
    #: Failures by kind.
    failed: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, report: FetchReport, done: Recorded) -> None:
        """Count one recorded fetch."""
        self.sources += 1
        self.unchanged += report.outcome is Outcome.UNCHANGED
        self.new += done.new
        self.changed += done.changed
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
) -> Round:
    """Fetch these sources, which the caller has claimed, and record what they say.

    Interrupted, it records what has been fetched and gives the other claims back.
    """
    begun = clock()
    found = Round()
    results: asyncio.Queue[_Result | None] = asyncio.Queue()
    room = asyncio.Semaphore(MOST_AT_ONCE)
    left = {source.id for source in due}

    def note(source: SourceDue, report: FetchReport, done: Recorded) -> None:
        left.discard(source.id)
        room.release()
        found.add(report, done)
        if on_done is not None:
            on_done(source, report)

    fetching = asyncio.create_task(_fetch_all(client, clock, settings, due, room, results.put_nowait))
    writer = asyncio.create_task(_record_all(database, results, note))
    # A writer that ends before it is told to is broken: what cannot be kept need not be fetched.
    writer.add_done_callback(lambda _: fetching.cancel())
    try:
        await fetching
    finally:
        results.put_nowait(None)
        try:
            await asyncio.shield(writer)
        finally:
            if left:
                await database.write(lambda session: sources.release(session, list(left)))
    found.seconds = (clock() - begun).total_seconds()
    return found


async def poll_due(
    database: Database, client: httpx.AsyncClient, clock: Clock, settings: FetchSettings, *, limit: int = 1000
) -> tuple[Round, datetime | None]:
    """One sweep of what is due; with it, when the next source will be."""
    now = clock()
    due = await database.write(
        lambda session: sources.claim_due(session, now, limit=limit, lease=settings.lease)
    )
    found = await poll(database, client, clock, settings, due)
    return found, await database.read(sources.earliest_due)


async def refresh_source(
    client: httpx.AsyncClient, clock: Clock, settings: FetchSettings, source: SourceDue
) -> FetchReport:
    """One fetch of one source, read and identified; failures are reports too."""
    begun = clock()
    try:
        answer = await fetch(
            client,
            source.url,
            validators=Validators(etag=source.etag, last_modified=source.last_modified),
            limits=settings.limits,
        )
        return await _report(answer, clock, settings, source)
    except FetchError as error:
        return _failure(error, clock(), begun, settings, source)


async def _fetch_all(
    client: httpx.AsyncClient,
    clock: Clock,
    settings: FetchSettings,
    due: Sequence[SourceDue],
    room: asyncio.Semaphore,
    keep: Callable[[_Result], None],
) -> None:
    overall = asyncio.Semaphore(settings.concurrency)
    by_host: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(settings.per_host))

    async def one(source: SourceDue) -> None:
        # The host first: waiting for a busy host must not take a place from another.
        async with by_host[host_of(source.url)], overall:
            await room.acquire()
            # Nothing stands between the two, so what was fetched is kept even when this is cancelled.
            keep((source, await refresh_source(client, clock, settings, source)))

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
) -> None:
    """Write results as they come, many in one transaction."""
    is_open = True
    while is_open:
        batch = await _gather(results)
        pairs = [pair for pair in batch if pair is not None]
        is_open = len(pairs) == len(batch)
        if pairs:
            reports = [report for _, report in pairs]
            done = await database.write(lambda session, reports=reports: fetches.record(session, reports))  # type: ignore[misc]
            for (source, report), recorded in zip(pairs, done, strict=True):
                note(source, report, recorded)


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
    cadence = settings.cadence.of(source.kind)
    next_due = after_success(cadence, answer.freshness.lifetime, now, seed=source.url)
    base = FetchReport(
        source_id=source.id,
        at=now,
        outcome=Outcome.UNCHANGED,
        next_due=next_due,
        why="",
        seconds=answer.elapsed.total_seconds(),
        final_url=answer.url,
        etag=answer.validators.etag,
        last_modified=answer.validators.last_modified,
    )
    then = f"asked again in {in_words(next_due - now)}"
    match answer:
        case NotModified():
            return replace(base, status=304, why=f"nothing new (304); {then}")
        case Fetched() if answer.digest == source.digest:
            return replace(
                base,
                status=answer.status,
                body_bytes=len(answer.body),
                why=f"the same bytes as before; {then}",
            )
        case _:
            return await asyncio.to_thread(_read, answer, base, source, then)


def _read(answer: Fetched, base: FetchReport, source: SourceDue, then: str) -> FetchReport:
    try:
        feed = parse(answer.body, content_type=answer.content_type, base_url=answer.url)
    except ParseError as error:
        raise FetchError(
            str(error), url=answer.url, kind=FailureKind.NOT_A_FEED, status=answer.status
        ) from error
    drafts = read_stories(feed, source_url=source.url, language=source.language)
    problems = f"; {'; '.join(feed.problems)}" if feed.problems else ""
    return replace(
        base,
        outcome=Outcome.FETCHED,
        status=answer.status,
        body_bytes=len(answer.body),
        why=f"{len(drafts)} entries read{problems}; {then}",
        digest=answer.digest,
        origin=_origin(feed),
        title=feed.title if not source.title else None,
        site_url=feed.url if not source.site_url else None,
        hubs=discover(feed.links, answer.headers.get("link"), base_url=answer.url),
        drafts=drafts,
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


def _failure(
    error: FetchError, now: datetime, begun: datetime, settings: FetchSettings, source: SourceDue
) -> FetchReport:
    failures = source.failures + weight(error.kind)
    cadence = settings.cadence.of(source.kind)
    next_due = after_failure(cadence, error.kind, failures, error.retry_after, now, seed=source.url)
    then = (
        f"asked again in {in_words(next_due - now)}"
        if next_due
        else "not asked again until an editor says so"
    )
    log.info("fetch failed", extra={"url": source.url, "kind": error.kind.value, "status": error.status})
    return FetchReport(
        source_id=source.id,
        at=now,
        outcome=Outcome.FAILED,
        next_due=next_due,
        why=f"{str(error).removesuffix('.')}; {then}",
        seconds=(now - begun).total_seconds(),
        status=error.status,
        failure_kind=error.kind.value,
        failures=failures,
    )
