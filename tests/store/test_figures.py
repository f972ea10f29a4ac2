from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text

from aggregator.outgoing import Carried, Told
from aggregator.store import carried, figures
from aggregator.store.database import Database
from feeds.model import Entry
from tests.conftest import NOW
from tests.store.newsroom import follow, heard, record, says

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def carry(database: Database, story: int, *channels: str, is_present: bool = True) -> None:
    """Let channels carry a story, before any document has it."""
    for channel in channels:
        row = Carried(
            channel=channel,
            entry_id=f"urn:{story}",
            kind="story",
            ref=story,
            entry=Entry(id=f"urn:{story}", updated=NOW),
            digest="1",
            dated=NOW,
            change=0,
            changed_at=NOW,
            told=Told.PUT,
            is_present=is_present,
            why="It belongs here.",
        )
        database.write_now(lambda s, row=row: carried.tell(s, [row]))


def served(database: Database, channel: str, at: datetime, *stories: int) -> None:
    """A document of a channel stands ready with these stories."""
    ids = [f"urn:{story}" for story in stories]
    database.write_now(lambda s: carried.serve(s, channel, ids, now=at))


def waits(database: Database, since: datetime = NOW - HOUR) -> list[timedelta]:
    """From first seen to ready, the shortest first."""
    pairs = database.read_now(lambda s: figures.desk_waits(s, since, newest=9))
    return sorted(end - begin for begin, end in pairs)


def test_stories_are_counted_in_the_hour_they_came_and_changes_are_none(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    record(database, heard(source, says("1"), says("2")))
    record(database, heard(source, says("3"), says("1", "Another title"), at=NOW + HOUR))
    edges = [NOW - HOUR, NOW, NOW + HOUR, NOW + 2 * HOUR]
    assert database.read_now(lambda s: figures.came(s, edges)) == [0, 2, 1]
    assert database.read_now(lambda s: figures.came(s, [])) == []


def test_languages_come_by_how_many_stories_are_in_them(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    record(database, heard(source, says("0", language="de"), at=NOW - HOUR))
    drafts = [says("1", language="fr"), says("2"), says("3", language="fr"), says("4", language=None)]
    record(database, heard(source, *drafts))
    assert database.read_now(lambda s: figures.languages(s, NOW)) == [("fr", 2), ("en", 1), (None, 1)]


def test_a_story_from_before_its_source_was_followed_is_no_late_one(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed", now=NOW)
    drafts = [
        says("old", published=NOW - HOUR),
        says("new", published=NOW + MINUTE),
        says("undated", published=None),
    ]
    record(database, heard(source, *drafts, at=NOW + 3 * MINUTE))
    found = database.read_now(lambda s: figures.wire_waits(s, NOW, newest=9))
    assert found == [(NOW + MINUTE, NOW + 3 * MINUTE)]


def test_the_first_document_that_has_a_story_counts_and_later_ones_do_not(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    record(database, heard(source, says("1"), says("2"), says("3")))
    carry(database, 1, "all", "talks")
    carry(database, 2, "all")
    carry(database, 3, "all", is_present=False)
    assert waits(database) == []
    served(database, "all", NOW + MINUTE, 1)
    served(database, "talks", NOW + 5 * MINUTE, 1)
    # Told anew and in another document, it has stood ready all along.
    carry(database, 1, "all")
    served(database, "all", NOW + 9 * MINUTE, 1, 2, 3)
    assert waits(database) == [MINUTE, 9 * MINUTE]


def test_a_story_seen_before_the_time_asked_for_is_not_measured(database: Database) -> None:
    (source,) = follow(database, "https://wire.example/feed")
    record(database, heard(source, says("1"), at=NOW - 2 * HOUR))
    carry(database, 1, "new")
    served(database, "new", NOW, 1)
    assert waits(database) == []


def test_counting_reads_an_index_and_no_story(sqlite_database: Database) -> None:
    plan = "EXPLAIN QUERY PLAN SELECT count(*) FROM version WHERE version.number = 1 AND seen_at >= '2025'"
    said = sqlite_database.read_now(lambda s: s.execute(text(plan)).all())
    assert "COVERING INDEX ix_version_came" in str(said)
