from __future__ import annotations

from datetime import timedelta

import pytest

from aggregator.store import clusters
from aggregator.store.clusters import ClusterView, Placed
from aggregator.store.database import Database
from tests.conftest import NOW
from tests.store.newsroom import follow, heard, record, says, stored


@pytest.fixture
def ids(database: Database) -> dict[str, int]:
    """Five stories of two sources, in three languages."""
    harbour, rada = follow(database, "https://harbour.example/feed", "https://rada.example/feed")
    english = [says(key, key, url=f"https://www.harbour.example/{key}") for key in "abc"]
    record(database, heard(harbour, *english))
    french = says("d", "d", language="fr", url="https://rada.example/d")
    polish = says("e", "e", language="pl", url="https://pl.rada.example/e")
    record(database, heard(rada, french, polish))
    return {story.title: story.id for story in stored(database)}


def place(
    database: Database, story: int, cluster: int, *, copy_of: int | None = None, agency: str | None = None
) -> None:
    placed = Placed(story, cluster, copy_of or story, 1.2, f"{story} joined", agency)
    database.write_now(lambda s: clusters.record(s, [placed], [], at=NOW))


def merge(database: Database, kept: int, gone: int) -> int:
    database.write_now(lambda s: clusters.record(s, [], [(kept, gone, "the same talks")], at=NOW))
    return database.read_now(lambda s: clusters.merges(s, gone))[-1].id


def undo(database: Database, merge_id: int) -> bool:
    return database.write_now(lambda s: clusters.undo_merge(s, merge_id, by="ada", at=NOW))


def view(database: Database, story: int) -> ClusterView:
    return database.read_now(lambda s: clusters.clusters_of(s, [story]))[story]


def roots(database: Database, ids: dict[str, int]) -> dict[str, int]:
    found = database.read_now(lambda s: clusters.places(s, list(ids.values())))
    return {name: found[story].root for name, story in ids.items() if story in found}


def test_an_editor_sees_outlets_agencies_and_languages(database: Database, ids: dict[str, int]) -> None:
    place(database, ids["a"], ids["a"], agency="reuters")
    place(database, ids["b"], ids["a"], copy_of=ids["a"], agency="reuters")
    place(database, ids["d"], ids["a"], agency="afp")
    place(database, ids["e"], ids["a"])
    seen = view(database, ids["d"])
    assert seen == ClusterView(
        id=ids["a"],
        size=4,
        outlets=("harbour.example", "pl.rada.example", "rada.example"),
        agencies=("afp", "reuters"),
        languages=("en", "fr", "pl"),
        copies=1,
    )
    assert str(seen) == "3 outlets, 2 agencies, 3 languages"


def test_a_story_alone_is_one_outlet_in_one_language(database: Database, ids: dict[str, int]) -> None:
    place(database, ids["a"], ids["a"], agency="afp")
    assert str(view(database, ids["a"])) == "1 outlet, 1 agency, 1 language"


def test_a_story_not_clustered_yet_has_no_cluster(database: Database, ids: dict[str, int]) -> None:
    assert database.read_now(lambda s: clusters.clusters_of(s, list(ids.values()))) == {}
    assert database.read_now(lambda s: clusters.why(s, ids["a"])) is None


def test_why_a_story_is_where_it_is_stands_beside_it(database: Database, ids: dict[str, int]) -> None:
    place(database, ids["a"], ids["a"])
    assert database.read_now(lambda s: clusters.why(s, ids["a"])) == f"{ids['a']} joined"


def test_a_merge_shows_both_clusters_as_one(database: Database, ids: dict[str, int]) -> None:
    for name, cluster in (("a", "a"), ("b", "a"), ("c", "c"), ("d", "c")):
        place(database, ids[name], ids[cluster])
    merge(database, ids["a"], ids["c"])
    assert set(roots(database, ids).values()) == {ids["a"]}
    assert view(database, ids["d"]).size == 4


def test_undoing_a_merge_restores_both_clusters_exactly(database: Database, ids: dict[str, int]) -> None:
    for name, cluster in (("a", "a"), ("b", "a"), ("c", "c"), ("d", "c")):
        place(database, ids[name], ids[cluster])
    before = database.read_now(lambda s: clusters.clusters_of(s, list(ids.values())))
    merged = merge(database, ids["a"], ids["c"])
    assert undo(database, merged)
    assert database.read_now(lambda s: clusters.clusters_of(s, list(ids.values()))) == before


def test_what_joined_after_a_merge_stays_with_the_kept_cluster(
    database: Database, ids: dict[str, int]
) -> None:
    place(database, ids["a"], ids["a"])
    place(database, ids["c"], ids["c"])
    merged = merge(database, ids["a"], ids["c"])
    place(database, ids["d"], ids["a"])
    undo(database, merged)
    assert roots(database, ids) == {"a": ids["a"], "c": ids["c"], "d": ids["a"]}


