from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.flows import topics
from aggregator.flows.topics import try_topic
from aggregator.rules.topics import Topic
from aggregator.store import topics as store
from tests.flows.wire import TALKS, Desk, entry

GULF = Topic("gulf", "The Gulf", all=(("riyadh", "doha"), ("delegations",)), none=('"day 2"',))


def members(desk: Desk, topic: Topic = TALKS) -> list[str]:
    return sorted(story.title for story in desk.stories() if topic.slug in story.topics)


def why(desk: Desk, title: str, topic: Topic = TALKS) -> str | None:
    (story,) = [s for s in desk.stories() if s.title == title]
    return desk.database.read_now(lambda s: store.why(s, topic.slug, story.id))


async def test_new_stories_are_read_against_every_topic(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2), entry(3, "Harvest"))
    assert await desk.match(TALKS, GULF) == 3
    assert members(desk) == ["Talks go into day 1", "Talks go into day 2"]
    assert members(desk, GULF) == ["Harvest", "Talks go into day 1"]


async def test_why_a_story_is_in_a_topic_stands_beside_it(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2))
    await desk.match(TALKS, GULF)
    assert why(desk, "Talks go into day 1") == "any: “Talks” in the title."
    assert why(desk, "Talks go into day 2", GULF) is None


async def test_what_was_read_is_not_read_again(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.match(TALKS)
    assert await desk.match(TALKS) == 0
    desk.wire.says(entry(2), entry(1))
    await desk.poll()
    assert await desk.match(TALKS) == 1


async def test_a_story_that_changes_is_decided_anew(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2, "Harvest"))
    await desk.match(TALKS)
    desk.wire.says(entry(1, "Harvest"), entry(2, "Negotiators leave"))
    await desk.poll()
    await desk.match(TALKS)
    assert members(desk) == ["Negotiators leave"]


async def test_a_topic_whose_definition_changed_reads_everything_anew(desk: Desk) -> None:
    await desk.hears(entry(1), entry(2, "Harvest"))
    await desk.match(TALKS, GULF)
    assert await desk.match(replace(TALKS, any=("harvest",)), GULF) == 2
    assert members(desk) == ["Harvest"]
    assert members(desk, GULF) == ["Harvest", "Talks go into day 1"]


async def test_a_topic_that_is_only_called_otherwise_reads_nothing_anew(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.match(TALKS)
    assert await desk.match(replace(TALKS, title="Peace talks", description="All of them.")) == 0
    (standing,) = desk.database.read_now(store.standings)
    assert (standing.title, standing.stories) == ("Peace talks", 1)


async def test_a_new_topic_reads_what_is_old(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.match(TALKS)
    await desk.match(TALKS, GULF)
    assert members(desk, GULF) == ["Talks go into day 1"]


async def test_a_topic_that_is_no_longer_defined_holds_nothing(desk: Desk) -> None:
    await desk.hears(entry(1))
    await desk.match(TALKS, GULF)
    await desk.match(GULF)
    assert (members(desk), members(desk, GULF)) == ([], ["Talks go into day 1"])
    assert await desk.match() == 0
    assert desk.database.read_now(store.standings) == []


async def test_many_versions_are_read_a_batch_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "BATCH", 2)
    await desk.hears(*(entry(n) for n in range(5)))
    assert await desk.match(TALKS) == 5
    assert len(members(desk)) == 5


async def test_a_new_topic_catches_up_without_taking_anything_from_another(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "BATCH", 2)
    await desk.hears(*(entry(n) for n in range(3)))
    await desk.match(TALKS)
    await desk.match(TALKS, GULF)
    assert (len(members(desk)), len(members(desk, GULF))) == (3, 2)


async def test_a_trial_shows_what_a_topic_takes_and_what_misses_it_by_one_part(desk: Desk) -> None:
    nowhere = entry(3, "Nothing", description="Nothing happened anywhere on this long and quiet day.")
    await desk.hears(entry(1), entry(2), nowhere)
    trial = await try_topic(desk.database, desk.clock, GULF, timedelta(days=30))
    assert trial.read == 3
    assert [version.title for version, _ in trial.taken] == ["Talks go into day 1"]
    ((version, verdict),) = trial.near
    assert (version.title, verdict.why) == ("Talks go into day 2", "none: “day 2” in the title.")


async def test_a_trial_looks_no_further_back_than_it_is_asked_to(desk: Desk) -> None:
    await desk.hears(entry(1), entry(99))
    trial = await try_topic(desk.database, desk.clock, TALKS, timedelta(hours=2))
    assert [version.title for version, _ in trial.taken] == ["Talks go into day 99"]


async def test_a_trial_decides_nothing(desk: Desk) -> None:
    await desk.hears(entry(1))
    await try_topic(desk.database, desk.clock, TALKS, timedelta(days=30))
    assert members(desk) == []
