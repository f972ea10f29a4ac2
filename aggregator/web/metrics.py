"""`/metrics`: what this process counts and how much waits, for Prometheus.

`aggregator.measures` counts. Here it is written down when somebody asks, with a look at the database that
all who ask within a few seconds share. It is not for everybody: see `refusal`.
"""

from __future__ import annotations

import asyncio
import hmac
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from ipaddress import ip_address
from itertools import accumulate

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aggregator import __version__, measures
from aggregator.model import Clock
from aggregator.store.database import Database, StoreError, sqlite_path
from aggregator.store.depths import Depths, depths
from aggregator.web.keys import key_of
from aggregator.web.settings import MetricsSettings

PATH = "/metrics"

router = APIRouter(include_in_schema=False)

#: How long a look at the database is good for, and how long it is waited for, in seconds.
FRESH, PATIENCE = 5.0, 2.0

#: What a proxy says about whom it asks for. Whoever comes through one is not on this machine.
_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")

#: How many streams are open, by kind.
Streams = Callable[[], Mapping[str, int]]


class Metrics:
    """What there is to see of this process."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: MetricsSettings | None = None,
        streams: Streams = dict,
    ) -> None:
        self.settings = settings or MetricsSettings()
        self._database = database
        self._clock = clock
        self._looking: asyncio.Task[Depths | None] | None = None
        self._looked = -FRESH
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._of_store = _OfStore(clock, sqlite_path(database.url) is not None)
        self._registry.register(_OfProcess(streams))
        self._registry.register(self._of_store)

    async def written(self, accept: str) -> tuple[bytes, str]:
        """All of it and its media type: OpenMetrics for whoever accepts that, else Prometheus' text."""
        self._of_store.depths = await self._depths()
        self._of_store.free = await asyncio.to_thread(self._free)
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type

    async def _depths(self) -> Depths | None:
        """How much waits; None where the database does not say so in time."""
        now = asyncio.get_running_loop().time()
        if self._looking is None or (self._looking.done() and now - self._looked >= FRESH):
            self._looking, self._looked = asyncio.create_task(self._look()), now
        done, _ = await asyncio.wait({self._looking}, timeout=PATIENCE)
        return self._looking.result() if done else None

    async def _look(self) -> Depths | None:
        try:
            return await self._database.read(partial(depths, now=self._clock()))
        except StoreError:
            return None

    def _free(self) -> int | None:
        path = sqlite_path(self._database.url)
        try:
            return shutil.disk_usage(path.resolve().parent).free if path else None
        except OSError:
            return None


class _OfProcess(Collector):
    """What `measures` holds."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    def collect(self) -> Iterator[Metric]:
        """Every instrument, as it stands."""
        for counter in measures.COUNTERS:
            counted = CounterMetricFamily(counter.name, counter.says, labels=counter.labels)
            for labels, value in sorted(counter.values.copy().items()):
                counted.add_metric(labels, value)
            yield counted
        for gauge in measures.GAUGES:
            stands = GaugeMetricFamily(gauge.name, gauge.says, labels=gauge.labels)
            for labels, value in sorted(gauge.values.copy().items()):
                stands.add_metric(labels, value)
            yield stands
        for histogram in measures.HISTOGRAMS:
            yield _spread(histogram)
        yield _gauge("streams_open", "Streams of events that are open.", self._streams(), "kind")
        about = {"version": __version__, "python": ".".join(map(str, sys.version_info[:3]))}
        build = GaugeMetricFamily("wirebrief_build_info", "The program: always 1.", labels=list(about))
        build.add_metric(list(about.values()), 1)
        yield build


def _spread(histogram: measures.Histogram) -> Metric:
    family = HistogramMetricFamily(histogram.name, histogram.says, labels=histogram.labels)
    edges = [*map(str, histogram.edges), "+Inf"]
    for labels, spread in sorted(histogram.series.copy().items()):
        total, sums = spread.total, accumulate(list(spread.counts))
        family.add_metric(labels, list(zip(edges, sums, strict=True)), total)
    return family


class _OfStore(Collector):
    """What stands in the database, as of the last look."""

    def __init__(self, clock: Clock, has_disk: bool) -> None:
        self.depths: Depths | None = None
        self.free: int | None = None
        self._clock = clock
        self._has_disk = has_disk

    def collect(self) -> Iterator[Metric]:
        """Every figure; without a look only that there is none."""
        found = self.depths
        yield _gauge(
            "database_up", "1 where the database answers, 0 where it does not.", int(found is not None)
        )
        if self.free is not None:
            yield _gauge("disk_free_bytes", "Room on the disk of the database (SQLite).", self.free)
        if found is None:
            return
        yield _gauge("database_bytes", "How large the database is.", found.database_bytes)
        since = found.due_since
        late = max(0.0, (self._clock() - since).total_seconds()) if since else 0.0
        yield _gauge("sources_due", "Sources that are due and that nobody has.", found.due)
        yield _gauge("sources_due_seconds", "How long the first of those has been due.", late)
        if found.last_fetch is not None:
            at = found.last_fetch.timestamp()
            yield _gauge("last_fetch_timestamp_seconds", "When any source was asked last.", at)
        yield _gauge("sources", "Sources by how they are doing.", found.sources, "state")
        yield _gauge("alarms", "Alarms that stand.", found.alarms, "kind")
        yield _gauge("versions_behind", "Versions of stories not done yet, by step.", found.behind, "step")
        yield _gauge("deliveries_waiting", "Deliveries that wait.", found.waiting, "kind")
        jobs = GaugeMetricFamily("wirebrief_queue_jobs", "Jobs of the queue.", labels=["queue", "status"])
        for key, count in sorted(found.jobs.items()):
            jobs.add_metric(key, count)
        yield jobs


def _gauge(name: str, says: str, value: float | Mapping[str, int], *labels: str) -> Metric:
    family = GaugeMetricFamily(f"wirebrief_{name}", says, labels=labels)
    if isinstance(value, Mapping):
        for label, count in value.items():
            family.add_metric([label], count)
    else:
        family.add_metric([], value)
    return family


@router.get(PATH)
async def metrics(request: Request) -> Response:
    """What there is to see of this process, for whoever may."""
    found = request.app.state.metrics
    assert isinstance(found, Metrics)  # noqa: S101 - put there by whoever made the application
    if (answer := refusal(request, found.settings)) is not None:
        return answer
    body, media_type = await found.written(request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": media_type, "Cache-Control": "no-store"})


def refusal(request: Request, settings: MetricsSettings) -> Response | None:
    """What whoever may not read it is answered; None for whoever may.

    With a token it is whoever has that. Without one it is this machine alone: a proxy in front of us is on
    this machine, too, so nothing that a proxy has touched counts.
    """
    never = {"Cache-Control": "no-store"}
    if settings.token:
        given = key_of(request.headers.get("authorization", "")) or ""
        if hmac.compare_digest(given.encode(), settings.token.encode()):
            return None
        challenge = {"WWW-Authenticate": 'Bearer realm="metrics"'}
        return PlainTextResponse("Send the token of metrics.token.\n", 401, never | challenge)
    if _is_here(request):
        return None
    said = "Figures are for this machine alone: set metrics.token to read them from elsewhere.\n"
    return PlainTextResponse(said, 403, never)


def _is_here(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _OF_PROXIES):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def standing_alone(found: Metrics) -> Starlette:
    """An application with nothing but the figures, for a process that serves no pages."""
    app = Starlette(routes=[Route(PATH, metrics)])
    app.state.metrics = found
    return app
