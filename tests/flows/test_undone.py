"""What is left to do stands in the tables: whoever looks finds it, and nothing when it is done."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from aggregator.flows import cluster, editorial, link, publish, suggest, topics, undone, upkeep
from aggregator.rules.channels import Channel
from aggregator.store import briefs
from aggregator.store.database import Database
from tests.conftest import Clock
from tests.flows.wire import SITE, TALKS
from tests.store.newsroom import keep_stories, says

CHANNEL = Channel("briefs", "Briefs", carries=("briefs",))
BRIEF = "Talks open in Riyadh\n\n2025-02-18\n\nThe two delegations met in Riyadh on Tuesday.\n"


def steps(database: Database, now: datetime) -> list[str]:
    return database.read_now(partial(undone.steps, now=now, defined=[TALKS], channels=[CHANNEL]))


def behind(database: Database) -> list[int]:
    return database.read_now(undone.briefs_behind)


async def test_what_a_story_asks_for_is_left_until_it_is_done(database: Database, clock: Clock) -> None:
    await topics.match_topics(database, [TALKS])
    assert steps(database, clock()) == []
    keep_stories(database, says("1", "Talks in Riyadh"))
    assert steps(database, clock()) == ["search", "reading"]
    await upkeep.index_search(database)
    assert steps(database, clock()) == ["reading"]
    await topics.match_topics(database, [TALKS])
    await cluster.cluster_new(database, clock)
    assert steps(database, clock()) == ["reading"]
    await link.index_anchors(database)
    assert steps(database, clock()) == []


async def test_a_topic_that_was_defined_anew_is_left_to_be_matched(database: Database, clock: Clock) -> None:
    assert steps(database, clock()) == ["reading"]
    await topics.match_topics(database, [TALKS])
    assert steps(database, clock()) == []


async def test_a_brief_is_behind_until_it_was_matched_with_all_that_is_read(
    database: Database, clock: Clock
) -> None:
    await editorial.import_brief(database, clock, BRIEF, by="ada", slug="one")
    await editorial.import_brief(database, clock, BRIEF, by="ada", slug="two")
    assert behind(database) == []
    keep_stories(database, says("1", "Talks in Riyadh"))
    await link.index_anchors(database)
    assert behind(database) == [1, 2]
    await suggest.suggest_named(database, clock, "one")
    assert behind(database) == [2]
    # What was withdrawn is matched with nothing any more; a new text is matched anew.
    await editorial.publish_brief(database, clock, "two", by="ada")
    await editorial.withdraw_brief(database, clock, "two", by="ada", why="It was wrong.")
    assert behind(database) == []
    await editorial.save_brief(database, clock, "one", BRIEF.replace("Tuesday", "Monday"), base=1, by="ada")
    assert behind(database) == [1]


async def test_a_brief_whose_time_has_come_is_left_to_be_released(database: Database, clock: Clock) -> None:
    await topics.match_topics(database, [TALKS])
    await editorial.import_brief(database, clock, BRIEF, by="ada", slug="one")
    await editorial.publish_brief(database, clock, "one", by="ada", at=clock() + timedelta(hours=1))
    assert steps(database, clock()) == []
    clock.move(timedelta(hours=1))
    assert steps(database, clock()) == ["release"]
    await editorial.release_due(database, clock)
    assert steps(database, clock()) == []


async def test_a_channel_that_is_no_more_is_left_to_be_taken_down(database: Database, clock: Clock) -> None:
    await topics.match_topics(database, [TALKS])
    old = Channel("old", "Old", carries=("briefs",))
    await publish.publish_channels(database, clock, SITE, [old], [TALKS])
    assert steps(database, clock()) == ["release"]
    await publish.settle_names(database, [CHANNEL])
    assert steps(database, clock()) == []


async def test_who_is_told_of_an_act_waits_until_every_channel_was_rendered_with_it(
    database: Database, clock: Clock
) -> None:
    other = Channel("other", "Other", carries=("briefs",))
    press = publish.press_of(SITE, [TALKS], [])
    slugs = [CHANNEL.slug, other.slug]
    upto = partial(publish.rendered_upto, slugs=slugs)
    await editorial.import_brief(database, clock, BRIEF, by="ada", slug="one")
    await editorial.publish_brief(database, clock, "one", by="ada")
    clock.move(timedelta(seconds=2))
    await publish.publish_upto(database, clock, CHANNEL, press)
    assert database.read_now(upto) == 0
    await publish.publish_upto(database, clock, other, press)
    assert database.read_now(upto) == database.read_now(briefs.newest_publication) == 1
    assert database.read_now(partial(publish.rendered_upto, slugs=[])) == 1
