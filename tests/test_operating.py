"""The dashboard, the alerts and docs/operating.md are held to what a running service tells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from aggregator import measures
from aggregator.store.database import Database
from tests.conftest import Clock
from tests.web.newsroom import Newsroom

HOME = Path(__file__).resolve().parents[1]
DASHBOARD = HOME / "deploy" / "grafana" / "wirebrief.json"
RULES, SCRAPING = HOME / "deploy" / "prometheus-alerts.yml", HOME / "deploy" / "prometheus.yml"
PAGE = HOME / "docs" / "operating.md"

#: What Prometheus says itself of whatever it asks; and what comes of a histogram's name.
OF_PROMETHEUS = {"job", "instance", "le"}
_ENDINGS = ("_bucket", "_sum", "_count")
_METRIC = re.compile(r"\b((?:wirebrief|process)_[a-z_]+)(?:\{([^}]*)\})?")
_BY = re.compile(r"\bby \(([^)]*)\)")

#: By its name, the labels of each metric.
Told = dict[str, set[str]]


@pytest.fixture
async def told(sqlite_database: Database, clock: Clock) -> Told:
    """What a service that has done a little of everything tells."""
    newsroom = Newsroom(sqlite_database, clock)
    await newsroom.render()
    async with newsroom.client() as reader:
        await reader.get("/channels/all.atom")
        text = (await reader.get("/metrics")).text
    declared = (*measures.COUNTERS, *measures.GAUGES, *measures.HISTOGRAMS)
    found: Told = {each.name: set(each.labels) for each in declared} | {
        "wirebrief_last_fetch_timestamp_seconds": set(),
        "wirebrief_queue_jobs": {"queue", "status"},
    }
    for family in text_string_to_metric_families(text):
        labels = {name for sample in family.samples for name in sample.labels} - OF_PROMETHEUS
        found.setdefault(family.name, set()).update(labels)
    counters = {each.name for each in measures.COUNTERS}
    counters |= {family.name for family in text_string_to_metric_families(text) if family.type == "counter"}
    return {f"{name}_total" if name in counters else name: labels for name, labels in found.items()}


def expressions() -> Iterator[str]:
    """Every expression of the dashboard and of the alerts."""
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for rule in rules():
        yield rule["expr"]


def rules() -> list[dict[str, Any]]:
    """Every alert."""
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def unknown(expression: str, told: Told) -> list[str]:
    """What an expression names that nobody tells."""
    found: list[str] = []
    labels: set[str] = set(OF_PROMETHEUS)
    for name, asked in _METRIC.findall(expression):
        ending = next((each for each in _ENDINGS if name.endswith(each)), "")
        plain = name if name in told else name.removesuffix(ending)
        if plain not in told:
            found.append(name)
            continue
        labels |= told[plain]
        named = {part.partition("=")[0].strip(" !~") for part in asked.split(",") if part.strip()}
        found += sorted(named - told[plain] - OF_PROMETHEUS)
    by = {part.strip() for group in _BY.findall(expression) for part in group.split(",")}
    return found + sorted(by - labels)


def test_the_dashboard_and_the_alerts_name_only_what_is_told(told: Told) -> None:
    every = list(expressions())
    assert len(every) > 50
    assert {each: wrong for each in every if (wrong := unknown(each, told))} == {}


def test_a_name_or_a_label_that_nobody_tells_is_noticed(told: Told) -> None:
    assert unknown("rate(wirebrief_fetchs_total[5m])", told) == ["wirebrief_fetchs_total"]
    assert unknown('wirebrief_sources{status="well"}', told) == ["status"]
    assert unknown("sum by (source) (wirebrief_sources)", told) == ["source"]


def test_the_dashboard_shows_every_figure_of_ours_somewhere(told: Told) -> None:
    shown = " ".join(expressions())
    assert [name for name in sorted(told) if name.startswith("wirebrief_") and name not in shown] == []


def test_every_figure_is_in_the_table_with_its_labels_and_no_other(told: Told) -> None:
    rows = re.findall(
        r"^\| `(wirebrief_\w+)` \| \w+ \|\s*([^|]*?)\s*\|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    table = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert table == {name: labels for name, labels in told.items() if name.startswith("wirebrief_")}


def test_every_alert_says_what_to_do_and_stands_in_the_docs() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for rule in rules():
        assert {"summary", "runbook"} == rule["annotations"].keys(), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "warn")
    assert re.findall(r"^\| `(Wirebrief\w+)` \|", text, re.MULTILINE) == [rule["alert"] for rule in rules()]


def test_the_panels_have_numbers_of_their_own_and_a_row_each_stands_in_the_docs() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(ids) == len(set(ids))
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "Ingest",
        "From the wire to the feed",
        "Publishing",
        "Web",
        "Queue",
        "Database and process",
    ]


def test_prometheus_itself_takes_the_files() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed.")
    # A program of the system, with files of ours.
    run = subprocess.run([promtool, "check", "config", SCRAPING], capture_output=True, text=True, check=False)  # noqa: S603
    assert run.returncode == 0, run.stdout + run.stderr
