"""What this process counts about itself, in memory: counters, gauges and histograms.

They are the process's, and not an application's, as its memory and its event loop are: whatever runs
here adds to them. Nothing is sent anywhere; `aggregator.web.metrics` writes them down when somebody asks.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from feeds.errors import FailureKind

#: Threads count, too, and `+=` is no one step of theirs.
_LOCK = Lock()

#: Upper edges, in seconds: of what a person waits for, of one fetch, of a story's way to its readers.
QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SLOW = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
WAYS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 21600.0, 86400.0)

#: How often the event loop is asked whether it turns in time.
BEAT = 0.1


class Counter:
    """What only rises, by its labels."""

    def __init__(self, name: str, says: str, *labels: str) -> None:
        self.name, self.says, self.labels = name, says, labels
        self.values: dict[tuple[str, ...], float] = {}

    def add(self, *labels: str, by: float = 1) -> None:
        """Count one more, or so many."""
        with _LOCK:
            self.values[labels] = self.values.get(labels, 0) + by

    def begin(self, *labels: str) -> None:
        """Tell of it from the start: a rate needs a nought to begin from."""
        self.values.setdefault(labels, 0)


class Gauge:
    """What rises and falls, by its labels."""

    def __init__(self, name: str, says: str, *labels: str) -> None:
        self.name, self.says, self.labels = name, says, labels
        self.values: dict[tuple[str, ...], float] = {}

    def set(self, value: float, *labels: str) -> None:
        """It stands so now."""
        self.values[labels] = value


class Spread:
    """How often a value was not above which edge: one series of a histogram."""

    __slots__ = ("counts", "edges", "total")

    def __init__(self, edges: Sequence[float]) -> None:
        self.edges = edges
        #: By edge, each value once; the last is beyond all of them.
        self.counts = [0] * (len(edges) + 1)
        self.total = 0.0

    def note(self, value: float) -> None:
        """One more value. Only for a spread that one thread has to itself."""
        self.counts[bisect_left(self.edges, value)] += 1
        self.total += value


class Histogram:
    """How values are spread, by their labels."""

    def __init__(self, name: str, says: str, edges: Sequence[float], *labels: str) -> None:
        self.name, self.says, self.edges, self.labels = name, says, edges, labels
        self.series: dict[tuple[str, ...], Spread] = {}

    def observe(self, value: float, *labels: str) -> None:
        """One more value."""
        with _LOCK:
            self.spread(*labels).note(value)

    def spread(self, *labels: str) -> Spread:
        """The series of these labels."""
        found = self.series.get(labels)
        if found is None:
            found = self.series[labels] = Spread(self.edges)
        return found

    @contextmanager
    def timed(self, *labels: str) -> Iterator[None]:
        """Note the seconds that the block takes, however it ends."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.observe(time.perf_counter() - began, *labels)


FETCHES = Counter("wirebrief_fetches", "Fetches that were recorded.", "outcome", "failure")
FETCH_SECONDS = Histogram("wirebrief_fetch_seconds", "How long a fetch took, its body included.", SLOW)
FETCHED_BYTES = Counter("wirebrief_fetched_bytes", "Bytes of the bodies that were fetched, unpacked.")
STORIES = Counter("wirebrief_stories", "Stories that came, changed or were taken back.", "change")
ROUND_SECONDS = Histogram("wirebrief_round_seconds", "How long a round of fetches took.", SLOW)

WIRE_TO_FEED = Histogram(
    "wirebrief_wire_to_feed_seconds",
    "From when a story was published, or first seen here, until a document with it stood ready.",
    WAYS,
    "since",
)
DOCUMENTS = Counter("wirebrief_documents_rendered", "Documents with new bytes.", "channel", "format")
RENDER_SECONDS = Histogram(
    "wirebrief_render_seconds", "How long the documents of a channel took, from stale to stored.", SLOW
)
DELIVERIES = Counter(
    "wirebrief_deliveries",
    "What was sent without being asked for: push, ping, webhook, alarm.",
    "kind",
    "outcome",
)

REQUESTS = Counter("wirebrief_http_requests", "Requests answered.", "route", "method", "status")
REQUEST_SECONDS = Histogram(
    "wirebrief_http_request_seconds", "From a request to the beginning of its answer.", QUICK, "route"
)

DATABASE_WAIT = Histogram(
    "wirebrief_database_wait_seconds", "How long work waited for a thread of the database.", QUICK, "work"
)
DATABASE_SECONDS = Histogram(
    "wirebrief_database_seconds", "How long a transaction took, its own work included.", QUICK, "work"
)

JOB_SECONDS = Histogram("wirebrief_job_seconds", "How long a job took.", SLOW, "task")
JOBS_FAILED = Counter("wirebrief_jobs_failed", "Jobs that broke; the log says why.", "task")
SCHEDULES = Gauge("wirebrief_schedules", "1 where this process says what is due, 0 where it does not.")
LOOP_LATE = Histogram(
    "wirebrief_event_loop_late_seconds", f"How late the event loop was, asked every {BEAT:g} s.", QUICK
)

COUNTERS = (FETCHES, FETCHED_BYTES, STORIES, DOCUMENTS, DELIVERIES, REQUESTS, JOBS_FAILED)
GAUGES = (SCHEDULES,)
HISTOGRAMS = (
    FETCH_SECONDS,
    ROUND_SECONDS,
    WIRE_TO_FEED,
    RENDER_SECONDS,
    REQUEST_SECONDS,
    DATABASE_WAIT,
    DATABASE_SECONDS,
    JOB_SECONDS,
    LOOP_LATE,
)


for _outcome in ("fetched", "unchanged"):
    FETCHES.begin(_outcome, "")
for _failure in FailureKind:
    FETCHES.begin("failed", _failure.value)
for _change in ("new", "changed", "withdrawn"):
    STORIES.begin(_change)
for _kind in ("push", "ping", "webhook", "alarm"):
    for _outcome in ("taken", "failed"):
        DELIVERIES.begin(_kind, _outcome)
for _since in ("published", "first_seen"):
    WIRE_TO_FEED.spread(_since)
for _histogram in HISTOGRAMS:
    if not _histogram.labels:
        _histogram.spread()
FETCHED_BYTES.begin()
SCHEDULES.set(0)


async def watch_loop() -> None:
    """Measure how late the event loop turns, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + BEAT
        await asyncio.sleep(BEAT)
        LOOP_LATE.observe(max(0.0, loop.time() - due))
