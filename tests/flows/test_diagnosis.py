"""`doctor`: each damage is done by hand, found, explained, and mended where that is safe."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from aggregator.flows import diagnosis
from aggregator.flows.diagnosis import Visit, examine
from aggregator.flows.mending import mend
from aggregator.flows.remembered import memory_of
from aggregator.flows.upkeep import KeepSettings, index_search
from aggregator.language.query import parse_query
from aggregator.store import accounts, backups, queue_tables, stories
from aggregator.store.database import Database, sqlite_path
from aggregator.work.queue import schema_sql, schema_version
from tests.conftest import Clock
from tests.flows.briefs import release, write
from tests.flows.wire import Desk, entry

DAY = timedelta(days=1)
KEEP = KeepSettings()


async def told(desk: Desk) -> dict[str, tuple[bool, str]]:
    """What `doctor` finds, by name."""
    return {f.name: (f.is_well, f.says) for f in await examine(desk.database, desk.clock, KEEP)}


async def test_a_house_in_order_is_said_to_be_so(desk: Desk) -> None:
    await desk.hears(entry(1))
    await index_search(desk.database)
    await write(desk)
    await release(desk)
    await desk.database.write(lambda s: accounts.add(s, "ada", "editor", now=desk.clock()))
    said = await told(desk)
    assert all(is_well for is_well, _ in said.values()), said
    own = ("schema", "disk", "permissions", "queue")
    assert {name: says for name, (_, says) in said.items() if name not in own} == {
        "integrity": "every table and index is whole",
        "stories": "1 stories, each with its newest version",
        "cursors": "nobody has read further than what there is",
        "documents": "every document is the same in each of its codings",
        "picks": "every pick and every published entry leads to its story",
        "clock": "the clock goes on from the last fetch",
        "backups": "no backup was made yet, and nothing old would be lost",
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
    assert "put the last backup in its place (`wirebrief restore FILE`)" in said["integrity"].says


async def test_a_database_that_lacks_a_table_is_examined_to_the_end(
    sqlite_database: Database, clock: Clock
) -> None:
    sqlite_database.write_now(lambda s: s.execute(text("DROP TABLE account")))
    said = {f.name: f for f in await examine(sqlite_database, clock, KEEP)}
    assert (len(said), said["accounts"].is_well) == (17, False)
    assert "no such table: account" in said["accounts"].says
    assert said["briefs"].is_well


def tamper(desk: Desk, *statements: str) -> None:
    """What somebody does by hand, past every reference."""
    for statement in statements:
        with desk.database.engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            connection.rollback()
            if desk.database.is_sqlite:
                raw.execute("PRAGMA foreign_keys = OFF")
            else:
                raw.execute("SET session_replication_role = replica")
            raw.execute(statement)
            if desk.database.is_sqlite:
                raw.execute("PRAGMA foreign_keys = ON")
            else:
                raw.commit()
                raw.execute("SET session_replication_role = origin")
                raw.commit()


async def mended(desk: Desk) -> list[str]:
    """What `doctor --mend` says that it mended."""
    visit = Visit(desk.database, desk.clock(), KEEP)
    return await mend(visit, await examine(desk.database, desk.clock, KEEP))


@pytest.fixture
async def busy(desk: Desk) -> Desk:
    """A desk with three stories, one of them in two versions, a brief, and documents."""
    await desk.hears(entry(1), entry(2), entry(3))
    desk.wire.says(entry(1, "Talks in Geneva"), entry(2), entry(3))
    await desk.poll()
    await index_search(desk.database)
    await write(desk)
    await release(desk)
    await desk.publish()
    assert [name for name, (is_well, _) in (await told(desk)).items() if not is_well] == ["accounts"]
    return desk


async def test_a_story_that_forgot_its_newest_version_is_named_and_mended(busy: Desk) -> None:
    before = {story.id: (story.versions, story.digest) for story in busy.stories()}
    changed = max(before, key=lambda id: before[id])
    tamper(busy, "UPDATE story SET versions = 1, digest = 'x:y'")
    is_well, says = (await told(busy))["stories"]
    assert (is_well, says.startswith("3 stories do not say what their newest version says (1, 2, 3)")) == (
        False,
        True,
    )
    assert await mended(busy) == ["stories"]
    assert (await told(busy))["stories"][0]
    assert before[changed][0] == 2
    assert {story.id: (story.versions, story.digest) for story in busy.stories()} == before


async def test_a_search_index_with_holes_is_made_anew(busy: Desk) -> None:
    row = "rowid" if busy.database.is_sqlite else "story_id"
    tamper(busy, f"DELETE FROM story_search WHERE {row} = 2")  # noqa: S608
    is_well, says = (await told(busy))["search"]
    assert (is_well, says.startswith("1 stories are not in the search index and 0 ")) == (False, True)
    assert await mended(busy) == ["search"]
    assert (await told(busy))["search"] == (True, "3 stories are searchable")
    asked = parse_query("geneva")
    assert len(busy.database.read_now(lambda s: stories.find(s, asked))) == 1


async def test_who_says_to_have_read_too_far_goes_on_from_what_is_there(busy: Desk) -> None:
    tamper(
        busy,
        "UPDATE progress SET upto = 900 WHERE name = 'search'",
        "INSERT INTO progress (name, upto) VALUES ('clusters', 900)",
    )
    is_well, says = (await told(busy))["cursors"]
    assert (is_well, says.startswith("clusters, search: said to have read more")) == (False, True)
    assert await mended(busy) == ["cursors"]
    said = await told(busy)
    assert (said["cursors"][0], said["search"][0]) == (True, True)


async def test_a_document_whose_twins_differ_is_rendered_anew(busy: Desk) -> None:
    before = busy.received()
    tamper(busy, "UPDATE document SET gzip = br WHERE format = 'atom'")
    is_well, says = (await told(busy))["documents"]
    assert (is_well, says.startswith("wire.atom: readers get something else compressed")) == (False, True)
    assert await mended(busy) == ["documents"]
    assert (await told(busy))["documents"][0]
    assert busy.received() == before


async def test_a_document_that_is_damaged_itself_is_rendered_anew(busy: Desk) -> None:
    before = busy.received()
    tamper(busy, "UPDATE document SET body = gzip WHERE format = 'atom'")
    assert await mended(busy) == ["documents"]
    memory_of(busy.database).idle.clear()
    await busy.publish()
    assert (await told(busy))["documents"][0]
    assert busy.received() == before


async def test_a_published_source_that_is_gone_is_named_and_left_to_a_backup(busy: Desk) -> None:
    tamper(busy, "DELETE FROM version WHERE story_id = 3", "DELETE FROM story WHERE id = 3")
    is_well, says = (await told(busy))["picks"]
    assert (is_well, says.startswith("1 entries of channels stand for what is gone (3)")) == (False, True)
    assert "picks" not in await mended(busy)


async def test_a_clock_that_was_set_back_is_noticed_and_sources_are_asked_again(busy: Desk) -> None:
    busy.clock.move(-DAY)
    is_well, says = (await told(busy))["clock"]
    assert (is_well, "the last fetch was at 2025-02-18 09:00 UTC, and now it is 2025-02-17" in says) == (
        False,
        True,
    )
    assert await mended(busy) == ["clock"]
    busy.clock.move(DAY)
    tamper(busy, "UPDATE source SET next_due = '2025-03-18 09:00:00.000000'")
    assert (await told(busy))["clock"][1].startswith("1 sources are not asked for days to come (1)")
    assert await mended(busy) == ["clock"]
    assert (await told(busy))["clock"][0]


async def test_what_came_long_ago_and_stands_in_no_backup_is_told(busy: Desk) -> None:
    busy.clock.move(8 * DAY)
    is_well, says = (await told(busy))["backups"]
    assert (is_well, says.startswith("no backup was ever made here: what came since 2025-02-18")) == (
        False,
        True,
    )
    busy.database.write_now(lambda s: backups.remember(s, stories.newest_version(s)))
    assert (await told(busy))["backups"] == (True, "all that came before the last days stands in a backup")
    never = KeepSettings(backups=timedelta())
    found = {f.name: f for f in await examine(busy.database, busy.clock, never)}
    assert found["backups"].is_well


async def test_a_disk_that_fills_is_told_before_it_is_full(
    sqlite_database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "ROOM", 2**60)
    said = {f.name: f for f in await examine(sqlite_database, clock, KEEP)}
    assert (said["disk"].is_well, "when it is full nothing new is kept" in said["disk"].says) == (False, True)


async def test_a_file_that_others_may_read_is_closed(sqlite_database: Database, clock: Clock) -> None:
    path = sqlite_path(sqlite_database.url)
    assert path is not None
    path.chmod(0o644)
    found = await examine(sqlite_database, clock, KEEP)
    said = {f.name: f for f in found}
    assert (said["permissions"].is_well, "-rw-r--r--" in said["permissions"].says) == (False, True)
    assert await mend(Visit(sqlite_database, clock(), KEEP), found) == ["permissions"]
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_new_database_is_nobody_elses_to_read(tmp_path: Path) -> None:
    from aggregator.store import schema

    mask = os.umask(0)
    try:
        with Database(f"sqlite:///{tmp_path / 'new.db'}") as database:
            schema.prepare(database)
    finally:
        os.umask(mask)
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600


async def test_nothing_is_written_into_a_database_that_is_damaged(busy: Desk) -> None:
    tamper(busy, "UPDATE story SET versions = 1 WHERE id = 1", "DROP TABLE outage")
    try:
        assert await mended(busy) == []
    finally:
        _ = sqlite_path(busy.database.url) or _remake(busy.database)


def _remake(database: Database) -> None:
    from aggregator.store.tables_ingest import OUTAGE

    with database.engine.begin() as connection:
        OUTAGE.create(connection)


async def test_jobs_that_nobody_takes_are_told(postgresql_database: Database, clock: Clock) -> None:
    queue_tables.prepare(postgresql_database, schema_sql(), schema_version())
    jobs = f"{queue_tables.QUEUE}.procrastinate_jobs"
    events = f"{queue_tables.QUEUE}.procrastinate_events"

    def wait(session: object) -> None:
        run = session.execute  # type: ignore[attr-defined]
        run(text(f"SET LOCAL search_path TO {queue_tables.QUEUE}"))
        run(text(f"INSERT INTO {jobs} (queue_name, task_name, status) VALUES ('q', 'fetch', 'todo')"))  # noqa: S608
        run(text(f"UPDATE {events} SET at = :at"), {"at": clock() - timedelta(hours=1)})  # noqa: S608

    postgresql_database.write_now(wait)
    said = {f.name: f for f in await examine(postgresql_database, clock, KEEP)}
    assert said["queue"].says == (
        "1 jobs wait, the oldest since 2025-02-18 08:00 UTC; no worker is there: start `wirebrief worker`."
    )
    postgresql_database.write_now(lambda s: s.execute(text(f"DROP SCHEMA {queue_tables.QUEUE} CASCADE")))


async def test_a_number_that_would_be_given_twice_is_told_and_mended(
    postgresql_database: Database, clock: Clock
) -> None:
    row = "INSERT INTO outage (id, began_at, ended_at, why) VALUES (7, '2025-02-01', '2025-02-01', '')"
    postgresql_database.write_now(lambda s: s.execute(text(row)))
    found = await examine(postgresql_database, clock, KEEP)
    said = {f.name: f for f in found}
    assert said["stories"].says.startswith("the next row of outage would get a number that is taken")
    assert await mend(Visit(postgresql_database, clock(), KEEP), found) == ["stories"]
    assert {f.name: f for f in await examine(postgresql_database, clock, KEEP)}["stories"].is_well
