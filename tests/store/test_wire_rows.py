"""The light rows of the wire, saved views, and the search index by stretches of ids."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aggregator.language.query import parse_query
from aggregator.store import event_marks, event_rows, saved_views, stories, wire_rows
from aggregator.store.database import Database
from aggregator.store.wire_rows import MOST_SUMMARY, MOST_TITLE, Asked
from tests.conftest import NOW
from tests.store.newsroom import follow, heard, keep_stories, record, says


def test_a_book_in_a_title_or_a_summary_is_read_cut(database: Database) -> None:
    story = keep_stories(database, says("1", "T" * 2_000, summary="S" * 5_000, body="B" * 9_000))["1"]
    line = database.read_now(lambda s: wire_rows.lines(s, [story, 99]))[story]
    assert (len(line.title), len(line.summary)) == (MOST_TITLE, MOST_SUMMARY)
    assert (line.source_name, line.at, line.versions) == ("wire.example", NOW, 1)


def test_stories_of_one_time_have_an_order_of_their_own(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_rows, "FIRST_STEP", 2)
    monkeypatch.setattr(wire_rows, "FIRST_WINDOW", 2)
    known = keep_stories(database, *[says(str(n)) for n in range(7)])
    while database.write_now(lambda s: stories.index_new(s, limit=100)):
        pass
    newest = sorted(known.values(), reverse=True)
    for gathered in (0, 3_000):
        monkeypatch.setattr(wire_rows, "MOST_GATHERED", gathered)
        for asked in (Asked(), Asked(query=parse_query("talks"))):
            found = database.read_now(lambda s, asked=asked: list(wire_rows.newest_first(s, asked)))
            assert [each.story for each in found] == newest
            place = found[3].place
            rest = database.read_now(lambda s, a=asked, p=place: list(wire_rows.newest_first(s, a, before=p)))
            assert [each.story for each in rest] == newest[4:]


def test_a_story_of_many_versions_is_one_story_of_its_language(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_rows, "MOST_GATHERED", 3)
    (source,) = follow(database, "https://wire.example/feed")
    for minute in range(6):
        drafts = [says("a", f"Old {minute}", published=NOW), says(str(minute), published=NOW)]
        record(database, heard(source, *drafts, at=NOW + timedelta(minutes=minute)))
    found = database.read_now(lambda s: list(wire_rows.newest_first(s, Asked(language="en"))))
    assert len(found) == 7


def test_what_was_there_when_reading_began_is_all_that_counts(database: Database) -> None:
    known = keep_stories(database, says("1"), says("2"))
    found = database.read_now(lambda s: list(wire_rows.newest_first(s, Asked(upto=min(known.values())))))
    assert [each.story for each in found] == [min(known.values())]
    assert database.read_now(wire_rows.newest_story) == max(known.values())


def test_only_new_stories_came_after_a_version(database: Database) -> None:
    known = keep_stories(database, says("1"), says("2"))
    before = database.read_now(stories.newest_version)
    (source,) = follow(database, "https://wire.example/feed")
    record(database, heard(source, says("1", "Changed"), says("3"), at=NOW + timedelta(hours=1)))
    found = database.read_now(lambda s: wire_rows.came_after(s, before, limit=10))
    assert len(found) == 1
    assert found[0] not in known.values()
    assert database.read_now(lambda s: wire_rows.came_after(s, 0, limit=1)) == found


def test_what_the_wire_can_be_narrowed_to_is_read_from_the_sources(database: Database) -> None:
    (harbour,) = follow(database, "https://harbour.example/feed", title="harbour")
    (rada,) = follow(database, "https://rada.example/feed", title="Rada")
    assert database.read_now(wire_rows.source_names) == [(harbour, "harbour"), (rada, "Rada")]
    assert database.read_now(wire_rows.languages) == set()


def test_more_ids_than_fit_into_one_statement_are_looked_at(narrow: Database) -> None:
    known = keep_stories(narrow, *[says(str(n), published=NOW - timedelta(minutes=n)) for n in range(400)])
    found = narrow.read_now(lambda s: wire_rows.among(s, Asked(), known.values()))
    assert [each.story for each in found] == [known[str(n)] for n in range(400)]
    ids = list(known.values())
    narrow.write_now(lambda s: event_marks.add(s, ids[7], "taken", why="", by="ada", now=NOW))
    assert set(narrow.read_now(lambda s: event_marks.newest(s, ids))) == {ids[7]}
    assert narrow.read_now(lambda s: event_marks.marked(s, "taken")) == {ids[7]}
    assert narrow.read_now(lambda s: event_rows.companies(s, ids)) == {}


def test_the_feed_of_a_view_opens_to_its_whole_key_alone(database: Database) -> None:
    for name in ("b", "A"):
        database.write_now(lambda s, name=name: saved_views.save(s, name, "q=x", by="ada", now=NOW))
    one, other = database.read_now(saved_views.all_views)
    assert (one.name, other.name, len(one.token) > 40) == ("A", "b", True)

    def opened(key: str) -> object:
        return database.read_now(lambda s: saved_views.by_key(s, key))

    assert opened(one.key) == one
    for wrong in (one.token, f"{one.id}-", f"{other.id}-{one.token}", f"{one.key}x", "99-x", "é-é", ""):
        assert opened(wrong) is None
    assert database.write_now(lambda s: saved_views.remove(s, one.id))
    assert not database.write_now(lambda s: saved_views.remove(s, one.id))
    assert opened(one.key) is None
