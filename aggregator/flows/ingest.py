"""Due sources are fetched, read and stored: one bad feed does not stop a round, a bug does.

`poll` draws the flow: fetch (concurrently, few a host) -> read (on a thread) -> record (many
results in one transaction). What was fetched is recorded even when the round is interrupted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from aggregator import logs, measures
from aggregator.flows import outages
from aggregator.flows.batches import Result, give_back, record_all
from aggregator.flows.pacing import asked_of, failed, settle_with
from aggregator.flows.places import Others, Quiet, place_at
from aggregator.model import Clock, FetchReport, Outcome, Recorded, SourceDue
from aggregator.rules.cadence import Cadences
from aggregator.rules.evidence import evidence_of
from aggregator.rules.polling import why_whole
from aggregator.rules.stories import read_stories
from aggregator.store import claims, pauses
from aggregator.store.claims import Share
from aggregator.store.database import Database
from aggregator.written import Duration
from feeds.errors import FailureKind, FetchError, ParseError
from feeds.http import Client, Fetched, Limits, NotModified, Validators, fetch, make_client
from feeds.model import Feed, Origin
from feeds.read import parse
from feeds.urls import host_of
from feeds.websub import discover

log = logging.getLogger(__name__)

# Feeds are read by Python, which reads one at a time however many threads there are. More would only
# keep the event loop from its turn, and more feeds in memory.
_READING = ThreadPoolExecutor(1, "read")

#: Fetches under way and results that wait to be written, at most: memory stays bounded.
MOST_AT_ONCE = 1000
# So many connections are kept for each request under way: the feeds of one host come one after the other,
# with those of all other hosts between them.
_KEPT = 8
#: So many workers share the places at one host.
_SHARES = 4
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

#: Called when stories came, changed or were taken back: what follows need not wait for the end of a round.
OnNews = Callable[[], None]


@contextlib.asynccontextmanager
async def client_for(settings: FetchSettings) -> AsyncIterator[Client]:
    """The HTTP client of a process."""
    async with make_client(
        user_agent=settings.user_agent,
        private_networks=settings.private_networks,
        connections=settings.concurrency * _KEPT,
    ) as client:
        yield client


async def poll(
    database: Database,
    client: Client,
    clock: Clock,
    settings: FetchSettings,
    due: Sequence[SourceDue],
    *,
    on_done: OnDone | None = None,
    on_news: OnNews | None = None,
    within: timedelta | None = None,
    even_waiting: bool = False,
    others: Others | None = None,
    owed: set[int] | None = None,
) -> Round:
    """Fetch these sources, which the caller has claimed, and record what they say.

    Once a domain answers 429, to us or as `others` have it, the rest of it is left for later, unless
    `even_waiting` says to ask it all the same. Nothing new is begun after `within`. Then, and when it is
    interrupted, it records what has been fetched and gives the other claims back.
    """
    begun = clock()
    found = Round()
    results: asyncio.Queue[Result | None] = asyncio.Queue()
    weather = outages.Round(results.put_nowait)
    room = asyncio.Semaphore(MOST_AT_ONCE)
    left = {source.id for source in due}

    def note(source: SourceDue, report: FetchReport, done: Recorded) -> None:
        left.discard(source.id)
        room.release()
        found.add(report, done)
        if on_done is not None:
            on_done(source, report)
        if on_news is not None and done.is_news:
            on_news()

    def keep(result: Result) -> None:
        if not weather.take(*result):
            # What is held back must not keep others from being fetched.
            room.release()

    quiet = Quiet(is_heeded=not even_waiting, others=others)
    until = None if within is None else asyncio.get_running_loop().time() + within.total_seconds()
    fetching = asyncio.create_task(_fetch_all(client, clock, settings, due, room, keep, until, quiet))
    settle = settle_with({source.id: source for source in due}, settings.cadence)
    writer = asyncio.create_task(record_all(database, results, note, settle))
    # A writer that ends before it is told to is broken: what cannot be kept need not be fetched.
    writer.add_done_callback(lambda _: fetching.cancel())
    try:
        await fetching
    finally:
        try:
            await _end(weather, database, clock, results, writer)
        finally:
            if left:
                await give_back(database, left, owed)
    found.seconds = (clock() - begun).total_seconds()
    if due:
        measures.ROUND_SECONDS.observe(found.seconds)
    return found


async def _end(
    weather: outages.Round,
    database: Database,
    clock: Clock,
    results: asyncio.Queue[Result | None],
    writer: asyncio.Task[None],
) -> None:
    """Hand on what was held back, tell the writer that nothing more comes, and let it end."""
    try:
        await weather.end(database, clock())
    finally:
        results.put_nowait(None)
        await asyncio.shield(writer)


async def poll_due(
    database: Database,
    client: Client,
    clock: Clock,
    settings: FetchSettings,
    *,
    limit: int = 1000,
    on_news: OnNews | None = None,
    owed: set[int] | None = None,
) -> tuple[Round, datetime | None]:
    """One sweep of what is due; with it, when the next source will be."""
    found = await sweep(database, client, clock, settings, limit=limit, on_news=on_news, owed=owed)
    return found, await database.read(claims.earliest_due)


async def sweep(
    database: Database,
    client: Client,
    clock: Clock,
    settings: FetchSettings,
    *,
    limit: int = 1000,
    holder: int | None = None,
    on_news: OnNews | None = None,
    owed: set[int] | None = None,
) -> Round:
    """Ask up to `limit` sources of those that are due. With a `holder`, its share of each host only.

    `owed` are the claims that an earlier sweep could not give back: that is done first.

    A share is a quarter of the requests that a host takes at once, but one at least: so several workers
    have what is due at a crowded host, and all together never ask it for more.
    """
    share = None
    if holder is not None:
        share = Share(holder, max(1, settings.per_host // _SHARES), settings.per_host)
        settings = replace(settings, per_host=share.places)
    if owed:
        await give_back(database, owed, None)
        owed.clear()
    now = clock()
    due = await database.write(
        lambda session: claims.claim_due(session, now, limit=limit, lease=settings.lease, share=share)
    )

    async def others() -> tuple[Mapping[str, datetime], datetime]:
        return await database.read(partial(pauses.standing, now=clock())), clock()

    return await poll(
        database,
        client,
        clock,
        settings,
        due,
        within=SWEEP,
        on_news=on_news,
        others=others if share else None,
        owed=owed,
    )


async def refresh_source(
    client: Client, clock: Clock, settings: FetchSettings, source: SourceDue
) -> FetchReport:
    """One fetch of one source, read and identified; failures are reports too."""
    begun = clock()
    # Whoever reads it in a log finds the source's page by the number, and the fetch there by its time.
    logs.FETCH.set(f"{source.id}-{begun:%Y%m%dT%H%M%S}")
    whole = why_whole(source, begun, after=settings.whole_after)
    known = Validators() if whole else Validators(etag=source.etag, last_modified=source.last_modified)
    try:
        answer = await fetch(client, source.url, validators=known, limits=settings.limits)
        return await _report(answer, clock, settings, source, whole)
    except FetchError as error:
        facts = {"source": source.id, "url": source.url, "kind": error.kind.value, "status": error.status}
        log.info("fetch failed", extra=facts)
        return failed(error, clock(), begun, settings.cadence, source)


async def _fetch_all(
    client: Client,
    clock: Clock,
    settings: FetchSettings,
    due: Sequence[SourceDue],
    room: asyncio.Semaphore,
    keep: Callable[[Result], None],
    until: float | None,
    quiet: Quiet,
) -> None:
    overall = place_at("", most=settings.concurrency)
    loop = asyncio.get_running_loop()

    async def one(source: SourceDue) -> None:
        # The host first: waiting for a busy host must not take a place from another.
        async with place_at(source.host or host_of(source.url), most=settings.per_host):
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
        if tasks:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
    finally:
        for pending in tasks:
            pending.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _report(
    answer: Fetched | NotModified,
    clock: Clock,
    settings: FetchSettings,
    source: SourceDue,
    whole: str | None,
) -> FetchReport:
    now = clock()
    match answer:
        case NotModified():
            status, body_bytes, why = 304, 0, "nothing new (304)"
        case Fetched():
            status, body_bytes, why = answer.status, len(answer.body), "the same bytes as before"
    report = FetchReport(
        source_id=source.id,
        at=now,
        outcome=Outcome.UNCHANGED,
        # That is settled once it is known what of it is new.
        next_due=now,
        why=f"{why}; {whole}" if whole else why,
        seconds=answer.elapsed.total_seconds(),
        status=status,
        body_bytes=body_bytes,
        final_url=answer.url,
        etag=answer.validators.etag,
        last_modified=answer.validators.last_modified,
        asked=asked_of(answer, source, now, after=settings.move_after),
    )
    if isinstance(answer, NotModified) or answer.digest == source.digest:
        return report
    turn = asyncio.get_running_loop().run_in_executor
    return await turn(_READING, _read, answer, report, source, whole)


def _read(answer: Fetched, base: FetchReport, source: SourceDue, whole: str | None) -> FetchReport:
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
        # What of it was new is known, and said, when it is recorded.
        why="; ".join([*feed.problems, *([whole] if whole else [])]),
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
