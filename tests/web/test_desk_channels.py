"""The channels at the desk: what changes next and why, and whom each one reaches."""

from __future__ import annotations

from datetime import timedelta

import httpx
from sqlmodel import Session

from aggregator.flows import editorial
from aggregator.flows.partners import Terms, add_partner
from aggregator.outgoing import Subscriber, SubscriptionAsked
from aggregator.rules.channels import Channel
from aggregator.store import documents, subscribers
from tests.conftest import NOW
from tests.store.newsroom import heard, keep_stories, record, says
from tests.web.desk_users import page, sign_in
from tests.web.newsroom import ALL, BRIEFS, Newsroom

PAID = Channel("paid", "For partners", is_public=False)
CALLBACK = "https://reader.example/callback"


def subscribe(newsroom: Newsroom, callback: str = CALLBACK, channel: str = "all") -> Subscriber:
    """Somebody whom a channel is pushed to, with the document that is served now."""
    etag = newsroom.database.read_now(documents.stamps).get((channel, "atom"))
    wish = SubscriptionAsked(1, "subscribe", channel, "atom", callback, None, timedelta(days=10), etag, 0)
    newsroom.database.write_now(lambda s: subscribers.subscribe(s, wish, now=newsroom.clock()))
    found = newsroom.database.read_now(lambda s: subscribers.of_channel(s, channel, limit=9))
    return next(one for one in found if one.callback == callback)


