"""The wire of the desk, as its flow reads it: rows, order, states, pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.errors import BadInput
from aggregator.flows import desk_event, desk_wire, editorial
from aggregator.flows.desk_wire import Event, MarkedMeanwhile, WirePage
from aggregator.language.query import QueryError
from aggregator.model import Role
from aggregator.rules.wire_views import Cursor, View
from aggregator.store import clusters, event_marks, stories, topics, wire_rows
from aggregator.store.clusters import Placed
from aggregator.store.database import Database
from tests.conftest import NOW, Clock
from tests.store.newsroom import follow, heard, record, says, stored

MINUTE = timedelta(minutes=1)
ALL = View()


def keep(
    database: Database, count: int, *, prefix: str = "s", source: str = "https://w.example/feed"
) -> None:
    """Stories of one source, each a minute newer than the one before."""
    (number,) = follow(database, source)
    drafts = [
        says(f"{prefix}{n}", f"{prefix}{n} talks", published=NOW - (500 - n) * MINUTE) for n in range(count)
    ]
    record(database, heard(number, *drafts))
    while database.write_now(lambda s: stories.index_new(s, limit=100)):
        pass


def ids(database: Database) -> dict[str, int]:
    return {story.title.partition(" ")[0]: story.id for story in stored(database)}


def cluster(database: Database, *members: int, copy_of: int | None = None) -> int:
    first = members[0]
    placed = [Placed(each, first, copy_of or each, 1.0, "alike", None) for each in members]
    database.write_now(lambda s: clusters.record(s, placed, [], at=NOW))
    return first


def merge(database: Database, kept: int, gone: int) -> int:
    database.write_now(lambda s: clusters.record(s, [], [(kept, gone, "the same talks")], at=NOW))
    return database.read_now(lambda s: clusters.merges(s, gone))[-1].id


def page(database: Database, view: View = ALL, limit: int = 50, cursor: Cursor | None = None) -> WirePage:
    return database.read_now(lambda s: desk_wire.wire(s, view, now=NOW, limit=limit, cursor=cursor))


def shown(database: Database, view: View = ALL) -> list[str]:
    return titles(page(database, view).events)


def titles(events: tuple[Event, ...]) -> list[str]:
    return [event.line.title.partition(" ")[0] for event in events]


def everything(database: Database, view: View, limit: int) -> list[list[str]]:
    pages, cursor = [], None
    while not pages or cursor:
        one = page(database, view, limit, cursor)
        pages.append(titles(one.events))
        cursor = one.older
    return pages


async def mark(
    database: Database, story: int, act: str, *, by: str = "ada", why: str = "", decided: int = 0
) -> None:
    await desk_wire.mark(database, Clock(), story, act, decided=decided, why=why, by=by)


def test_an_event_is_one_row_at_the_place_of_its_newest_story(database: Database) -> None:
    keep(database, 5)
    known = ids(database)
    cluster(database, known["s0"], known["s3"])
    assert shown(database) == ["s4", "s3", "s2", "s1"]
    event = page(database).events[1]
    assert (event.company.size, event.root) == (2, known["s0"])


def test_no_body_and_no_entry_is_read_for_a_row(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(database, 2)
    monkeypatch.setattr("aggregator.store.tables.ValueJson.process_result_value", None)
    assert shown(database) == ["s1", "s0"]


@pytest.mark.parametrize("gathered", [0, 3_000])
def test_every_condition_holds_whether_stories_are_gathered_or_walked_over(
    database: Database, monkeypatch: pytest.MonkeyPatch, gathered: int
) -> None:
    monkeypatch.setattr(wire_rows, "MOST_GATHERED", gathered)
    monkeypatch.setattr(wire_rows, "FIRST_STEP", 2)
    keep(database, 12)
    known = ids(database)
    (other,) = follow(database, "https://other.example/feed")
    french = says("f", "fr négociations à Kyiv", language="fr", published=NOW - timedelta(days=3))
    record(database, heard(other, french))
    database.write_now(lambda s: stories.index_new(s, limit=100))
    database.write_now(lambda s: topics.declare(s, "talks", "Talks", "1"))
    taken = [(known["s3"], "talks"), (known["s7"], "talks")]
    database.write_now(lambda s: topics.decide(s, "talks", taken=taken, left=(), upto=1))
    assert shown(database, View(topic="talks")) == ["s7", "s3"]
    assert shown(database, View(language="fr")) == ["fr"]
    assert shown(database, View(source=str(other))) == ["fr"]
    assert shown(database, View(source="none")) == []
    assert shown(database, View(q="NEGOCIATIONS")) == ["fr"]
    assert shown(database, View(q="s3 OR fr")) == ["s3", "fr"]
    assert shown(database, View(q="s3 OR fr", span="1d")) == ["s3"]
    assert shown(database, View(q="talks -s11", topic="talks", language="en")) == ["s7", "s3"]
    assert shown(database, View(q="talks", language="fr")) == []
    assert len(shown(database, View(q="talks"))) == 12
    with pytest.raises(QueryError):
        shown(database, View(q='"open'))


@pytest.mark.parametrize("gathered", [0, 3_000])
def test_pages_lose_nothing_and_show_nothing_twice_while_stories_come_in(
    database: Database, monkeypatch: pytest.MonkeyPatch, gathered: int
) -> None:
    monkeypatch.setattr(wire_rows, "MOST_GATHERED", gathered)
    keep(database, 23)
    known = ids(database)
    cluster(database, known["s2"], known["s9"], known["s20"])
    cluster(database, known["s4"], known["s5"])
    view = View(q="talks")
    whole = [title for one in everything(database, view, 100) for title in one]
    assert len(whole) == len(set(whole)) == 20
    first = page(database, view, 7)
    late = [
        says("new", "new talks", published=NOW),
        # It would stand on a later page, and was not there when the first one was read.
        says("old", "old talks", published=NOW - 495 * MINUTE),
    ]
    (number,) = follow(database, "https://late.example/feed")
    record(database, heard(number, *late))
    database.write_now(lambda s: stories.index_new(s, limit=100))
    # An event further down gets a new story, which puts it on top for whoever begins anew.
    cluster(database, known["s4"], ids(database)["new"])
    rest, cursor = [], first.older
    while cursor:
        one = page(database, view, 7, cursor)
        rest.append(titles(one.events))
        cursor = one.older
    assert [title for some in [titles(first.events), *rest] for title in some] == whole
    assert shown(database, view)[0] == "new"


async def test_an_event_is_taken_spiked_with_a_reason_and_given_back(database: Database) -> None:
    keep(database, 3)
    story = ids(database)["s1"]
    await mark(database, story, "take")
    (taken,) = page(database, View(state="taken")).events
    assert taken.mark is not None
    assert (taken.mark.kind, taken.mark.by, taken.root) == ("taken", "ada", story)
    assert shown(database, View(state="open")) == ["s2", "s0"]
    with pytest.raises(BadInput, match="Say why"):
        await mark(database, story, "spike", why="  ")
    with pytest.raises(BadInput, match="one of its buttons"):
        await mark(database, story, "sell")
    with pytest.raises(BadInput, match="no story 99"):
        await mark(database, 99, "take")
    await mark(database, story, "spike", why="Old   news")
    assert shown(database) == ["s2", "s0"]
    (spiked,) = page(database, View(state="spiked")).events
    assert spiked.mark is not None
    assert spiked.mark.why == "Old news"
    await mark(database, story, "give_back")
    assert shown(database) == shown(database, View(state="open")) == ["s2", "s1", "s0"]
    assert shown(database, View(state="spiked")) == []
    kinds = [each.kind for each in database.read_now(lambda s: event_marks.histories(s, [story]))[story]]
    assert kinds == ["taken", "spiked", "given_back"]


async def test_whoever_decides_on_an_old_page_is_told_and_changes_nothing(database: Database) -> None:
    keep(database, 1)
    story = ids(database)["s0"]
    await mark(database, story, "take", by="bea")
    with pytest.raises(MarkedMeanwhile, match="bea took it meanwhile"):
        await mark(database, story, "spike", why="dull")
    (event,) = page(database).events
    assert event.mark is not None
    assert event.mark.by == "bea"
    await mark(database, story, "take", decided=event.decided)
    assert page(database).events[0].mark != event.mark


async def test_a_mark_outlives_a_merge_and_its_undoing(database: Database) -> None:
    keep(database, 4)
    known = ids(database)
    one, other = cluster(database, known["s0"]), cluster(database, known["s1"], known["s2"])
    await mark(database, known["s2"], "spike", why="dull")
    await mark(database, known["s0"], "take")
    done = merge(database, one, other)
    # The newest decision about either holds for both.
    (event,) = page(database, View(state="taken")).events
    assert (event.root, event.company.size) == (one, 3)
    assert shown(database, View(state="spiked")) == []
    await desk_event.undo_merge(database, Clock(), one, done, by="ada")
    assert shown(database, View(state="taken")) == ["s0"]
    assert shown(database, View(state="spiked")) == ["s2"]
    with pytest.raises(BadInput, match="does not stand any more"):
        await desk_event.undo_merge(database, Clock(), one, done, by="ada")


async def test_a_story_marked_before_it_is_clustered_keeps_its_mark(database: Database) -> None:
    keep(database, 2)
    known = ids(database)
    await mark(database, known["s1"], "take")
    cluster(database, known["s0"], known["s1"])
    (event,) = page(database, View(state="taken")).events
    assert event.root == known["s0"]
    assert shown(database, View(state="open")) == []


async def test_what_a_brief_uses_is_used_and_not_to_be_looked_at(database: Database) -> None:
    keep(database, 3)
    known = ids(database)
    cluster(database, known["s0"], known["s2"])
    text = "Talks open\n\n2025-02-18\n\nOfficials met on Tuesday.\n"
    await editorial.import_brief(database, Clock(), text, by="ada", slug="talks")
    await editorial.pick_story(database, Clock(), "talks", "p1", str(known["s0"]), Role.SOURCE, by="ada")
    assert shown(database, View(state="used")) == ["s2"]
    assert page(database).events[0].used_in == {"talks": "Talks open"}
    assert shown(database, View(state="open")) == ["s1"]


async def test_what_arrived_is_counted_by_events_that_meet_the_view(database: Database) -> None:
    keep(database, 3)
    since = page(database).newest
    assert database.read_now(lambda s: desk_wire.arrived(s, View(), since)) == 0
    keep(database, 5, prefix="n", source="https://n.example/feed")
    known = ids(database)
    cluster(database, known["n0"], known["n1"])
    await mark(database, known["n2"], "spike", why="dull")

    def count(view: View, limit: int = 99) -> int:
        return database.read_now(lambda s: desk_wire.arrived(s, view, since, limit, now=NOW))

    assert (count(View()), count(View(), 2)) == (3, 2)
    assert count(View(q="n1 OR s1")) == 1
    assert count(View(state="spiked")) == 1
    assert count(View(language="fr")) == 0


def test_an_event_shows_its_copies_under_the_first_and_what_versions_changed(database: Database) -> None:
    keep(database, 4)
    known = ids(database)
    root = cluster(database, known["s0"], known["s1"])
    cluster_copy = [Placed(known["s2"], root, known["s0"], 1.0, "the same text", "Reuters")]
    database.write_now(lambda s: clusters.record(s, cluster_copy, [], at=NOW))
    (number,) = follow(database, "https://w.example/feed")
    for minute, title in enumerate(("s1 talks end", "s1 talks fail")):
        draft = says("s1", title, published=NOW - 499 * MINUTE)
        record(database, heard(number, draft, at=NOW + minute * MINUTE))
    for story in (known["s0"], known["s2"]):
        seen = database.read_now(lambda s, story=story: desk_event.event_seen(s, story))
        assert (seen.root, seen.newest.id, seen.company.copies) == (root, known["s2"], 1)
        assert [text.line.id for text in seen.texts] == [known["s1"], known["s0"]]
    changed, first = seen.texts
    assert [copy.id for copy in first.copies] == [known["s2"]]
    assert [change.number for change in changed.changes] == [3, 2]
    assert [(s.kind, s.text) for s in changed.changes[0].parts["title"]][1:] == [
        ("gone", "end"),
        ("new", "fail"),
    ]
    assert not changed.has_more_changes


def test_an_event_has_room_for_so_many_changes_and_leads_to_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_event, "MOST_CHANGES", 2)
    monkeypatch.setattr(desk_event, "TEXTS", 2)
    keep(database, 3)
    known = ids(database)
    root = cluster(database, *sorted(known.values()))
    (number,) = follow(database, "https://w.example/feed")
    for minute in range(3):
        drafts = [
            says(key, f"{key} talks {minute}", published=NOW - (500 - n) * MINUTE)
            for n, key in enumerate(("s0", "s1", "s2"))
        ]
        record(database, heard(number, *drafts, at=NOW + minute * MINUTE))
    seen = database.read_now(lambda s: desk_event.event_seen(s, root))
    assert [len(text.changes) for text in seen.texts] == [2, 0]
    assert all(text.has_more_changes for text in seen.texts)
    asked = database.read_now(lambda s: desk_event.event_seen(s, root, compare=known["s1"]))
    assert [len(text.changes) for text in asked.texts] == [0, 2]
    rest = database.read_now(lambda s: desk_event.event_seen(s, root, behind=2))
    assert [text.line.id for text in rest.texts] == [known["s0"]]


def test_a_merge_of_merges_can_be_taken_back_one_by_one(database: Database) -> None:
    keep(database, 3)
    known = ids(database)
    one, two, three = (cluster(database, known[key]) for key in ("s0", "s1", "s2"))
    inner, outer = merge(database, two, three), merge(database, one, two)
    seen = database.read_now(lambda s: desk_event.event_seen(s, three))
    assert [each.id for each in seen.merges] == [outer, inner]
    assert replace(seen.merges[0], at=NOW) == seen.merges[0]
