from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from aggregator.language.query import parse_query
from aggregator.store import progress, stories, topics
from aggregator.store.database import Database
from tests.conftest import NOW
from tests.store.newsroom import follow, heard, keep_stories, record, says, stored, titles

HOUR = timedelta(hours=1)


def index(database: Database, *, limit: int = 100) -> int:
    return database.write_now(lambda s: stories.index_new(s, limit=limit))


def search(database: Database, query: str) -> list[str]:
    parsed = parse_query(query)
    return sorted(titles(database.read_now(lambda s: stories.find(s, parsed))))


def test_stories_come_newest_first_and_no_more_than_asked_for(database: Database) -> None:
    keep_stories(database, *(says(f"{n}", f"{n}", published=NOW - n * HOUR) for n in (1, 0, 2)))
    assert titles(stored(database)) == ["0", "1", "2"]
    assert titles(database.read_now(lambda s: stories.find(s, limit=2))) == ["0", "1"]


def test_stories_of_one_moment_keep_their_order(database: Database) -> None:
    ids = keep_stories(database, says("a"), says("b"), says("c"))
    assert [story.id for story in stored(database)] == sorted(ids.values(), reverse=True)


def test_stories_are_found_by_language_time_and_topic_together(database: Database) -> None:
    ids = keep_stories(
        database,
        says("old", published=NOW - 2 * HOUR, language="uk"),
        says("new", language="uk"),
        says("fr", language="fr"),
        says("none", language=None),
    )

    def decide(session: Session) -> None:
        topics.declare(session, "talks", "Talks", "v1")
        taken = [(ids["old"], "kyiv"), (ids["fr"], "paris")]
        topics.decide(session, "talks", taken=taken, left=[], upto=4)

    database.write_now(decide)

    def found(**conditions: object) -> set[str]:
        some = database.read_now(lambda s: stories.find(s, **conditions))  # type: ignore[arg-type]
        return {story.entry_id.removeprefix("urn:") for story in some}

    assert found(language="uk") == {"old", "new"}
    assert found(since=NOW - HOUR) == {"new", "fr", "none"}
    assert found(topic="talks") == {"old", "fr"}
    assert found(topic="talks", language="uk", since=NOW - HOUR) == set()
    assert found(topic="talks", language="uk") == {"old"}


def test_a_story_names_its_source_and_its_topics(database: Database) -> None:
    ids = keep_stories(database, says("a"))
    record(database, heard(1, title="The Wire", site_url="https://wire.example/"))

    def decide(session: Session) -> None:
        for slug in ("war", "talks"):
            topics.declare(session, slug, slug.title(), "v1")
            topics.decide(session, slug, taken=[(ids["a"], "riyadh")], left=[], upto=1)

    database.write_now(decide)
    (story,) = stored(database)
    assert story.topics == ("talks", "war")
    assert (story.source_name, story.source_url) == ("The Wire", "https://wire.example/feed")
    assert story.source_site == "https://wire.example/"


def test_a_source_without_a_name_is_called_by_its_host(database: Database) -> None:
    keep_stories(database, says("a"))
    (story,) = stored(database)
    (version,) = database.read_now(lambda s: stories.versions_of(s, story.id))
    # Never by its address, which may hold a key.
    assert story.source_name == version.source_name == "wire.example"


def test_stories_are_found_by_id_url_or_entry_id(database: Database) -> None:
    ids = keep_stories(database, says("a", "One"), says("b", "Two"))

    def called(name: str) -> list[str]:
        return titles(database.read_now(lambda s: stories.named(s, name)))

    assert called(str(ids["a"])) == called("https://wire.example/a") == called("urn:a") == ["One"]
    some = database.read_now(lambda s: stories.by_ids(s, [ids["b"], 999]))
    assert {key: story.title for key, story in some.items()} == {ids["b"]: "Two"}


@pytest.mark.parametrize("name", ["99999999999999999999", "2147483648", "²", "999", "urn:none"])
def test_a_name_that_no_story_has_finds_none(database: Database, name: str) -> None:
    keep_stories(database, says("a"))
    assert database.read_now(lambda s: stories.named(s, name)) == []


def test_a_cursor_gives_only_the_newest_version_of_a_story(database: Database) -> None:
    assert database.read_now(stories.newest_version) == 0
    keep_stories(database, says("a", "First"), says("b", "Other", published=NOW + HOUR))
    record(database, heard(1, says("a", "Second")))
    after = database.read_now(lambda s: stories.versions_after(s, 0, limit=10))
    assert [(version.title, version.number) for version in after] == [("Other", 1), ("Second", 2)]
    assert database.read_now(stories.newest_version) == after[-1].id
    assert database.read_now(lambda s: stories.versions_after(s, 0, limit=1)) == after[:1]
    assert database.read_now(lambda s: stories.versions_after(s, after[0].id, limit=10)) == after[1:]


