"""A feed that worked once and is lost is looked for, and an editor decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aggregator.errors import BadInput
from aggregator.flows.looking import Looker
from aggregator.flows.moves import (
    EVERY,
    Whereabouts,
    follow_proposal,
    look_for_lost,
    refuse_proposal,
    whereabouts,
)
from tests.flows.wire import Desk, entry

HTML = "Content-Type: text/html; charset=utf-8"


def page(*feeds: str) -> bytes:
    """A page that names these feeds."""
    links = "".join(f'<link rel="alternate" type="application/rss+xml" href="{url}">' for url in feeds)
    return f"<!doctype html><html><head><title>Harbour</title>{links}</head><body>News</body></html>".encode()


async def looks(desk: Desk) -> int:
    return await look_for_lost(desk.database, Looker.of(desk.settings), desk.clock)


def where(desk: Desk, url: str | None = None) -> Whereabouts:
    id = desk.source(url).id
    return desk.database.read_now(lambda s: whereabouts(s, id, desk.clock()))


async def loses(desk: Desk, status: int = 404) -> str:
    """A feed worked, and is lost; the page of its site names another. The new address."""
    await desk.follow(desk.wire.says(entry(1)), site_url=desk.wire.at("/site"))
    await desk.poll()
    there = desk.wire.says(entry(1), entry(2), path="/there")
    desk.wire.answers(200, HTML, body=page(desk.wire.at("/lost"), there), path="/site")
    desk.wire.answers(status)
    await desk.poll()
    return there


@pytest.mark.parametrize("status", [404, 410])
async def test_a_lost_feed_is_found_on_its_site_and_followed_there_by_an_editor(
    desk: Desk, status: int
) -> None:
    there = await loses(desk, status)
    (before,) = desk.stories()
    assert await looks(desk) == 1
    found = where(desk).proposal
    assert found is not None
    assert (found.url, found.title) == (there, "Harbour Wire")
    assert found.headlines == ("Talks go into day 2", "Talks go into day 1")
    assert desk.source().url == desk.wire.feed, "an editor decides"
    await follow_proposal(desk.database, desk.clock, desk.source().id, by="ada")
    source = desk.source()
    assert (source.url, source.failures, source.gone_at) == (there, 0.0, None)
    assert source.why == "ada says to follow it at its new address"
    assert (await desk.sweep())[0].new == 1
    assert before.id in {story.id for story in desk.stories()}
    shown = where(desk)
    assert shown.proposal is None
    assert [(old.url, old.why) for old in shown.before] == [(desk.wire.feed, "ada says to follow it there")]


async def test_a_feed_that_became_a_page_is_looked_for_on_that_page(desk: Desk) -> None:
    await desk.hears(entry(1))
    there = desk.wire.says(entry(1), path="/there")
    desk.wire.answers(200, HTML, body=page(there))
    await desk.poll()
    assert await looks(desk) == 1
    found = where(desk).proposal
    assert found is not None
    assert (found.url, found.why) == (there, "found on 127.0.0.1")


async def test_what_an_editor_refused_is_not_proposed_again(desk: Desk) -> None:
    await loses(desk)
    await looks(desk)
    await refuse_proposal(desk.database, desk.clock, desk.source().id, by="ada")
    assert where(desk).proposal is None
    with pytest.raises(BadInput, match="Nothing is proposed"):
        await follow_proposal(desk.database, desk.clock, desk.source().id, by="ada")
    desk.clock.move(EVERY + timedelta(hours=1))
    assert await looks(desk) == 1
    assert where(desk).proposal is None


async def test_a_lost_feed_is_looked_for_once_a_week(desk: Desk) -> None:
    await desk.hears(entry(1))
    desk.wire.answers(404)
    await desk.poll()
    assert await looks(desk) == 0
    asked = len(desk.wire.server.heard)
    assert await looks(desk) == 0
    assert len(desk.wire.server.heard) == asked
    assert where(desk).proposal is None
    desk.clock.move(EVERY + timedelta(hours=1))
    await looks(desk)
    assert len(desk.wire.server.heard) > asked


async def test_a_feed_that_is_followed_already_is_not_proposed(desk: Desk) -> None:
    there = await loses(desk)
    await desk.follow(there)
    assert await looks(desk) == 0


async def test_two_sources_are_not_made_one_by_an_editor_either(desk: Desk) -> None:
    there = await loses(desk)
    await looks(desk)
    await desk.follow(there)
    lost = desk.source(desk.wire.feed)
    with pytest.raises(BadInput, match="is followed there already"):
        await follow_proposal(desk.database, desk.clock, lost.id, by="ada")
    assert desk.source(desk.wire.feed).id == lost.id


async def test_a_feed_that_never_worked_is_not_looked_for(desk: Desk) -> None:
    await desk.follow(desk.wire.answers(404))
    await desk.poll()
    assert await looks(desk) == 0
    assert len(desk.wire.server.heard) == 1


async def test_a_feed_that_is_back_needs_no_other_address(desk: Desk) -> None:
    await loses(desk)
    await looks(desk)
    desk.wire.says(entry(1), entry(2))
    await desk.poll()
    assert where(desk).proposal is None
