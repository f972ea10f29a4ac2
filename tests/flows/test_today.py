from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from aggregator.flows import editorial, upkeep
from aggregator.flows.today import Today, today
from aggregator.model import Role
from aggregator.store import briefs, checks, figures, sources
from aggregator.store.database import Database
from tests.conftest import NOW, Clock
from tests.flows.briefs import SLUG, brief, release, write
from tests.flows.wire import Desk, entry
from tests.store.newsroom import failed, follow, heard, keep_stories, record, says, unchanged

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
EDGES = [NOW + (n - 23) * HOUR for n in range(25)]


def seen(database: Database, clock: Clock) -> Today:
    """The newsroom now, whose day began at midnight in London."""
    midnight = NOW.replace(hour=0)
    look = partial(today, now=clock(), midnight=midnight, edges=EDGES, keep=upkeep.KeepSettings())
    return database.read_now(look)


def row(kind: str = "place", words: str = "Saudi Arabia", say: str = "Doha") -> list[Any]:
    """A check, as it is kept."""
    return [kind, "p1", words, 0, len(words), say, ["https://w.example/1"], [], "The wire says Doha."]


def test_an_empty_newsroom_has_nothing_to_show_and_says_so_with_figures(
    database: Database, clock: Clock
) -> None:
    now = seen(database, clock)
    assert (now.open, now.checks, now.acts, now.planned, now.ailing) == ((), (), (), (), ())
    assert (now.wire, now.desk, now.ill, now.followed) == (None, None, 0, 0)
    assert (sum(now.volume), len(now.volume), now.languages) == (0, 24, ())


async def test_a_brief_is_open_until_readers_have_all_of_it(desk: Desk) -> None:
    await write(desk)
    ((open,), acts) = seen(desk.database, desk.clock).open, seen(desk.database, desk.clock).acts
    assert (open.brief.slug, open.picks, open.checks, open.is_read, acts) == (SLUG, 0, 0, False, ())
    await release(desk)
    now = seen(desk.database, desk.clock)
    assert (now.open, [(act.act, act.brief.slug) for act in now.acts]) == ((), [("published", SLUG)])


async def test_a_pick_taken_back_before_anybody_was_told_opens_nothing(desk: Desk) -> None:
    await desk.hears(entry(1))
    (story,) = desk.stories()
    await write(desk)
    await release(desk)
    about = (desk.database, desk.clock, SLUG, "p1", str(story.id))
    await editorial.pick_story(*about, Role.SOURCE, by="ada")
    assert [one.brief.slug for one in seen(desk.database, desk.clock).open] == [SLUG]
    await editorial.pick_story(*about, by="ada", undo=True)
    assert seen(desk.database, desk.clock).open == ()


async def test_a_check_stays_until_somebody_decided_it(desk: Desk) -> None:
    await write(desk)
    one = brief(desk)
    await desk.database.write(
        lambda s: checks.put(s, one.id, one.revision.id, [row(), row("year", "2022", "2021")], now=NOW)
    )
    now = seen(desk.database, desk.clock)
    assert [check.kind for check in now.checks[0].checks] == ["place", "year"]
    assert [(open.checks, open.is_read) for open in now.open] == [(2, True)]
    key = ("place", "Saudi Arabia", "Doha")
    await desk.database.write(
        lambda s: checks.decide(s, one.id, key, "ignored", why="No.", by="ada", now=NOW)
    )
    assert [check.kind for check in seen(desk.database, desk.clock).checks[0].checks] == ["year"]


async def test_a_story_that_changed_under_a_published_brief_is_a_check(desk: Desk) -> None:
    await desk.hears(entry(1))
    (story,) = desk.stories()
    await write(desk)
    await editorial.pick_story(desk.database, desk.clock, SLUG, "p1", str(story.id), by="ada")
    await release(desk)
    assert seen(desk.database, desk.clock).checks == ()
    desk.clock.move(MINUTE)
    await desk.hears(entry(1, title="Talks break off"))
    ((each,),) = (found.checks for found in seen(desk.database, desk.clock).checks)
    assert (each.kind, each.passage) == ("superseded", "p1")


