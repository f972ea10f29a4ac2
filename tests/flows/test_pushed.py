"""Sources whose feeds name a hub are sent to us, and are still asked when they are due."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import escape
from urllib.parse import urlsplit

import pytest

from aggregator.flows.push import Pusher, PushSettings, client_for
from aggregator.flows.pushed import LEASE, answer_hub, subscribe_sources, take_push
from aggregator.outgoing import PushSource
from aggregator.store import push_sources, sources
from feeds.websub import sign
from tests.flows.receivers import Receiver, receiving
from tests.flows.wire import RSS, SITE, Desk, Item, entry, rss

TOPIC = "https://wire.example/feed"
DAY = timedelta(days=1)


@pytest.fixture
async def hub() -> AsyncIterator[Receiver]:
    """A hub of somebody else."""
    async with receiving() as found:
        found.status["/hub"] = 202
        yield found


@pytest.fixture
async def pusher(desk: Desk) -> AsyncIterator[Pusher]:
    """What subscribes for the desk, and may reach loopback."""
    settings = PushSettings(private_networks=True, subscribe=True)
    async with client_for(settings, user_agent="wirebrief-test/1") as client:
        yield Pusher(desk.database, client, desk.clock, SITE, settings)


def with_hub(hub: str, *items: Item) -> bytes:
    """A feed that names its hub."""
    links = f'<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="hub" href="{escape(hub)}"/>'
    links += f'<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="self" href="{TOPIC}"/>'
    return rss(*items).replace(b"<language>", links.encode() + b"<language>")


async def hears(desk: Desk, hub: Receiver, *items: Item) -> PushSource:
    """The desk follows a feed that names this hub."""
    await desk.follow(desk.wire.answers(200, RSS, body=with_hub(hub.at("/hub"), *items)))
    await desk.poll()
    return known(desk)


def known(desk: Desk) -> PushSource:
    (found,) = desk.database.read_now(push_sources.everyone)
    return found


async def confirm(desk: Desk, challenge: str = "c", topic: str = TOPIC, **more: str) -> str | None:
    """The hub asks back."""
    query = {"hub.mode": "subscribe", "hub.topic": topic, "hub.challenge": challenge} | more
    return await answer_hub(desk.database, desk.clock, known(desk).token, query)


async def sends(desk: Desk, body: bytes, signature: str | None = None, token: str = "") -> bool:
    return await take_push(
        desk.database,
        desk.clock,
        token or known(desk).token,
        body=body,
        content_type="application/rss+xml",
        signature=signature,
    )


async def test_a_feed_that_names_a_hub_is_subscribed_to_there(
    desk: Desk, pusher: Pusher, hub: Receiver
) -> None:
    push = await hears(desk, hub, entry(1))
    assert await subscribe_sources(pusher) == 1
    (asked,) = hub.got("/hub")
    assert asked.form["hub.mode"] == "subscribe"
    assert asked.form["hub.topic"] == TOPIC
    assert asked.form["hub.callback"] == f"https://desk.example/websub/{push.token}"
    assert asked.form["hub.secret"] == push.secret
    assert await confirm(desk, "a word", **{"hub.lease_seconds": "86400"}) == "a word"
    assert (known(desk).is_confirmed, known(desk).lease_until) == (True, desk.clock() + DAY)
    # Half way through it is renewed, and not before.
    assert await subscribe_sources(pusher) == 0
    desk.clock.move(DAY / 2)
    assert await subscribe_sources(pusher) == 1


async def test_what_a_hub_sends_is_kept_like_what_was_asked_for(
    desk: Desk, pusher: Pusher, hub: Receiver
) -> None:
    push = await hears(desk, hub, entry(1))
    await confirm(desk)
    body = rss(entry(2), entry(1))
    due = desk.source().next_due
    assert await sends(desk, body, sign(body, push.secret))
    assert [story.title for story in desk.stories()] == ["Talks go into day 2", "Talks go into day 1"]
    assert desk.source().why == "1 known, 1 new; sent by its hub"
    assert desk.source().next_due == due
    assert known(desk).pushed_at == desk.clock()
    # Asked as before, with what the server said last.
    await desk.poll()
    assert len(desk.stories()) == 2


@pytest.mark.parametrize("signature", [None, "sha256=00", "sha1=" + "0" * 40])
async def test_a_forged_push_is_not_read_and_makes_us_ask_the_source(
    desk: Desk, pusher: Pusher, hub: Receiver, signature: str | None
) -> None:
    await hears(desk, hub, entry(1))
    await confirm(desk)
    assert desk.source().next_due > desk.clock()
    assert await sends(desk, rss(entry(66, "Forged")), signature)
    assert [story.title for story in desk.stories()] == ["Talks go into day 1"]
    assert desk.source().next_due == desk.clock()
    assert known(desk).pushed_at is None


async def test_what_is_signed_and_no_feed_makes_us_ask_the_source(desk: Desk, hub: Receiver) -> None:
    push = await hears(desk, hub, entry(1))
    await confirm(desk)
    assert await sends(desk, b"hello", sign(b"hello", push.secret))
    assert desk.source().next_due == desk.clock()


async def test_nobody_sends_to_an_address_that_we_gave_nobody(desk: Desk, hub: Receiver) -> None:
    push = await hears(desk, hub, entry(1))
    body = rss(entry(2))
    assert not await sends(desk, body, sign(body, push.secret)), "it was not confirmed"
    await confirm(desk)
    assert not await sends(desk, body, sign(body, push.secret), token="guessed")
    await desk.database.write(lambda s: sources.pause(s, push.source_id, paused=True))
    assert not await sends(desk, body, sign(body, push.secret)), "it is paused"


async def test_a_question_that_we_did_not_cause_is_answered_no(desk: Desk, hub: Receiver) -> None:
    await hears(desk, hub, entry(1))
    assert await confirm(desk, topic="https://other.example/feed") is None
    assert await answer_hub(desk.database, desk.clock, "guessed", {"hub.mode": "subscribe"}) is None
    assert await confirm(desk, **{"hub.mode": "unsubscribe"}) is None
    assert known(desk).is_confirmed is False


async def test_a_hub_that_refuses_is_asked_again_the_next_day(
    desk: Desk, pusher: Pusher, hub: Receiver
) -> None:
    push = await hears(desk, hub, entry(1))
    query = {"hub.mode": "denied", "hub.topic": TOPIC, "hub.reason": "full"}
    assert await answer_hub(desk.database, desk.clock, push.token, query) == ""
    assert known(desk).why == "the hub refuses: full"
    assert await subscribe_sources(pusher) == 0
    desk.clock.move(DAY)
    assert await subscribe_sources(pusher) == 1


async def test_a_hub_that_fails_is_asked_again_later_and_later(
    desk: Desk, pusher: Pusher, hub: Receiver
) -> None:
    await hears(desk, hub, entry(1))
    hub.status["/hub"] = 500
    for wait in (5, 10, 20):
        assert await subscribe_sources(pusher) == 1
        assert (known(desk).next_try - desk.clock()).total_seconds() == wait
        desk.clock.now = known(desk).next_try
    assert known(desk).why == "the hub answered 500"


async def test_a_hub_that_never_asks_back_is_asked_again(desk: Desk, pusher: Pusher, hub: Receiver) -> None:
    await hears(desk, hub, entry(1))
    await subscribe_sources(pusher)
    desk.clock.move(timedelta(hours=6))
    assert await subscribe_sources(pusher) == 1


async def test_a_feed_that_moves_to_another_hub_is_subscribed_to_anew(
    desk: Desk, pusher: Pusher, hub: Receiver
) -> None:
    before = await hears(desk, hub, entry(1))
    await confirm(desk)
    desk.wire.answers(200, RSS, body=with_hub(hub.at("/other"), entry(1), entry(2)))
    await desk.poll()
    after = known(desk)
    assert (after.hub, after.is_confirmed) == (hub.at("/other"), False)
    assert after.token != before.token
    desk.wire.answers(200, RSS, body=with_hub(hub.at("/other"), entry(3)))
    await desk.poll()
    assert known(desk) == after


async def test_a_secret_is_given_to_no_hub_in_the_clear(desk: Desk, pusher: Pusher, hub: Receiver) -> None:
    await hears(desk, hub, entry(1))
    careful = replace(pusher, settings=replace(pusher.settings, private_networks=False))
    await subscribe_sources(careful)
    assert hub.heard == []
    assert known(desk).why == "its hub does not speak https, so nothing it sends could be believed"


async def test_a_desk_that_cannot_be_reached_subscribes_to_nothing(
    desk: Desk, pusher: Pusher, hub: Receiver
) -> None:
    await hears(desk, hub, entry(1))
    assert await subscribe_sources(replace(pusher, settings=PushSettings())) == 0
    assert hub.heard == []


def test_we_ask_for_ten_days() -> None:
    assert timedelta(days=10) == LEASE
    assert urlsplit(SITE.url).scheme == "https"
