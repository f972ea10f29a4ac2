from __future__ import annotations

from aggregator.store import progress, topics
from aggregator.store.database import Database
from aggregator.store.topics import TopicStanding
from tests.store.newsroom import keep_stories, says, stored


def declare(database: Database, slug: str = "talks", title: str = "Talks", fingerprint: str = "v1") -> int:
    return database.write_now(lambda s: topics.declare(s, slug, title, fingerprint))


def decide(database: Database, *taken: tuple[int, str], left: tuple[int, ...] = (), upto: int = 9) -> None:
    database.write_now(lambda s: topics.decide(s, "talks", taken=taken, left=left, upto=upto))


def standings(database: Database) -> list[TopicStanding]:
    return database.read_now(topics.standings)


def why(database: Database, story: int) -> str | None:
    return database.read_now(lambda s: topics.why(s, "talks", story))


def test_a_new_topic_has_decided_nothing(database: Database) -> None:
    assert declare(database) == 0
    assert standings(database) == [TopicStanding("talks", "Talks", "v1", 0, 0)]


def test_a_topic_goes_on_where_it_stood(database: Database) -> None:
    ids = keep_stories(database, says("a"))
    declare(database)
    decide(database, (ids["a"], "riyadh"), upto=1)
    assert declare(database, title="Peace talks") == 1
    assert standings(database) == [TopicStanding("talks", "Peace talks", "v1", 1, 1)]


def test_a_topic_declared_anew_begins_anew(database: Database) -> None:
    ids = keep_stories(database, says("a"))
    declare(database)
    decide(database, (ids["a"], "riyadh"), upto=1)
    assert declare(database, fingerprint="v2") == 0
    assert standings(database) == [TopicStanding("talks", "Talks", "v2", 0, 0)]
    assert why(database, ids["a"]) is None


def test_a_topic_says_why_it_took_a_story(database: Database) -> None:
    ids = keep_stories(database, says("a"), says("b"))
    declare(database)
    decide(database, (ids["a"], "riyadh"))
    assert (why(database, ids["a"]), why(database, ids["b"])) == ("riyadh", None)


def test_a_story_that_changed_can_leave_a_topic_or_stay_for_another_reason(database: Database) -> None:
    ids = keep_stories(database, says("a"), says("b"))
    declare(database)
    decide(database, (ids["a"], "riyadh"), (ids["b"], "kyiv"), upto=2)
    decide(database, (ids["a"], "moscow"), left=(ids["b"],), upto=4)
    assert (why(database, ids["a"]), why(database, ids["b"])) == ("moscow", None)
    assert standings(database) == [TopicStanding("talks", "Talks", "v1", 4, 1)]


def test_a_topic_decides_more_stories_than_one_statement_takes(narrow: Database) -> None:
    ids = keep_stories(narrow, *(says(f"{n}") for n in range(320)))
    declare(narrow)
    decide(narrow, *((story, "riyadh") for story in ids.values()))
    assert standings(narrow)[0].stories == 320
    assert {story.topics for story in stored(narrow)} == {("talks",)}
    decide(narrow, left=tuple(ids.values()))
    assert standings(narrow)[0].stories == 0


def test_topics_no_longer_declared_are_forgotten_and_their_stories_kept(database: Database) -> None:
    ids = keep_stories(database, says("a"))
    declare(database)
    declare(database, "war", "War")
    decide(database, (ids["a"], "riyadh"))
    database.write_now(lambda s: topics.retire(s, ["war"]))
    assert [standing.slug for standing in standings(database)] == ["war"]
    assert (why(database, ids["a"]), len(stored(database))) == (None, 1)
    database.write_now(lambda s: topics.retire(s, []))
    assert standings(database) == []


def test_topics_are_listed_by_name(database: Database) -> None:
    for slug, title in (("z", "Arctic"), ("a", "Zagreb")):
        declare(database, slug, title)
    assert [standing.title for standing in standings(database)] == ["Arctic", "Zagreb"]


def test_a_consumer_of_versions_goes_on_where_it_stood(database: Database) -> None:
    assert database.read_now(lambda s: progress.get(s, "links")) == 0
    for upto in (3, 7):
        database.write_now(lambda s, upto=upto: progress.put(s, "links", upto))  # type: ignore[misc]
    assert database.read_now(lambda s: progress.get(s, "links")) == 7
    assert database.read_now(lambda s: progress.get(s, "other")) == 0
