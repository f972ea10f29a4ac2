"""What the service does is counted, for whoever watches it."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from aggregator import measures
from aggregator.flows.publish import publish_channels
from aggregator.measures import Counter, Histogram
from aggregator.rules.channels import Channel, Site
from tests.flows.wire import Desk, entry

ALL = Channel("all", "All")


def counted(counter: Counter, *labels: str) -> float:
    """How much was counted until now."""
    return counter.values.get(labels, 0)


def observed(histogram: Histogram, *labels: str) -> int:
    """How many values were noted until now."""
    return sum(histogram.spread(*labels).counts)


async def test_fetches_count_by_how_they_ended(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1), entry(2)))
    before = (counted(measures.FETCHES, "fetched", ""), counted(measures.STORIES, "new"))
    seconds, rounds = observed(measures.FETCH_SECONDS), observed(measures.ROUND_SECONDS)
    await desk.poll()
    assert counted(measures.FETCHES, "fetched", "") - before[0] == 1
    assert counted(measures.STORIES, "new") - before[1] == 2
    assert observed(measures.FETCH_SECONDS) - seconds == 1
    assert observed(measures.ROUND_SECONDS) - rounds == 1


async def test_the_way_of_a_story_to_its_readers_is_measured_once(desk: Desk) -> None:
    await publish_channels(desk.database, desk.clock, Site(), [ALL], [])
    await desk.follow(desk.wire.says(entry(1)))
    await desk.poll()
    desk.clock.move(timedelta(seconds=7))
    spread = measures.WIRE_TO_FEED.spread("first_seen")
    before, total = sum(spread.counts), spread.total
    documents = counted(measures.DOCUMENTS, "all", "atom")
    for _ in range(2):
        await publish_channels(desk.database, desk.clock, Site(), [ALL], [])
    assert (sum(spread.counts) - before, spread.total - total) == (1, 7.0)
    assert counted(measures.DOCUMENTS, "all", "atom") - documents == 1


async def test_what_a_channel_begins_with_has_come_no_way(desk: Desk) -> None:
    await desk.follow(desk.wire.says(entry(1)))
    await desk.poll()
    before = observed(measures.WIRE_TO_FEED, "first_seen")
    await publish_channels(desk.database, desk.clock, Site(), [ALL], [])
    assert observed(measures.WIRE_TO_FEED, "first_seen") == before


async def test_a_loop_that_is_held_is_noticed() -> None:
    watching = asyncio.create_task(measures.watch_loop())
    before = measures.LOOP_LATE.spread().total
    await asyncio.sleep(0.01)
    time.sleep(0.2)  # noqa: ASYNC251 - it is to be held
    await asyncio.sleep(0.01)
    watching.cancel()
    assert measures.LOOP_LATE.spread().total - before >= 0.05


def test_a_value_counts_below_the_first_edge_that_it_is_not_above() -> None:
    histogram = Histogram("wirebrief_test", "For this test.", (1.0, 2.0), "kind")
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.observe(value, "a")
    assert histogram.spread("a").counts == [2, 1, 1]
    assert histogram.spread("a").total == 12.0
