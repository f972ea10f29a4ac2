"""Whoever watches the service reads what it counts, and nobody else does."""

from __future__ import annotations

import asyncio
import platform

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import ASGIApp

from aggregator import __version__, measures, serving
from aggregator.app import App
from aggregator.settings import Settings
from aggregator.store.database import Database
from aggregator.web import metrics
from aggregator.web.metrics import Metrics, standing_alone
from aggregator.web.settings import MetricsSettings
from tests.conftest import Clock
from tests.web.newsroom import Newsroom, lost
from tests.web.test_health import hanging

TOKEN = "0123456789abcdef"


def asking(app: ASGIApp, host: str = "127.0.0.1") -> httpx.AsyncClient:
    """Somebody at an address who asks a process."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=(host, 40_000)), base_url="http://desk"
    )


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """What was said, by name and the values of the labels, in the order of their names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_figures_are_told_in_both_formats(reader: httpx.AsyncClient) -> None:
    plain = await reader.get("/metrics")
    open_ = await reader.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert open_.headers["content-type"].startswith("application/openmetrics-text")
    assert plain.headers["cache-control"] == open_.headers["cache-control"] == "no-store"
    names = {family.name for family in text_string_to_metric_families(plain.text)}
    assert names == {family.name for family in openmetrics(open_.text)}
    assert samples(plain.text)["wirebrief_database_up", ()] == 1


async def test_requests_count_by_route_and_never_by_path(newsroom: Newsroom) -> None:
    async with newsroom.client() as reader:
        await newsroom.render()
        before = samples((await reader.get("/metrics")).text)
        for path in ("/channels/all.atom", "/channels/all.atom", "/briefs/a", "/briefs/b", "/x1", "/x2"):
            await reader.get(path)
        await reader.request("BREW", "/x3")
        after = samples((await reader.get("/metrics")).text)
    name = "wirebrief_http_requests_total"
    new = {key[1]: value - before.get(key, 0) for key, value in after.items() if key[0] == name}
    assert {key: value for key, value in new.items() if value} == {
        ("GET", "/channels/{slug}.{format}", "2xx"): 2,
        ("GET", "/briefs/{slug}", "4xx"): 2,
        ("GET", "unknown", "4xx"): 2,
        ("other", "unknown", "4xx"): 1,
        ("GET", "/metrics", "2xx"): 1,
    }
    counted = ("wirebrief_http_request_seconds_count", ("/channels/{slug}.{format}",))
    assert after[counted] - before.get(counted, 0) == 2


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("192.0.2.7", {}),
        ("2001:db8::7", {}),
        ("a-socket", {}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
        ("::1", {"Via": "1.1 proxy"}),
        ("127.0.0.1", {"X-Real-IP": ""}),
    ],
)
async def test_without_a_token_only_this_machine_reads_them(
    newsroom: Newsroom, host: str, headers: dict[str, str]
) -> None:
    async with asking(newsroom.service(), host) as stranger:
        answer = await stranger.get("/metrics", headers=headers)
    assert (answer.status_code, "wirebrief_" in answer.text) == (403, False)
    async with asking(newsroom.service(), "::1") as near:
        assert (await near.get("/metrics")).status_code == 200


async def test_with_a_token_whoever_has_it_reads_them_and_nobody_else(
    database: Database, clock: Clock
) -> None:
    app = standing_alone(Metrics(database, clock, MetricsSettings(token=TOKEN)))
    async with asking(app) as near, asking(app, "192.0.2.7") as far:
        for given in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer é".encode()}):
            answer = await near.get("/metrics", headers=given)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="metrics"')
        answer = await far.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert samples(answer.text)["wirebrief_build_info", (platform.python_version(), __version__)] == 1


async def test_figures_come_where_the_database_does_not_answer(
    newsroom: Newsroom, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "PATIENCE", 0.05)
    async with newsroom.client() as reader, hanging(database):
        told = samples((await reader.get("/metrics")).text)
    assert told["wirebrief_database_up", ()] == 0
    assert ("wirebrief_sources", ("well",)) not in told
    assert ("wirebrief_http_request_seconds_count", ("/metrics",)) in told


async def test_a_database_that_refuses_is_told_as_not_up(newsroom: Newsroom, database: Database) -> None:
    with lost(database, "source"):
        async with newsroom.client() as reader:
            told = samples((await reader.get("/metrics")).text)
    assert told["wirebrief_database_up", ()] == 0


async def test_all_who_ask_at_once_share_one_look_at_the_database(database: Database, clock: Clock) -> None:
    found = Metrics(database, clock)
    reads = measures.DATABASE_SECONDS.spread("read")
    before = sum(reads.counts)
    await asyncio.gather(*(found.written("") for _ in range(5)))
    assert sum(reads.counts) - before == 1


async def test_a_process_without_pages_answers_at_its_own_port(
    database: Database, clock: Clock, free_figures_port: int
) -> None:
    app = App(_settings(free_figures_port), database, clock)
    async with serving.metrics_served(app) as url, httpx.AsyncClient(trust_env=False) as near:
        assert url == f"http://127.0.0.1:{free_figures_port}/metrics"
        told = samples((await near.get(url)).text)
        assert (await near.get(url.replace("metrics", "desk"))).status_code == 404
    assert told["wirebrief_database_up", ()] == 1
    app = App(_settings(0), database, clock)
    async with serving.metrics_served(app) as url:
        assert url == ""


@pytest.fixture
def free_figures_port() -> int:
    """A port that nobody listens on."""
    with serving.listen("127.0.0.1", 0) as listener:
        port = int(listener.getsockname()[1])
    return port


def _settings(port: int) -> Settings:
    return Settings(metrics=MetricsSettings(port=port))