async def test_without_channels_the_page_says_where_they_come_from(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    newsroom.channels = ()
    async with newsroom.client() as nobody:
        await sign_in(newsroom, nobody)
        assert "No channel is published yet." in await page(nobody, "/desk/channels")


async def test_each_channel_stands_in_a_row_with_who_reads_it(newsroom: Newsroom) -> None:
    newsroom.channels = (ALL, BRIEFS, PAID)
    keep_stories(newsroom.database, says("1"), says("2"))
    await newsroom.render()
    subscribe(newsroom)
    async with newsroom.client() as reader:
        await sign_in(newsroom, reader, "viewer")
        shown = await page(reader, "/desk/channels")
        assert "<code>https://harbour.example/channels/all.atom</code>" in shown
        assert "1 subscriber" in shown
        assert "all have the newest" in shown
        assert "nobody yet" in shown
        await add_partner(
            newsroom.database, newsroom.clock, "daily", Terms(("paid",)), newsroom.channels, by="ada"
        )
        assert "1 partner only" in await page(reader, "/desk/channels")


async def test_a_channel_that_was_never_rendered_says_so(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await sign_in(newsroom, reader)
    assert "not rendered yet" in await page(reader, "/desk/channels")
    shown = await page(reader, "/desk/channels/all")
    assert "Nothing stands in it yet." in shown
    assert "Nobody subscribes by push." in shown


async def test_the_preview_says_what_comes_what_changes_and_why(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    keep_stories(newsroom.database, says("1", "Talks open"))
    await sign_in(newsroom, reader)
    shown = await page(reader, "/desk/channels/all")
    assert "<b>comes in</b>" in shown
    assert "This channel carries every story." in shown
    await newsroom.render()
    assert "Nothing changes: whoever reads the channel has all of it." in await page(
        reader, "/desk/channels/all"
    )
    record(newsroom.database, heard(1, says("1", "Talks break off"), at=newsroom.clock()))
    shown = await page(reader, "/desk/channels/all")
    assert "<b>changes</b>" in shown
    assert '<del dir="auto">Talks open</del>' in shown
    assert '<ins dir="auto">Talks break off</ins>' in shown
    assert "Entries: 1 now, 1 then." in shown


async def test_a_withdrawal_is_shown_before_readers_have_it(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.brief()
    await newsroom.publish()
    await editorial.withdraw_brief(newsroom.database, newsroom.clock, "riyadh", by="ada", why="It was wrong.")
    await sign_in(newsroom, reader)
    shown = await page(reader, "/desk/channels/briefs")
    assert "<b>is withdrawn</b>" in shown
    assert 'href="/desk/briefs/riyadh"' in shown
    await newsroom.render()
    assert '<span class="badge gone">withdrawn</span>' in await page(reader, "/desk/channels/briefs")


async def test_why_something_is_in_a_channel_or_not_is_answered(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    story = keep_stories(newsroom.database, says("1"))["1"]
    await newsroom.brief()
    await newsroom.publish()
    await sign_in(newsroom, reader)
    shown = await page(reader, f"/desk/channels/all?what={story}")
    assert "<b>It is in.</b>" in shown
    assert f"story {story}" in shown
    assert "brief 1" in shown
    shown = await page(reader, "/desk/channels/briefs?what=https://wire.example/1")
    assert "<b>It is not in.</b>" in shown
    assert "This channel carries no stories." in shown
    record(newsroom.database, heard(1, says("2"), at=newsroom.clock()))
    assert "It comes in with the next rendering." in await page(
        reader, "/desk/channels/all?what=https://wire.example/2"
    )


async def test_a_question_about_nothing_comes_back_with_what_to_ask(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await sign_in(newsroom, reader)
    shown = await page(reader, "/desk/channels/all?what=%3Cnothing%3E", 400)
    assert "There is no story and no brief “<nothing>”." in shown
    assert 'value="<nothing>"' in shown
    assert "Name a story or a brief" in await page(reader, "/desk/channels/all?what=+", 400)


async def test_who_is_pushed_to_is_shown_with_what_fails_and_the_log(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    keep_stories(newsroom.database, says("1"))
    await newsroom.render()
    subscribe(newsroom, "https://well.example/")
    failing = subscribe(newsroom)
    now = newsroom.clock()

    def fail(session: Session) -> None:
        why = "it answered 503"
        subscribers.note_try(session, failing, is_taken=False, why=why, now=now)
        subscribers.deliver_later(session, failing, why=why, now=now, at=now + timedelta(minutes=5))

    newsroom.database.write_now(fail)
    await sign_in(newsroom, reader)
    shown = await page(reader, "/desk/channels/all")
    assert shown.index(CALLBACK) < shown.index("https://well.example/")
    assert '<span class="badge gone">failing</span>' in shown
    assert "1 failure, first" in shown
    assert "in 5 minutes" in shown
    assert "has the newest" in shown
    assert '<span class="badge gone">failed</span> it answered 503' in shown


async def test_the_addresses_of_a_public_channel_can_be_checked_and_a_closed_one_names_its_readers(
    newsroom: Newsroom,
) -> None:
    newsroom.channels = (ALL, PAID)
    await add_partner(
        newsroom.database, newsroom.clock, "daily", Terms(("paid",)), newsroom.channels, by="ada"
    )
    async with newsroom.client() as reader:
        await sign_in(newsroom, reader)
        shown = await page(reader, "/desk/channels/all")
        for format in ("atom", "rss", "json", "ninjs"):
            assert f'href="https://harbour.example/channels/all.{format}"' in shown
        assert "check.cgi?url=https%3A%2F%2Fharbour.example%2Fchannels%2Fall.atom" in shown
        shown = await page(reader, "/desk/channels/paid")
        assert 'href="/desk/partners/daily"' in shown
        assert "check.cgi" not in shown
        assert 'href="https://harbour.example/channels/paid.atom"' not in shown


async def test_a_channel_is_found_under_its_earlier_name_and_one_that_is_none_is_not(
    newsroom: Newsroom,
) -> None:
    newsroom.channels = (Channel("news", "News", formerly=("old-news",)),)
    async with newsroom.client() as reader:
        await sign_in(newsroom, reader)
        answer = await reader.get("/desk/channels/old-news")
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/channels/news")
        assert (await reader.get("/desk/channels/nothing")).status_code == 404


async def test_nobody_sees_the_channels_who_is_not_signed_in(reader: httpx.AsyncClient) -> None:
    for path in ("/desk/channels", "/desk/channels/all"):
        assert "/desk/sign-in?next=" in (await reader.get(path)).headers["location"]


async def test_a_lease_that_is_over_is_not_counted(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    keep_stories(newsroom.database, says("1"))
    await newsroom.render()
    subscribe(newsroom)
    newsroom.clock.now = NOW + timedelta(days=11)
    await sign_in(newsroom, reader)
    assert "1 subscriber" not in await page(reader, "/desk/channels")