def test_undoing_the_later_of_two_merges_keeps_the_earlier(database: Database, ids: dict[str, int]) -> None:
    for name in "abc":
        place(database, ids[name], ids[name])
    merge(database, ids["b"], ids["c"])
    later = merge(database, ids["a"], ids["b"])
    assert set(roots(database, ids).values()) == {ids["a"]}
    undo(database, later)
    assert roots(database, ids) == {"a": ids["a"], "b": ids["b"], "c": ids["b"]}


def test_undoing_the_earlier_of_two_merges_keeps_the_later(database: Database, ids: dict[str, int]) -> None:
    for name in "abc":
        place(database, ids[name], ids[name])
    earlier = merge(database, ids["b"], ids["c"])
    merge(database, ids["a"], ids["b"])
    undo(database, earlier)
    assert roots(database, ids) == {"a": ids["a"], "b": ids["a"], "c": ids["c"]}


def test_a_merge_says_why_and_who_undid_it(database: Database, ids: dict[str, int]) -> None:
    place(database, ids["a"], ids["a"])
    place(database, ids["c"], ids["c"])
    merged = merge(database, ids["a"], ids["c"])
    assert undo(database, merged)
    (told,) = database.read_now(lambda s: clusters.merges(s, ids["a"]))
    assert (told.kept, told.gone, told.why) == (ids["a"], ids["c"], "the same talks")
    assert (told.undone_by, told.undone_at) == ("ada", NOW)
    assert database.read_now(clusters.parted) == [(ids["a"], ids["c"])]
    assert database.read_now(clusters.undone) == 1


def test_a_merge_is_undone_once(database: Database, ids: dict[str, int]) -> None:
    place(database, ids["a"], ids["a"])
    place(database, ids["c"], ids["c"])
    merged = merge(database, ids["a"], ids["c"])
    assert undo(database, merged)
    assert not undo(database, merged)
    assert not undo(database, 9_999)


def test_a_parted_pair_is_told_as_what_it_is_part_of_now(database: Database, ids: dict[str, int]) -> None:
    for name in "abc":
        place(database, ids[name], ids[name])
    undo(database, merge(database, ids["b"], ids["c"]))
    merge(database, ids["a"], ids["b"])
    assert database.read_now(clusters.parted) == [(ids["a"], ids["c"])]


def test_a_story_that_was_alone_may_move(database: Database, ids: dict[str, int]) -> None:
    place(database, ids["a"], ids["a"])
    place(database, ids["b"], ids["b"])
    place(database, ids["b"], ids["a"])
    assert roots(database, ids) == {"a": ids["a"], "b": ids["a"]}


def test_of_two_workers_with_one_batch_one_moves_the_cursor(database: Database) -> None:
    assert database.write_now(lambda s: clusters.advance(s, 0, 5))
    assert not database.write_now(lambda s: clusters.advance(s, 0, 5))
    assert database.read_now(clusters.cursor) == 5


def test_stories_wait_in_the_order_they_came_with_their_newest_version(
    database: Database, ids: dict[str, int]
) -> None:
    texts = database.read_now(lambda s: clusters.waiting(s, 0, limit=9))
    assert [text.title for text in texts] == ["c", "b", "a", "e", "d"]
    assert texts[0].outlet == "harbour.example"
    later = NOW + timedelta(hours=1)
    record(database, heard(1, says("a", "a again", url="https://www.harbour.example/a"), at=later))
    again = database.read_now(lambda s: clusters.waiting(s, 0, limit=9))
    assert [text.title for text in again] == ["c", "b", "e", "d", "a again"]
    assert database.read_now(lambda s: clusters.seen_at(s, again[-1].version_id)) == later
    assert database.read_now(lambda s: clusters.seen_at(s, 9_999)) is None


def test_a_window_is_read_back_as_it_stood_at_the_cursor(database: Database, ids: dict[str, int]) -> None:
    place(database, ids["a"], ids["a"])
    place(database, ids["b"], ids["a"], copy_of=ids["a"])
    texts = database.read_now(lambda s: clusters.waiting(s, 0, limit=9))
    upto = texts[2].version_id
    later = NOW + timedelta(hours=1)
    record(database, heard(1, says("a", "a again", url="https://www.harbour.example/a"), at=later))
    found = database.read_now(lambda s: clusters.clustered(s, upto, since=NOW - timedelta(days=1)))
    assert [(text.title, root, group) for text, root, group in found] == [
        ("b", ids["a"], ids["a"]),
        ("a", ids["a"], ids["a"]),
    ]
    assert database.read_now(lambda s: clusters.clustered(s, upto, since=later)) == []


def test_many_stories_are_written_and_read_in_several_statements(narrow: Database) -> None:
    (source,) = follow(narrow, "https://harbour.example/feed")
    record(narrow, heard(source, *(says(f"k{n}", f"Story {n}") for n in range(120))))
    found = sorted(story.id for story in stored(narrow))
    placed = [Placed(story, found[0], story, 1.0, "the same", None) for story in found]
    narrow.write_now(lambda s: clusters.record(s, placed, [], at=NOW))
    views = narrow.read_now(lambda s: clusters.clusters_of(s, found))
    assert {seen.size for seen in views.values()} == {120}
