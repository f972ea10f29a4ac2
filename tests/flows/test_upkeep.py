from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from aggregator.flows import upkeep
from aggregator.flows.upkeep import KeepSettings, forget_old, index_search
from aggregator.language.query import parse_query
from aggregator.store import stories
from aggregator.store.tables import FETCH
from aggregator.store.tables_out import FRAGMENT
from tests.flows.wire import Desk, entry

DAY = timedelta(days=1)
KEEP = KeepSettings()


def found(desk: Desk, query: str) -> list[str]:
    asked = parse_query(query)
    return [story.title for story in desk.database.read_now(lambda s: stories.find(s, asked))]


def rows(desk: Desk) -> tuple[int, int]:
    """How many fetches and fragments are kept."""
    counts = [select(func.count()).select_from(table) for table in (FETCH, FRAGMENT)]
    fetches, fragments = (desk.database.read_now(lambda s, q=q: s.execute(q).scalar_one()) for q in counts)  # type: ignore[misc]
    return fetches, fragments


async def test_what_was_indexed_is_found_in_its_newest_words(desk: Desk) -> None:
    await desk.hears(entry(1, "Talks in Doha"), entry(2))
    assert await index_search(desk.database) == 2
    assert found(desk, "doha") == ["Talks in Doha"]
    desk.wire.says(entry(1, "Talks in Geneva"), entry(2))
    await desk.poll()
    assert await index_search(desk.database) == 1
    assert (found(desk, "doha"), found(desk, "geneva")) == ([], ["Talks in Geneva"])
    assert await index_search(desk.database) == 0


async def test_many_stories_are_indexed_a_batch_at_a_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 2)
    await desk.hears(*(entry(n) for n in range(5)))
    assert await index_search(desk.database) == 5
    assert len(found(desk, "talks")) == 5


async def test_fetches_that_found_nothing_are_forgotten_and_stories_never(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.poll()
    await desk.publish()
    # The one story stands in four formats.
    assert rows(desk) == (2, 4)
    desk.clock.move(6 * DAY)
    assert await forget_old(desk.database, desk.clock, KEEP) == 0
    desk.clock.move(25 * DAY)
    # Four fragments, one fetch, and the body that the story was read from.
    assert await forget_old(desk.database, desk.clock, KEEP) == 6
    assert rows(desk) == (1, 0)
    assert len(desk.stories()) == 1


async def test_a_channel_whose_fragments_were_forgotten_is_rendered_the_same(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    await desk.publish()
    before = desk.received().entries
    desk.clock.move(8 * DAY)
    await forget_old(desk.database, desk.clock, KEEP)
    desk.wire.says(entry(3), entry(2), entry(1))
    await desk.poll()
    assert (await desk.publish())[0].fresh == 3
    assert desk.received().entries[1:] == before
