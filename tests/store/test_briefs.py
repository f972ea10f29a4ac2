from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from aggregator.model import Act, BriefState, Publication, PublishedLink, Role
from aggregator.store import briefs
from aggregator.store.database import Database, StoreError
from aggregator.store.tables import REVISION, STORY_LINK
from tests.conftest import NOW
from tests.store.newsroom import brief, heard, keep_stories, new_brief, record, says, written

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def revise(database: Database, text: str, *, now: datetime = NOW + MINUTE) -> bool:
    return database.write_now(lambda s: briefs.revise(s, 1, written(text), by="bob", now=now))


def pick(database: Database, story: int, role: Role = Role.SOURCE, *, passage: str = "p1") -> bool:
    return database.write_now(lambda s: briefs.pick(s, 1, passage, story, role, by="ada", now=NOW))


def undo(database: Database, story: int) -> bool:
    return database.write_now(lambda s: briefs.undo(s, 1, "p1", story, by="bob", now=NOW + MINUTE))


def publish(database: Database, act: Act = Act.PUBLISHED, *, now: datetime = NOW, why: str = "") -> int:
    found = brief(database)
    return database.write_now(lambda s: briefs.publish(s, found, act, by="ada", why=why, now=now))


def published(database: Database) -> list[Publication]:
    return database.read_now(lambda s: briefs.publications(s, [1]))


def test_a_brief_is_read_back_as_it_was_written(database: Database) -> None:
    found = new_brief(database, draft=written("Переговори.", title="Ер-Ріяд"))
    assert (found.slug, found.state, found.created_at) == ("riyadh", BriefState.DRAFT, NOW)
    assert (found.revisions, found.links) == (1, ())
    revision = found.revision
    assert (revision.text, revision.title, revision.dated) == ("Переговори.", "Ер-Ріяд", date(2025, 2, 18))
    assert (revision.number, revision.saved_at, revision.saved_by, revision.language) == (1, NOW, "ada", "en")


def test_a_revision_is_added_and_the_first_stays(database: Database) -> None:
    new_brief(database)
    assert revise(database, "Talks close.") is True
    found = brief(database)
    assert (found.revision.text, found.revision.number, found.revisions) == ("Talks close.", 2, 2)
    assert (found.revision.saved_by, found.revision.saved_at) == ("bob", NOW + MINUTE)
    kept = database.read_now(
        lambda s: s.execute(select(REVISION.c.text).order_by(REVISION.c.number)).scalars().all()
    )
    assert kept == ["Talks open in Riyadh.", "Talks close."]


def test_saving_the_same_words_again_makes_no_revision(database: Database) -> None:
    new_brief(database)
    assert revise(database, "Talks open in Riyadh.") is False
    assert brief(database).revisions == 1


def test_a_brief_whose_name_is_taken_gets_the_next_number(database: Database) -> None:
    def free() -> str:
        return database.read_now(lambda s: briefs.free_slug(s, "talks"))

    assert free() == "talks"
    for slug in ("talks", "talks-2", "talks-in-riyadh"):
        new_brief(database, slug)
    assert free() == "talks-3"


def test_two_briefs_never_share_a_name(database: Database) -> None:
    new_brief(database)
    with pytest.raises(StoreError, match="refused"):
        new_brief(database)


def test_briefs_come_newest_first_and_go_by_name_or_id(database: Database) -> None:
    first, second = new_brief(database, "one"), new_brief(database, "two")
    assert database.read_now(briefs.all_briefs) == [second, first]
    assert brief(database, "one") == brief(database, str(first.id)) == first
    assert database.read_now(briefs.slugs) == {first.id: "one", second.id: "two"}


def test_a_name_that_is_a_number_comes_before_an_id(database: Database) -> None:
    new_brief(database, "one")
    year = new_brief(database, "1")
    assert brief(database, "1") == year


@pytest.mark.parametrize("name", ["nothing", "99", "²", "99999999999999999999"])
def test_a_brief_that_does_not_exist_is_not_found(database: Database, name: str) -> None:
    new_brief(database)
    assert database.read_now(lambda s: briefs.named(s, name)) is None


