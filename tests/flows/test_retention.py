"""Old stories go, and stay away; what somebody picked, shows or marked never does."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from aggregator.errors import BadInput
from aggregator.flows import retention as flow
from aggregator.flows.cluster import cluster_new
from aggregator.flows.retention import LEAST, days_of, keep_source, purge_stories
from aggregator.flows.suggest import suggest_links
from aggregator.flows.upkeep import KeepSettings, index_search
from aggregator.language.query import parse_query
from aggregator.rules.channels import Channel
from aggregator.store import event_marks, health, retention, stories
from aggregator.store.tables import (
    CLUSTER,
    CLUSTER_STORY,
    POSTING,
    STORY,
    STORY_ANCHORS,
    STORY_TOPIC,
    SUGGESTION,
    VERSION,
)
from tests.flows.briefs import pick, write
from tests.flows.wire import EVERYTHING, TALKS, Desk, Item, entry

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = KeepSettings(stories=30 * DAY)
HANGING = (VERSION, POSTING, STORY_ANCHORS, STORY_TOPIC, SUGGESTION, CLUSTER, CLUSTER_STORY)


async def digest(desk: Desk) -> None:
    """Everything that follows from stories."""
    await desk.match(TALKS)
    await index_search(desk.database)
    await cluster_new(desk.database, desk.clock)
    await suggest_links(desk.database, desk.clock)


async def hears(desk: Desk, *items: Item) -> None:
    await desk.hears(*items)
    await digest(desk)


async def much_later(desk: Desk, *shows: Item) -> None:
    """Forty days on the feed shows this, and something newer than all before."""
    desk.clock.move(40 * DAY)
    newest = entry(99, "A new ferry", description="The harbour opened.", published=desk.clock())
    desk.wire.says(newest, *shows)
    await desk.poll()
    await digest(desk)


def titles(desk: Desk) -> list[str]:
    return sorted(story.title for story in desk.stories() if story.title != "A new ferry")


def is_whole(desk: Desk) -> bool:
    return desk.database.read_now(health.integrity) == []


def rows(desk: Desk) -> dict[str, int]:
    """How many rows of each table hang on stories."""
    return {
        table.name: desk.database.read_now(
            lambda s, t=table: s.execute(select(func.count()).select_from(t)).scalar_one()
        )  # type: ignore[misc]
        for table in HANGING
    }


def unlike(number: int) -> Item:
    """Stories that have nothing in common."""
    subjects = ("Grain ships leave Odesa", "Snow closes the Alps", "A strike at Orly", "Tea prices rise")
    texts = (
        "Three ships with maize left the port for Egypt on Friday morning.",
        "Roads over the passes are shut until the avalanche wardens have been there.",
        "Ground crews stopped work and two hundred flights stay on the tarmac.",
        "Growers in Kenya speak of the driest spring in thirty years.",
    )
    return entry(number, subjects[number], description=texts[number])


async def test_by_default_every_story_is_kept(desk: Desk) -> None:
    await hears(desk, unlike(0))
    await much_later(desk)
    assert await purge_stories(desk.database, desk.clock, KeepSettings()) == 0
    assert titles(desk) == ["Grain ships leave Odesa"]


async def test_an_old_story_goes_with_all_that_hangs_on_it(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await hears(desk, unlike(0), unlike(1))
    desk.wire.says(unlike(0), entry(1, "Snow shuts the Alps", description="It snows on."))
    await desk.poll()
    await digest(desk)
    await much_later(desk)
    with caplog.at_level(logging.INFO):
        assert await purge_stories(desk.database, desk.clock, MONTH) == 2
    (line,) = [one for one in caplog.records if one.message == "stories purged"]
    assert (vars(line)["by"], vars(line)["stories"], vars(line)["versions"]) == ("age", 2, 3)
    assert titles(desk) == []
    left = {
        name: count for name, count in rows(desk).items() if name in ("version", "cluster", "cluster_story")
    }
    assert left == {"version": 1, "cluster": 1, "cluster_story": 1}
    asked = parse_query("snow OR grain")
    assert desk.database.read_now(lambda s: stories.find(s, asked)) == []
    indexed = text("SELECT count(*) FROM story_search")
    assert desk.database.read_now(lambda s: s.execute(indexed).scalar_one()) == 1
    assert is_whole(desk)


async def test_a_purged_story_does_not_come_back(desk: Desk) -> None:
    await hears(desk, unlike(0), unlike(1))
    await much_later(desk)
    assert await purge_stories(desk.database, desk.clock, MONTH) == 2
    # Its feed still shows it; then under another id, at the same page.
    desk.wire.says(unlike(0), entry(2, "Tea"))
    await desk.poll()
    assert titles(desk) == ["Tea"]
    assert desk.source().why.startswith("1 known, 1 new; ")
    desk.wire.says(replace(unlike(0), guid="tag:wire.example,2025:anew"), entry(2, "Tea"))
    await desk.poll()
    assert titles(desk) == ["Tea"]


async def test_what_was_published_long_ago_and_came_lately_is_kept(desk: Desk) -> None:
    await much_later(desk, unlike(0))
    assert await purge_stories(desk.database, desk.clock, MONTH) == 0


async def test_what_changed_lately_is_kept(desk: Desk) -> None:
    await hears(desk, unlike(0))
    await much_later(desk, entry(0, "Grain ships return to Odesa", description="They turned round."))
    assert await purge_stories(desk.database, desk.clock, MONTH) == 0


async def test_a_picked_story_and_its_versions_never_go(desk: Desk) -> None:
    await hears(desk, unlike(0), unlike(1))
    desk.wire.says(unlike(1), entry(0, "Grain ships wait in Odesa", description="They wait for a pilot."))
    await desk.poll()
    await write(desk)
    (picked,) = [story for story in desk.stories() if "Grain" in story.title]
    await pick(desk, str(picked.id))
    await much_later(desk)
    assert await purge_stories(desk.database, desk.clock, MONTH) == 1
    assert titles(desk) == ["Grain ships wait in Odesa"]
    assert len(desk.versions(picked)) == 2
    # A pick that was undone may have been published.
    await pick(desk, str(picked.id), undo=True)
    assert await purge_stories(desk.database, desk.clock, MONTH) == 0


async def test_what_a_document_shows_is_kept_until_it_has_left_it(desk: Desk) -> None:
    await hears(desk, unlike(0), unlike(1))
    await desk.publish()
    await much_later(desk)
    assert await purge_stories(desk.database, desk.clock, MONTH) == 0
    await desk.publish(with_room_for(1))
    assert await purge_stories(desk.database, desk.clock, MONTH) == 2
    before = desk.received().entries
    # The document and what was told of the past stand by themselves.
    assert not (await desk.publish(with_room_for(1)))[0].is_new
    assert desk.received().entries == before


def with_room_for(entries: int) -> Channel:
    """The channel of everything, so short."""
    return replace(EVERYTHING, entries=entries)


async def test_a_story_that_began_an_event_stays_while_others_are_in_it(desk: Desk) -> None:
    words = "The delegations met in Riyadh and agreed to meet again in Jeddah on Thursday with the envoys."
    first = entry(1, "Talks in Riyadh end without a paper", description=words, published=desk.clock())
    await hears(desk, first)
    desk.clock.move(HOUR)
    copy = entry(2, "Talks in Riyadh end without a paper", description=words, published=desk.clock())
    desk.wire.says(copy)
    await desk.poll()
    await digest(desk)
    clusters = desk.database.read_now(
        lambda s: s.execute(select(func.count()).select_from(CLUSTER)).scalar_one()
    )
    assert clusters == 1
    await much_later(desk)
    assert await purge_stories(desk.database, desk.clock, MONTH) == 2
    # The copy first: only then does the first one stand alone.
    assert titles(desk) == []
    assert is_whole(desk)


async def test_an_event_that_goes_on_keeps_its_first_story(desk: Desk) -> None:
    words = "The delegations met in Riyadh and agreed to meet again in Jeddah on Thursday with the envoys."
    await hears(desk, entry(1, "Talks in Riyadh end without a paper", description=words))
    (first,) = desk.stories()
    await much_later(desk)
    (newest,) = [story.id for story in desk.stories() if story.id != first.id]
    # However it came to be in there: an event can go on for weeks.
    move = update(CLUSTER_STORY).where(CLUSTER_STORY.c.story_id == newest).values(cluster_id=first.id)
    desk.database.write_now(lambda s: s.execute(move))
    assert await purge_stories(desk.database, desk.clock, MONTH) == 0


async def test_a_story_that_the_newsroom_marked_is_kept(desk: Desk) -> None:
    await hears(desk, unlike(0))
    (story,) = desk.stories()
    desk.database.write_now(
        lambda s: event_marks.add(s, story.id, event_marks.SPIKED, why="", by="ada", now=desk.clock())
    )
    await much_later(desk)
    assert await purge_stories(desk.database, desk.clock, MONTH) == 0


async def test_a_source_has_a_say_of_its_own(desk: Desk) -> None:
    await hears(desk, unlike(0))
    source = desk.source().id
    await much_later(desk)
    await keep_source(desk.database, desk.clock, source, "0", by="ada")
    assert desk.source().keep_days == 0
    assert await purge_stories(desk.database, desk.clock, MONTH) == 0
    await keep_source(desk.database, desk.clock, source, "50", by="ada")
    assert await purge_stories(desk.database, desk.clock, MONTH) == 0
    await keep_source(desk.database, desk.clock, source, " 20 ", by="ada")
    assert await purge_stories(desk.database, desk.clock, KeepSettings()) == 1
    await keep_source(desk.database, desk.clock, source, "", by="ada")
    assert desk.source().keep_days is None


@pytest.mark.parametrize("written", ["3", "-1", "a week", "1.5", "99999999999999999999", "²"])
def test_nonsense_is_no_number_of_days(written: str) -> None:
    with pytest.raises(BadInput, match="number of days, 7 or more"):
        days_of(written)
    assert (days_of("7"), days_of("0"), days_of(" ")) == (7, 0, None)


async def test_the_oldest_go_when_there_are_too_many_bytes(desk: Desk) -> None:
    await hears(desk, unlike(0), unlike(1))
    desk.clock.move(DAY)
    desk.wire.says(unlike(2), unlike(3))
    await desk.poll()
    await much_later(desk)
    room = KeepSettings(stories_bytes=6_500)
    assert await purge_stories(desk.database, desk.clock, room) > 0
    left = titles(desk)
    assert left
    assert "Grain ships leave Odesa" not in left
    assert await purge_stories(desk.database, desk.clock, room) == 0
    assert is_whole(desk)


async def test_all_fit_where_there_is_room(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await hears(desk, *(unlike(n) for n in range(4)))
    assert desk.database.read_now(lambda s: retention.beyond(s, 10**9, step=2)) is None
    assert desk.database.read_now(lambda s: retention.beyond(s, 4_000, step=2)) is not None
    # What came in the last days goes in no case.
    assert await purge_stories(desk.database, desk.clock, KeepSettings(stories_bytes=1)) == 0
    desk.clock.move(LEAST + DAY)
    monkeypatch.setattr(flow, "BATCH", 2)
    # The newest stays: its number must not be given out again.
    assert await purge_stories(desk.database, desk.clock, KeepSettings(stories_bytes=1)) == 3


async def test_a_number_is_never_given_out_again(desk: Desk) -> None:
    await hears(desk, unlike(0), unlike(1))
    newest = max(story.id for story in desk.stories())
    desk.clock.move(40 * DAY)
    await purge_stories(desk.database, desk.clock, MONTH)
    desk.wire.says(unlike(2))
    await desk.poll()
    assert max(story.id for story in desk.stories()) > newest
    assert (
        desk.database.read_now(lambda s: s.execute(select(func.count()).select_from(STORY)).scalar_one()) == 2
    )
