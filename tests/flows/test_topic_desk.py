from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from aggregator.flows import topic_desk
from aggregator.flows.catalogue import Declared, catalogue_now
from aggregator.flows.topic_desk import Comparison, Pile, compare_topics, day_begins, overview
from aggregator.flows.topics import match_topics
from aggregator.flows.upkeep import index_search
from aggregator.rules.channels import Channel
from aggregator.rules.topics import Topic, compile_topic
from aggregator.store.database import Database
from tests.conftest import NOW, Clock
from tests.store.newsroom import keep_stories, says

TALKS = Topic("talks", "Talks", any=("riyadh",), none=("football",))
WIRE = (
    says("1", "Talks open in Riyadh", published=NOW - timedelta(hours=1)),
    says("2", "Talks go on in Doha", published=NOW - timedelta(hours=2)),
    says("3", "Riyadh wins at football", published=NOW - timedelta(hours=3)),
    says("4", "Harvest is late", published=NOW - timedelta(hours=4)),
    says("5", "Riyadh awaits guests", published=NOW - timedelta(days=40)),
)


async def compared(database: Database, clock: Clock, then: Topic, now: Topic | None = TALKS) -> Comparison:
    found = compile_topic(now) if now else None
    return await compare_topics(database, clock, found, compile_topic(then))


def titles(pile: Pile) -> list[str]:
    return [one.version.title for one in pile.shown]


async def test_a_trial_tells_what_comes_what_goes_what_stays_and_what_is_nearly_taken(
    database: Database, clock: Clock
) -> None:
    keep_stories(database, *WIRE)
    await index_search(database)
    found = await compared(database, clock, replace(TALKS, any=("doha", "open"), none=("football",)))
    assert (titles(found.comes), titles(found.goes)) == (["Talks go on in Doha"], [])
    assert titles(found.stays) == ["Talks open in Riyadh"]
    found = await compared(database, clock, replace(TALKS, any=("doha", "riyadh"), none=("open", "football")))
    assert titles(found.goes) == ["Talks open in Riyadh"]
    assert found.goes.shown[0].verdict.why == "none: “open” in the title."
    assert found.goes.shown[0].url == "https://wire.example/1"
    assert titles(found.near) == ["Riyadh wins at football"]


async def test_a_trial_of_a_new_topic_only_brings(database: Database, clock: Clock) -> None:
    keep_stories(database, *WIRE)
    await index_search(database)
    found = await compared(database, clock, TALKS, now=None)
    assert (titles(found.comes), found.goes.count, found.stays.count) == (["Talks open in Riyadh"], 0, 0)
    assert found.comes.shown[0].verdict.why.startswith("any: “Riyadh” in the title.")


async def test_only_stories_that_hold_a_word_of_it_are_read_and_those_of_the_last_days(
    database: Database, clock: Clock
) -> None:
    keep_stories(database, *WIRE)
    await index_search(database)
    found = await compared(database, clock, TALKS)
    assert (found.within, found.read, found.cut_at, found.until) == (4, 2, None, None)


async def test_what_the_search_index_does_not_know_yet_is_tried_all_the_same(
    database: Database, clock: Clock
) -> None:
    keep_stories(database, *WIRE)
    found = await compared(database, clock, TALKS)
    assert (found.read, titles(found.stays)) == (4, ["Talks open in Riyadh"])


async def test_of_very_many_stories_the_newest_are_tried_and_it_is_said_how_far_back_that_is(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_desk, "MOST_TRIED", 3)
    monkeypatch.setattr(topic_desk, "MOST_SHOWN", 2)
    many = [says(str(n), f"Riyadh, day {n}", published=NOW - timedelta(hours=n)) for n in range(1, 7)]
    keep_stories(database, *many)
    await index_search(database)
    found = await compared(database, clock, TALKS)
    assert (found.within, found.read, found.cut_at) == (6, 3, NOW - timedelta(hours=3))
    assert (found.stays.count, titles(found.stays)) == (3, ["Riyadh, day 1", "Riyadh, day 2"])


async def test_on_a_wire_that_fell_silent_a_topic_is_tried_on_its_last_days(
    database: Database, clock: Clock
) -> None:
    keep_stories(database, *WIRE)
    await index_search(database)
    clock.move(timedelta(days=400))
    found = await compared(database, clock, TALKS)
    assert (found.until, found.within) == (NOW - timedelta(hours=1), 4)


async def test_a_topic_of_hundreds_of_terms_is_tried(database: Database, clock: Clock) -> None:
    keep_stories(database, *WIRE)
    await index_search(database)
    terms = tuple(f'"term {n}" OR word{n}*' for n in range(400))
    found = await compared(database, clock, replace(TALKS, any=(*terms, "riyadh"), none=()), now=None)
    assert titles(found.comes) == ["Talks open in Riyadh", "Riyadh wins at football"]


async def test_the_list_counts_each_day_by_the_clock_of_whoever_reads(
    database: Database, clock: Clock
) -> None:
    keep_stories(
        database,
        says("1", "Riyadh today", published=NOW.replace(hour=1)),
        says("2", "Riyadh yesterday", published=NOW.replace(hour=1) - timedelta(days=1)),
        says("3", "Riyadh long ago", published=NOW - timedelta(days=20)),
    )
    declared = Declared(
        (TALKS, Topic("sport", "Sport", any=("football",))), (Channel("c", "C", topics=("talks",)),)
    )
    held = database.read_now(lambda session: catalogue_now(session, declared))
    await match_topics(database, [TALKS])
    talks, sport = database.read_now(lambda session: overview(session, held, NOW, UTC))
    assert (talks.days, talks.today, talks.week, talks.total) == ((0, 0, 0, 0, 0, 1, 1), 1, 2, 3)
    assert (talks.is_done, sport.is_done, sport.days) == (True, False, (0,) * 7)
    assert ([channel.slug for channel in talks.channels], sport.channels) == (["c"], ())
    # It is still the evening before in New York.
    there, _ = database.read_now(lambda s: overview(s, held, NOW, ZoneInfo("America/New_York")))
    assert there.days == (0, 0, 0, 0, 1, 1, 0)


def test_days_begin_at_midnight_where_somebody_reads() -> None:
    begins = day_begins(NOW, ZoneInfo("Asia/Tokyo"))
    assert len(begins) == 7
    assert begins[-1].isoformat() == "2025-02-18T00:00:00+09:00"
