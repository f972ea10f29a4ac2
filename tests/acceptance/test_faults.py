"""A real archive of which six feeds in ten are broken or hostile: nothing is lost, nothing doubled.

It takes minutes, so it runs only where it is asked for, by the seeds that share out the faults:
WIREBRIEF_FAULT_SEEDS=1,2,3,…
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from feeds.urls import canonical
from tests.acceptance.conftest import LOOPBACK, settings_for
from tests.acceptance.desk import Desk
from tests.acceptance.wires import Simulator, fault_of, replayed

SEEDS = os.environ.get("WIREBRIEF_FAULT_SEEDS", "").split(",")

pytestmark = pytest.mark.skipif(
    SEEDS == [""], reason="WIREBRIEF_FAULT_SEEDS names no seeds; it takes minutes"
)

#: What a source is said to suffer from, by the simulator's name of its fault.
DEAD = {
    "loop_302": "too_many_redirects",
    "gone_410": "gone",
    "missing_404": "not_found",
    "html_page": "not_a_feed",
    "not_xml": "not_a_feed",
    "bomb": "too_large",
    "entity_bomb": "not_a_feed",
}
#: These answer well on one of three requests at least, and badly again on the next.
HEALING = {"flaky_500", "flaky_reset", "truncated", "slow_drip", "retry_after"}
#: With the clock standing still, every healing feed answers well in one of them.
ROUNDS = 3
SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Storm:
    """A desk after its rounds, and what it should hold."""

    seed: str
    #: What the feeds showed in the last rounds, by feed: the links, each once.
    shown: dict[str, set[str]]
    #: The fault of each feed by its address; None for a healthy one.
    faults: dict[str, str | None]
    stories: list[dict[str, Any]]
    sources: dict[str, dict[str, Any]]

    @property
    def stored(self) -> Counter[tuple[str, str]]:
        """How often each story is stored, by feed and link."""
        return Counter((story["source"]["url"], canonical(story["url"])) for story in self.stories)


def weathered(seed: str, folder: Path) -> Storm:
    """Follow the archive through this seed's faults: a round, six hours later all the others."""
    with replayed("--faults", str(SHARE), "--seed", seed) as wire:
        desk = Desk(folder, LOOPBACK)
        (folder / "config.toml").write_text(settings_for([]), encoding="utf-8")
        wire.set_clock(f"to={wire.start() + timedelta(hours=10):%Y-%m-%dT%H:%M:%SZ}")
        desk.run("sources", "import", f"{wire.url}/opml")
        _make_bombs(wire, seed)
        _poll(desk)
        wire.set_clock("advance=21600")
        for _ in range(ROUNDS):
            _poll(desk)
        return _seen(seed, wire, desk)


def _make_bombs(wire: Simulator, seed: str) -> None:
    """Have the simulator pack its three gigabytes now: it answers nobody else meanwhile."""
    for feed in wire.get("/urls").split():
        if fault_of(feed, seed=seed, share=SHARE) == "bomb":
            httpx.head(feed, trust_env=False, timeout=120)
            return


def _poll(desk: Desk) -> None:
    desk.run("poll", "--all", "--json", patience=180)


def _seen(seed: str, wire: Simulator, desk: Desk) -> Storm:
    shown: dict[str, set[str]] = {}
    for feed, link in wire.shows():
        shown.setdefault(feed, set()).add(canonical(link))
    stories = desk.run("stories", "--limit", "0", "--json").rows
    sources = {source["url"]: source for source in desk.run("sources", "list", "--json").rows}
    faults = {feed: fault_of(feed, seed=seed, share=SHARE) for feed in wire.get("/urls").split()}
    return Storm(seed, shown, faults, stories, sources)


@pytest.fixture(scope="module")
def storms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Storm]]:
    """Every seed's storm, at the same time: most of each is waiting for feeds that drip."""
    folders = [tmp_path_factory.mktemp(f"storm{seed}") for seed in SEEDS]
    with ThreadPoolExecutor(3) as threads:
        yield {storm.seed: storm for storm in threads.map(weathered, SEEDS, folders)}


@pytest.fixture(params=SEEDS)
def storm(request: pytest.FixtureRequest, storms: dict[str, Storm]) -> Storm:
    """One seed's storm."""
    return storms[request.param]


def test_every_story_that_a_living_feed_shows_is_stored_exactly_once(storm: Storm) -> None:
    counted = storm.stored
    wrong = {
        (feed, storm.faults[feed], link): counted[feed, link]
        for feed, links in storm.shown.items()
        for link in links
        if counted[feed, link] != 1
    }
    assert not wrong, (Counter(fault for _, fault, _ in wrong), list(wrong.items())[:5])
    assert sum(map(len, storm.shown.values())) > 300


def test_no_story_of_any_feed_is_stored_twice(storm: Storm) -> None:
    twice = [(storm.faults.get(feed), feed, link) for (feed, link), n in storm.stored.items() if n > 1]
    assert not twice, (Counter(fault for fault, _, _ in twice), twice[:5])


def test_a_story_has_a_second_version_only_where_its_content_changed(storm: Storm) -> None:
    # No entry of the archive ever changes its title or its text.
    changed = [
        (storm.faults.get(story["source"]["url"]), story["url"], story["versions"])
        for story in storm.stories
        if story["versions"] != 1
    ]
    assert not changed, (Counter(fault for fault, _, _ in changed), changed[:5])


def test_a_dead_feed_is_named_with_what_it_suffers_from(storm: Storm) -> None:
    dead = {feed: DEAD[fault] for feed, fault in storm.faults.items() if fault in DEAD}
    assert {feed: storm.sources[feed]["failure"] for feed in dead} == dead
    assert all(storm.sources[feed]["why"] for feed in dead)
    assert [feed for feed in dead if storm.sources[feed]["stories"]] == []


def test_no_living_feed_is_called_ill(storm: Storm) -> None:
    living = [feed for feed in storm.shown if storm.faults[feed] not in HEALING]
    ill = [
        (storm.faults[feed], storm.sources[feed]["why"]) for feed in living if storm.sources[feed]["failure"]
    ]
    assert not ill