def test_the_index_takes_each_version_once_and_says_when_it_is_complete(database: Database) -> None:
    keep_stories(database, *(says(f"{n}", f"Story {n}") for n in range(5)))
    assert [index(database, limit=3) for _ in range(3)] == [3, 2, 0]
    assert database.read_now(lambda s: progress.get(s, stories.INDEX)) == 5
    assert len(search(database, "story")) == 5


def test_search_finds_the_new_words_of_a_changed_story_and_not_the_old(database: Database) -> None:
    keep_stories(database, says("a", "Talks postponed"))
    index(database)
    record(database, heard(1, says("a", "Talks open")))
    assert search(database, "open") == []
    index(database)
    assert (search(database, "open"), search(database, "postponed")) == (["Talks open"], [])


def test_search_does_not_mind_case_accents_and_apostrophes(database: Database) -> None:
    keep_stories(
        database,
        says("fr", "À l'Élysée, une réunion"),
        says("uk", "П’ять країн у Києві"),
        says("de", "Außenminister in München"),
        says("zh", "乌克兰和平谈判"),
        says("ar", "محادثات السلام في الرياض"),
    )
    index(database)
    assert search(database, "ELYSEE reunion") == ["À l'Élysée, une réunion"]
    assert search(database, "пʼять КИЄВІ") == ["П’ять країн у Києві"]
    assert search(database, "aussenminister munchen") == ["Außenminister in München"]
    assert search(database, "和平") == ["乌克兰和平谈判"]
    assert search(database, "平和") == []
    assert search(database, "الرياض") == ["محادثات السلام في الرياض"]


def test_search_knows_phrases_prefixes_alternatives_and_what_to_leave_out(database: Database) -> None:
    for key, title in {
        "a": "peace talks in Riyadh",
        "b": "talks about peace",
        "c": "negotiators meet in Riyadh",
        "d": "football talks",
    }.items():
        keep_stories(database, says(key, title))
    index(database)
    assert search(database, '"peace talks"') == ["peace talks in Riyadh"]
    assert search(database, "peace talks") == ["peace talks in Riyadh", "talks about peace"]
    assert search(database, "negotiat*") == ["negotiators meet in Riyadh"]
    assert search(database, '"meet in riy*"') == ["negotiators meet in Riyadh"]
    assert search(database, '"meet riyadh"') == search(database, '"in meet"') == []
    assert search(database, "talks -football -about") == ["peace talks in Riyadh"]
    assert search(database, "(football OR negotiators) -riyadh") == ["football talks"]


def test_a_phrase_does_not_reach_from_the_title_into_the_summary(database: Database) -> None:
    keep_stories(database, says("a", "Talks in Riyadh", summary="Peace near", body="says Kyiv"))
    index(database)
    assert search(database, "riyadh peace kyiv") == ["Talks in Riyadh"]
    assert search(database, '"riyadh peace"') == search(database, '"near says"') == []
    assert search(database, '"peace near"') == ["Talks in Riyadh"]


def test_numbers_are_found_as_they_are_written(database: Database) -> None:
    keep_stories(database, says("a", "1e5 refugees, 10k tents, 3.5 tonnes, F-16"))
    index(database)
    for query in ("1e5", "10k", "3.5", "F-16", '"f 16"'):
        assert len(search(database, query)) == 1, query


def test_search_is_joined_with_the_other_conditions(database: Database) -> None:
    keep_stories(database, says("a", "Talks", language="en"), says("b", "Talks", language="fr"))
    index(database)
    query = parse_query("talks")
    assert len(database.read_now(lambda s: stories.find(s, query, language="fr"))) == 1


def test_stories_are_counted(database: Database) -> None:
    assert database.read_now(stories.count) == 0
    follow(database, "https://wire.example/feed")
    keep_stories(database, says("a"), says("b"))
    assert database.read_now(stories.count) == 2


def test_the_stories_since_a_moment_come_newest_first_each_in_its_newest_version(database: Database) -> None:
    ages = {"late": 3, "old": 2, "new": 0, "edge": 1}
    keep_stories(database, *(says(key, key, published=NOW - age * HOUR) for key, age in ages.items()))
    record(database, heard(1, says("edge", "edge, changed")))
    since = database.read_now(lambda s: stories.versions_since(s, NOW - HOUR))
    assert [(version.title, version.number) for version in since] == [("new", 1), ("edge, changed", 2)]


def test_the_index_says_how_far_it_has_come(database: Database) -> None:
    keep_stories(database, says("a"), says("b"))
    assert database.read_now(stories.indexed_upto) == 0
    index(database, limit=1)
    assert database.read_now(stories.indexed_upto) == 1