async def test_what_is_planned_stands_there_until_it_went_out(desk: Desk) -> None:
    await write(desk)
    at = desk.clock() + HOUR
    await editorial.publish_brief(desk.database, desk.clock, SLUG, by="ada", at=at)
    assert [(one.slug, one.release_at) for one in seen(desk.database, desk.clock).planned] == [(SLUG, at)]
    desk.clock.move(2 * HOUR)
    await editorial.release_due(desk.database, desk.clock)
    assert seen(desk.database, desk.clock).planned == ()


def test_feeds_that_fail_are_silent_or_gone_need_a_look_and_paused_ones_do_not(
    database: Database, clock: Clock
) -> None:
    urls = [f"https://{name}.example/feed" for name in ("well", "failing", "silent", "gone", "new", "paused")]
    well, failing, silent, gone, _, paused = follow(database, *urls)
    long_ago = NOW - timedelta(days=3)
    record(database, *(unchanged(each, at=long_ago) for each in (silent, failing, paused)))
    record(database, unchanged(well), failed(failing, next_due=NOW + HOUR), failed(gone, kind="gone"))
    record(database, failed(paused, next_due=NOW + HOUR))
    database.write_now(lambda s: sources.pause(s, paused, paused=True))
    now = seen(database, clock)
    # Never an answer first, then the longest silence.
    assert [source.id for source in now.ailing] == [gone, failing, silent]
    assert (now.ill, now.followed) == (3, 5)


@pytest.mark.parametrize("published", [NOW - MINUTE, NOW + HOUR])
def test_how_late_the_wire_is_is_measured_and_never_below_nothing(
    database: Database, clock: Clock, published: Any
) -> None:
    (source,) = follow(database, "https://wire.example/feed", now=NOW - HOUR)
    record(database, heard(source, says("1", published=published)))
    wire = seen(database, clock).wire
    assert wire is not None
    assert wire.half == wire.most == max(NOW - published, timedelta())


def test_half_and_most_are_the_waits_of_real_stories(database: Database, clock: Clock) -> None:
    (source,) = follow(database, "https://wire.example/feed", now=NOW - 9 * HOUR)
    drafts = [says(str(n), published=NOW - n * MINUTE) for n in range(1, 21)]
    record(database, heard(source, *drafts))
    wire = seen(database, clock).wire
    assert wire is not None
    assert (wire.stories, wire.half, wire.most) == (20, 10 * MINUTE, 19 * MINUTE)


async def test_from_the_wire_to_readers_ends_when_the_document_is_ready(desk: Desk) -> None:
    await desk.hears(entry(1))
    assert seen(desk.database, desk.clock).desk is None
    desk.clock.move(40 * timedelta(seconds=1))
    await desk.publish()
    (pair,) = desk.database.read_now(lambda s: figures.desk_waits(s, NOW - HOUR, newest=9))
    desk.clock.move(HOUR)
    await desk.hears(entry(1, title="Talks break off"))
    await desk.publish()
    assert desk.database.read_now(lambda s: figures.desk_waits(s, NOW - HOUR, newest=9)) == [pair]
    found = seen(desk.database, desk.clock).desk
    assert found is not None
    assert (found.stories, found.half) == (1, pair[1] - pair[0])


def test_volume_is_by_hour_and_by_language(database: Database, clock: Clock) -> None:
    keep_stories(database, says("1"), says("2", language="fr"), says("3"))
    now = seen(database, clock)
    assert (now.volume[-1], now.volume[-2], now.languages) == (3, 0, (("en", 2), ("fr", 1)))


async def test_a_draft_that_is_planned_is_open_and_planned(desk: Desk) -> None:
    await write(desk)
    one = brief(desk)
    await desk.database.write(lambda s: briefs.plan_release(s, one.id, NOW + HOUR, by="ada"))
    now = seen(desk.database, desk.clock)
    assert (len(now.open), len(now.planned)) == (1, 1)
