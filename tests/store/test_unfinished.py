from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from aggregator.model import Act, Role
from aggregator.store import briefs, checks, unfinished
from aggregator.store.database import Database
from tests.conftest import NOW
from tests.store.newsroom import brief, heard, keep_stories, new_brief, record, says, written

MINUTE = timedelta(minutes=1)
ROW: list[Any] = ["place", "p1", "Riyadh", 0, 6, "Doha", ["https://w.example/1"], [], "The wire says Doha."]


def publish(database: Database, name: str = "riyadh", act: Act = Act.PUBLISHED, minutes: int = 1) -> None:
    at = NOW + minutes * MINUTE
    database.write_now(lambda s: briefs.publish(s, brief(database, name), act, by="ada", why="", now=at))


def pick(database: Database, story: int, minutes: int = 0) -> None:
    at, id = NOW + minutes * MINUTE, brief(database).id
    database.write_now(lambda s: briefs.pick(s, id, "p1", story, Role.SOURCE, by="ada", now=at))


def unpublished(database: Database) -> list[str]:
    return [one.slug for one in database.read_now(lambda s: unfinished.unpublished(s, limit=9))]


def found(database: Database, rows: list[Any], name: str = "riyadh") -> None:
    one = brief(database, name)
    database.write_now(lambda s: checks.put(s, one.id, one.revision.id, rows, now=NOW))


def test_a_draft_is_open_and_a_published_brief_is_not(database: Database) -> None:
    new_brief(database)
    new_brief(database, "doha", written("Doha.", title="Doha"))
    assert unpublished(database) == ["doha", "riyadh"]
    publish(database, "doha")
    assert unpublished(database) == ["riyadh"]


def test_a_brief_that_was_changed_since_is_open_again_until_that_is_published(database: Database) -> None:
    one = new_brief(database)
    publish(database)
    draft = written("Talks ended in Riyadh.")
    database.write_now(lambda s: briefs.revise(s, one.id, draft, by="ben", now=NOW + 2 * MINUTE))
    assert unpublished(database) == ["riyadh"]
    publish(database, act=Act.UPDATED, minutes=3)
    assert unpublished(database) == []


def test_a_brief_whose_picks_were_changed_since_is_open(database: Database) -> None:
    story = keep_stories(database, says("1"))["1"]
    one = new_brief(database)
    publish(database)
    pick(database, story, minutes=5)
    assert unpublished(database) == ["riyadh"]
    publish(database, act=Act.UPDATED, minutes=6)
    assert unpublished(database) == []
    database.write_now(lambda s: briefs.undo(s, one.id, "p1", story, by="ada", now=NOW + 7 * MINUTE))
    assert unpublished(database) == ["riyadh"]
    assert database.read_now(lambda s: unfinished.picks(s, [one.id])) == {}


def test_a_withdrawn_brief_is_never_open(database: Database) -> None:
    new_brief(database)
    publish(database)
    found(database, [ROW])
    publish(database, act=Act.WITHDRAWN, minutes=2)
    assert unpublished(database) == []
    assert database.read_now(lambda s: unfinished.found_checks(s, limit=9)) == []


def test_checks_of_an_older_text_are_not_those_of_the_newest(database: Database) -> None:
    one = new_brief(database)
    found(database, [ROW])
    ((heading, rows),) = database.read_now(lambda s: unfinished.found_checks(s, limit=9))
    assert (heading.slug, rows) == ("riyadh", [ROW])
    assert database.read_now(lambda s: unfinished.read(s, [one.id])) == {one.id}
    draft = written("Talks ended in Riyadh.")
    database.write_now(lambda s: briefs.revise(s, one.id, draft, by="ada", now=NOW))
    assert database.read_now(lambda s: unfinished.found_checks(s, limit=9)) == []
    assert database.read_now(lambda s: unfinished.read(s, [one.id])) == set()


def test_the_checks_that_somebody_decided_are_known(database: Database) -> None:
    one = new_brief(database)
    key = ("place", "Riyadh", "Doha")
    database.write_now(lambda s: checks.decide(s, one.id, key, "ignored", why="So.", by="ada", now=NOW))
    assert database.read_now(lambda s: unfinished.decided(s, [one.id])) == {(one.id, *key)}


def test_what_goes_out_by_itself_comes_in_its_order(database: Database) -> None:
    for slug, hours in (("riyadh", 5), ("doha", 2)):
        one = new_brief(database, slug, written(slug, title=slug))
        at = NOW + timedelta(hours=hours)
        database.write_now(lambda s, id=one.id, at=at: briefs.plan_release(s, id, at, by="ada"))
    new_brief(database, "kyiv", written("Kyiv."))
    planned = database.read_now(lambda s: unfinished.planned(s, limit=9))
    assert [(one.slug, one.release_by) for one in planned] == [("doha", "ada"), ("riyadh", "ada")]


def test_the_acts_of_a_day_come_newest_first(database: Database) -> None:
    new_brief(database)
    publish(database)
    publish(database, act=Act.UPDATED, minutes=3)
    acts = database.read_now(lambda s: unfinished.acts_since(s, NOW, limit=9))
    assert [(one.act, one.brief.slug, one.by) for one in acts] == [
        ("updated", "riyadh", "ada"),
        ("published", "riyadh", "ada"),
    ]
    later = database.read_now(lambda s: unfinished.acts_since(s, NOW + 2 * MINUTE, limit=9))
    assert [one.act for one in later] == ["updated"]


@pytest.mark.parametrize(("days", "told"), [(30, [(1, 2)]), (-1, [])])
def test_a_story_that_changed_under_a_published_brief_is_noticed(
    database: Database, days: int, told: list[tuple[int, int]]
) -> None:
    story = keep_stories(database, says("1"))["1"]
    new_brief(database)
    pick(database, story)
    publish(database)
    since = NOW - timedelta(days=days)
    assert database.read_now(lambda s: unfinished.changed_picks(s, since, limit=9)) == []
    record(database, heard(1, says("1", "Talks are off"), at=NOW + 2 * MINUTE))
    changed = database.read_now(lambda s: unfinished.changed_picks(s, since, limit=9))
    assert [(one.told, one.newest) for one in changed] == told
    publish(database, act=Act.UPDATED, minutes=9)
    assert database.read_now(lambda s: unfinished.changed_picks(s, since, limit=9)) == []
