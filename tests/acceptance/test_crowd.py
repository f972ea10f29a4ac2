"""One host with hundreds of feeds, and fifty with a few: the crowd holds nobody up."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import settings_for
from tests.acceptance.desk import Desk
from tests.acceptance.wires import FEEDS, replayed

#: All other settings are as shipped: two requests at a time at one host.
ONLY_LOOPBACK = {"WIREBRIEF_FETCH__PRIVATE_NETWORKS": "true"}


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], dict[str, int], dict[str, int]]:
    """Hosts in the order in which their feeds were done, feeds by host, most requests at once by host."""
    folder: Path = tmp_path_factory.mktemp("crowd")
    options = ("--copies", "2", "--hosts", "51", "--crowd", "0.85", "--latency", "0.05")
    with replayed(*options, feeds=2 * FEEDS) as wire:
        desk = Desk(folder, ONLY_LOOPBACK)
        (folder / "config.toml").write_text(settings_for([]), encoding="utf-8")
        # In the archive's first hours the feeds show little: what is asked here is who comes first.
        wire.set_clock(f"to={wire.start() + timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}")
        desk.run("sources", "import", f"{wire.url}/opml")
        desk.run("poll", "--json", patience=180)
        sources = desk.run("sources", "list", "--json").rows
        most = {name.partition(":")[0]: n for name, n in wire.stats()["most_by_host"].items()}
    assert all(source["last_success"] for source in sources)
    done = sorted(sources, key=lambda source: datetime.fromisoformat(source["last_fetch"]))
    hosts = [str(urlsplit(source["url"]).hostname) for source in done]
    return hosts, Counter(hosts), most


Polled = tuple[list[str], dict[str, int], dict[str, int]]


def test_the_feeds_of_other_hosts_are_done_before_the_crowd_is_through(polled: Polled) -> None:
    hosts, counted, _ = polled
    crowd, size = max(counted.items(), key=lambda item: item[1])
    assert size > 250
    assert len(counted) > 20
    others = [place for place, host in enumerate(hosts) if host != crowd]
    before_the_last = hosts[: max(others)].count(crowd)
    assert before_the_last < size / 2, f"{before_the_last} of the crowd's {size} came first"


def test_no_host_is_asked_for_more_than_two_things_at_once(polled: Polled) -> None:
    _, counted, most = polled
    # The first host has the simulator's own pages too, which were asked one at a time.
    assert set(counted) <= set(most)
    assert {host: n for host, n in most.items() if n > 2} == {}
