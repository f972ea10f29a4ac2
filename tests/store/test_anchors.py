"""The anchor index on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest

from aggregator.language.reading import Anchor
from aggregator.model import FetchReport, Outcome, SourceDraft, StoryDraft
from aggregator.store import anchors, fetches, sources
from aggregator.store.database import Database
from feeds.model import Entry
from tests.conftest import NOW

TITLE = "Rubio meets Lavrov in Riyadh"


def name(key: str, start: int = 0) -> Anchor:
    return Anchor("name", key, start, start + 5)


@pytest.fixture
def three(database: Database) -> list[int]:
    """Three stories, a day apart, the newest first."""
    (source,) = database.write_now(lambda s: sources.add(s, [SourceDraft("https://a.example/feed")], now=NOW))
    drafts = tuple(
        StoryDraft(
            f"k{n}", f"urn:s:{n}", f"https://a.example/{n}", "en", "Lead.", "", f"d{n}",
            Entry(id=f"k{n}", title=TITLE, published=NOW - timedelta(days=n)),
        )
        for n in range(3)
    )  # fmt: skip
    report = FetchReport(source, NOW, Outcome.FETCHED, NOW, "", drafts=drafts)
    database.write_now(partial(fetches.record, reports=[report]))
    return [3, 2, 1]


def put(database: Database, read: dict[int, Sequence[Anchor]], upto: int = 3) -> None:
    since = database.read_now(anchors.indexed_upto)
    assert database.write_now(partial(anchors.put, read=read, since=since, upto=upto))


def test_a_story_is_found_by_its_rarest_facts(database: Database, three: list[int]) -> None:
    newest, middle, oldest = three
    put(
        database,
        {newest: [name("rb"), name("lvrv", 12)], middle: [name("rb")], oldest: [Anchor("place", "SA", 0, 5)]},
    )
    found = database.read_now(partial(anchors.candidates, keys={("name", "rb"), ("name", "lvrv")}))
    assert [story.id for story in found] == [newest, middle]
    assert found[0].anchors == (name("rb"), name("lvrv", 12))
    assert (found[0].title, found[0].source) == (TITLE, "https://a.example/feed")
    assert database.read_now(anchors.documents) == 3
    assert database.read_now(anchors.indexed_upto) == 3


def test_a_window_of_days_leaves_the_others_out(database: Database, three: list[int]) -> None:
    put(database, {story: [name("rb")] for story in three})
    look = partial(anchors.candidates, keys={("name", "rb")})
    since = database.read_now(partial(look, since=NOW - timedelta(hours=36)))
    until = database.read_now(partial(look, until=NOW - timedelta(hours=36)))
    assert [s.id for s in since] == sorted(three[:2])
    assert [s.id for s in until] == [three[2]]


def test_how_common_a_fact_is_follows_the_stories(database: Database, three: list[int]) -> None:
    newest, middle, oldest = three
    put(database, {story: [name("rb"), Anchor("term", "en:rubio", 0, 5)] for story in three})
    keys = {("name", "rb"), ("name", "ptn"), ("term", "en:rubio")}
    assert database.read_now(partial(anchors.counts, keys=keys)) == {("name", "rb"): 3}
    put(database, {newest: [name("ptn")]}, upto=4)
    assert database.read_now(partial(anchors.counts, keys=keys)) == {("name", "rb"): 2, ("name", "ptn"): 1}
    found = database.read_now(partial(anchors.candidates, keys={("name", "rb")}))
    assert {story.id for story in found} == {middle, oldest}


def test_the_rolling_window_is_counted_anew(database: Database, three: list[int]) -> None:
    put(database, {story: [name("rb")] for story in three})
    database.write_now(partial(anchors.recount, since=NOW - timedelta(hours=1)))
    assert database.read_now(partial(anchors.counts, keys={("name", "rb")})) == {("name", "rb"): 1}
    database.write_now(partial(anchors.recount, since=NOW + timedelta(hours=1)))
    assert database.read_now(partial(anchors.counts, keys={("name", "rb")})) == {}


def test_a_fact_in_too_many_stories_finds_nobody(
    database: Database, three: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(database, {story: [name("rb")] for story in three})
    monkeypatch.setattr(anchors, "COMMON", 2)
    assert database.read_now(partial(anchors.candidates, keys={("name", "rb")})) == []


def test_only_the_anchors_asked_for_are_read(database: Database, three: list[int]) -> None:
    put(database, {three[0]: [name("rb"), Anchor("number", "4h", 6, 9, 0.5, 2)]})
    found = database.read_now(
        partial(anchors.by_ids, ids=three, keep=anchors.Kept(frozenset({"number"}), frozenset()))
    )
    assert [story.anchors for story in found] == [(Anchor("number", "4h", 6, 9, 0.5, 2),)]


def test_indexing_the_same_again_changes_nothing(database: Database, three: list[int]) -> None:
    for _ in range(2):
        put(database, {story: [name("rb")] for story in three})
    assert database.read_now(partial(anchors.counts, keys={("name", "rb")})) == {("name", "rb"): 3}