def test_a_picked_story_stands_with_who_picked_it(database: Database) -> None:
    ids = keep_stories(database, says("a"), says("b"))
    new_brief(database)
    assert pick(database, ids["b"], Role.QUOTE) is True
    assert pick(database, ids["a"], passage="p2") is True
    first, second = brief(database).links
    assert (first.passage, first.story_id, first.role) == ("p1", ids["b"], Role.QUOTE)
    assert (first.picked_by, first.picked_at, first.brief_id) == ("ada", NOW, 1)
    assert (second.passage, second.story_id) == ("p2", ids["a"])


def test_a_story_picked_twice_stands_once(database: Database) -> None:
    ids = keep_stories(database, says("a"))
    new_brief(database)
    assert (pick(database, ids["a"]), pick(database, ids["a"])) == (True, False)
    assert len(brief(database).links) == 1


def test_a_story_picked_in_another_role_changes_its_role_and_the_first_pick_is_kept(
    database: Database,
) -> None:
    ids = keep_stories(database, says("a"))
    new_brief(database)
    pick(database, ids["a"])
    assert pick(database, ids["a"], Role.CONTRADICTS) is True
    assert [link.role for link in brief(database).links] == [Role.CONTRADICTS]
    rows = database.read_now(
        lambda s: s.execute(select(STORY_LINK.c.role).order_by(STORY_LINK.c.id)).scalars().all()
    )
    assert rows == ["source", "contradicts"]


def test_a_pick_undone_stays_in_the_table_with_who_undid_it(database: Database) -> None:
    ids = keep_stories(database, says("a"))
    new_brief(database)
    pick(database, ids["a"])
    assert (undo(database, ids["a"]), undo(database, ids["a"])) == (True, False)
    assert brief(database).links == ()
    columns = (STORY_LINK.c.picked_by, STORY_LINK.c.undone_by, STORY_LINK.c.undone_at)
    (row,) = database.read_now(lambda s: s.execute(select(*columns)).all())
    assert tuple(row) == ("ada", "bob", NOW + MINUTE)
    assert pick(database, ids["a"]) is True
    assert len(brief(database).links) == 1


def test_publishing_records_the_picks_and_versions_as_they_were(database: Database) -> None:
    ids = keep_stories(database, says("a"))
    record(database, heard(1, says("a", "Changed")))
    new_brief(database)
    pick(database, ids["a"], Role.BACKGROUND)
    publish(database, now=NOW + timedelta(milliseconds=700))
    record(database, heard(1, says("a", "Changed again")))
    undo(database, ids["a"])
    revise(database, "Talks close.")
    (act,) = published(database)
    assert act.links == (PublishedLink("p1", ids["a"], 2, Role.BACKGROUND),)
    assert (act.act, act.at, act.by, act.revision.number) == (Act.PUBLISHED, NOW, "ada", 1)
    assert act.revision.text == "Talks open in Riyadh."
    assert brief(database).state is BriefState.PUBLISHED


def test_the_times_of_publications_strictly_rise_even_when_the_clock_does_not(database: Database) -> None:
    new_brief(database)
    for now in (NOW, NOW, NOW - MINUTE, NOW + MINUTE):
        publish(database, Act.UPDATED, now=now)
    assert [act.at for act in published(database)] == [NOW, NOW + SECOND, NOW + 2 * SECOND, NOW + MINUTE]


def test_a_withdrawn_brief_says_so_and_keeps_what_was_published(database: Database) -> None:
    new_brief(database)
    publish(database)
    publish(database, Act.WITHDRAWN, why="The source took it back.")
    assert brief(database).state is BriefState.WITHDRAWN
    assert [(act.act, act.why) for act in published(database)] == [
        (Act.PUBLISHED, ""),
        (Act.WITHDRAWN, "The source took it back."),
    ]
    publish(database, Act.CORRECTED, why="It stands after all.")
    assert brief(database).state is BriefState.PUBLISHED


def test_publications_are_of_one_brief_or_of_all_oldest_first(database: Database) -> None:
    new_brief(database)
    other = new_brief(database, "kyiv")
    one = publish(database)
    two = database.write_now(lambda s: briefs.publish(s, other, Act.PUBLISHED, by="bob", why="", now=NOW))
    three = publish(database, Act.UPDATED)
    assert [act.id for act in database.read_now(briefs.publications)] == [one, two, three]
    assert [act.id for act in published(database)] == [one, three]
