"""Several workers in simulated time: every source is asked when it was promised, no host too often."""

from __future__ import annotations

import pytest

from aggregator.flows.ingest import SWEEP, FetchSettings
from aggregator.store import sources
from aggregator.store.database import Database
from tests.conftest import NOW
from tests.flows.simulated import Desk
from tests.flows.simulated_network import Mix, Network

HOURS = 1
#: The schedule looks so often, in seconds; the product looks every second.
REST = 40.0
#: More trouble than a newsroom has: crowds at few hosts, broken feeds, domains that answer 429.
TROUBLED = Mix(crowded=0.8, hosts=40, broken=0.15, limiting=0.3, limited_hours=0.7)


@pytest.fixture
def backend() -> str:
    """Only this one takes several workers."""
    return "postgresql"


@pytest.fixture
def desk(database: Database, database_url: str) -> Desk:
    """Four workers that follow 150 feeds; all are due at once."""
    network = Network(150, seed=3, start=NOW, mix=TROUBLED)
    database.write_now(lambda s: sources.add(s, network.drafts(), now=NOW))
    desk = Desk(
        database_url,
        network,
        start=NOW,
        workers=4,
        jobs=2,
        settings=FetchSettings(),
        rest=REST,
        limit=40,
        goes_on=False,
    )
    desk.watch.promised = dict.fromkeys(range(150), 0.0)
    return desk


def test_workers_together_keep_every_promise_and_crowd_no_host(desk: Desk) -> None:
    try:
        desk.run(HOURS * 3600)
    finally:
        desk.close()
    watch, found = desk.watch, desk.found
    # In time, and none forgotten.
    assert max(watch.lateness) <= SWEEP.total_seconds() + REST
    assert max(watch.overdue(desk.time.now), default=0.0) <= SWEEP.total_seconds() + REST
    # Never before it was allowed: the floor, a Retry-After, a pause of the domain.
    assert not watch.early
    assert not watch.in_pause
    # Never more at a host than it has places, over all workers; never one source by two.
    assert watch.most_at_a_host == FetchSettings().per_host
    assert not watch.crowded
    assert not watch.twice
    # All of it happened.
    assert found["fetches"] > 400
    assert found["unchanged"] > 100
    assert found["new"] > 300
    assert watch.paused
