from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from aggregator.flows import upkeep
from aggregator.flows.upkeep import KeepSettings, examine, forget_old, index_search
from aggregator.language.query import parse_query
from aggregator.store import accounts, stories
from aggregator.store.database import Database
from aggregator.store.tables import FETCH
from aggregator.store.tables_out import FRAGMENT
from tests.conftest import Clock
from tests.flows.briefs import release, write
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


async def told(desk: Desk) -> dict[str, tuple[bool, str]]:
    """What `doctor` finds, by name."""
    return {f.name: (f.is_well, f.says) for f in await examine(desk.database, desk.clock, KEEP)}


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


async def test_a_house_in_order_is_said_to_be_so(desk: Desk) -> None:
    await desk.hears(entry(1))
    await index_search(desk.database)
    await write(desk)
    await release(desk)
    await desk.database.write(lambda s: accounts.add(s, "ada", "editor", "digest", now=desk.clock()))
    said = await told(desk)
    assert all(is_well for is_well, _ in said.values()), said
    assert {name: says for name, (_, says) in said.items() if name != "schema"} == {
        "integrity": "every table and index is whole",
        "search": "1 stories are searchable",
        "connection": "our own connection has not failed in the last day",
        "alarms": "no alarm about a source stands",
        "sources": "1 sources, none silent",
        "briefs": "1 briefs, 1 of them published",
        "accounts": "1 may decide things",
    }


async def test_a_new_house_is_told_what_to_do_first(desk: Desk) -> None:
    said = await told(desk)
    assert said["sources"] == (False, "nothing is followed yet: `wirebrief sources add URL`")
    assert said["accounts"] == (
        False,
        "nobody may use the API yet: `wirebrief init` makes the first account.",
    )


async def test_stories_that_cannot_be_found_yet_are_counted(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    assert (await told(desk))["search"] == (
        False, "up to 2 versions are not searchable yet; `wirebrief poll` adds them.",
    )  # fmt: skip


async def test_a_source_that_fell_silent_is_named_with_its_reason(desk: Desk) -> None:
    await desk.hears(entry(1))
    desk.clock.move(2 * DAY)
    desk.wire.answers(404)
    await desk.poll()
    is_well, says = (await told(desk))["sources"]
    assert not is_well
    assert says.startswith("1 of 1 sources are silent: Harbour Wire (The server at 127.0.0.1 has no feed")


async def test_tables_changed_by_hand_are_named(sqlite_database: Database, clock: Clock) -> None:
    sqlite_database.write_now(lambda s: s.execute(text("ALTER TABLE source ADD COLUMN mood TEXT")))
    (schema, *_) = await examine(sqlite_database, clock, KEEP)
    assert not schema.is_well
    assert "changed by hand" in schema.says
    assert "mood" in schema.says


async def test_a_schema_of_another_age_is_named(sqlite_database: Database, clock: Clock) -> None:
    sqlite_database.write_now(lambda s: s.execute(text("UPDATE alembic_version SET version_num = 'r0000'")))
    (schema, *_) = await examine(sqlite_database, clock, KEEP)
    assert (schema.is_well, schema.says.endswith("run `wirebrief init`.")) == (False, True)
    assert schema.says.startswith("schema r0000 instead of ")


async def test_damage_is_found_and_a_way_out_is_named(sqlite_database: Database, clock: Clock) -> None:
    with sqlite_database.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        connection.rollback()
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("INSERT INTO story_topic (topic, story_id, why) VALUES ('talks', 1, '')")
        raw.execute("PRAGMA foreign_keys = ON")
    said = {f.name: f for f in await examine(sqlite_database, clock, KEEP)}
    assert not said["integrity"].is_well
    assert "story_topic" in said["integrity"].says
    assert said["integrity"].says.endswith("Put the last backup in its place.")


async def test_a_database_that_lacks_a_table_is_examined_to_the_end(
    sqlite_database: Database, clock: Clock
) -> None:
    sqlite_database.write_now(lambda s: s.execute(text("DROP TABLE account")))
    said = {f.name: f for f in await examine(sqlite_database, clock, KEEP)}
    assert (len(said), said["accounts"].is_well) == (8, False)
    assert "no such table: account" in said["accounts"].says
    assert said["briefs"].is_well
