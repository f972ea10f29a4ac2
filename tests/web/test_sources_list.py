"""The sources that the newsroom follows, as a list for feed readers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx

from aggregator.model import SourceDraft
from aggregator.store import sources
from feeds.opml import Subscription, read_opml
from tests.conftest import NOW
from tests.store.newsroom import failed, follow, record
from tests.web.newsroom import Newsroom

URL = "/sources.opml"


async def test_the_list_names_what_is_followed_now(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    draft = SourceDraft(
        "https://wire.example/feed?lang=fr", "Agence du Port", "https://wire.example/", language="fr"
    )
    newsroom.database.write_now(lambda s: sources.add(s, [draft], now=NOW))
    paused, gone = follow(newsroom.database, "https://paused.example/feed", "https://gone.example/feed")
    newsroom.database.write_now(lambda s: sources.pause(s, paused, paused=True))
    record(newsroom.database, failed(gone, kind="gone"))
    follow(newsroom.database, "https://blog.example/feed", now=NOW + timedelta(hours=1))
    response = await reader.get(URL)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/x-opml; charset=utf-8"
    found = read_opml(response.content)
    assert found.title == "Sources of The Harbour Desk"
    assert found.created == NOW + timedelta(hours=1)
    assert set(found.subscriptions) == {
        Subscription("https://wire.example/feed?lang=fr", "Agence du Port", "https://wire.example/", "fr"),
        Subscription("https://blog.example/feed", "https://blog.example/feed"),
    }


async def test_what_we_pay_for_is_not_given_away(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    follow(
        newsroom.database,
        "https://ada:s3cret@wire.example/feed",
        "https://wire.example/feed?apikey=s3cret",
        "https://wire.example/open",
    )
    site = SourceDraft("https://other.example/feed", site_url="https://ada:s3cret@other.example/")
    newsroom.database.write_now(lambda s: sources.add(s, [site], now=NOW))
    response = await reader.get(URL)
    assert "s3cret" not in response.text
    assert {each.url for each in read_opml(response.content).subscriptions} == {
        "https://wire.example/open",
        "https://other.example/feed",
    }


async def test_the_same_list_is_the_same_bytes(newsroom: Newsroom, reader: httpx.AsyncClient) -> None:
    follow(newsroom.database, "https://wire.example/feed")
    first = await reader.get(URL)
    newsroom.clock.move(timedelta(days=1))
    again = await reader.get(URL, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_newsroom_that_follows_nothing_has_an_empty_list(reader: httpx.AsyncClient) -> None:
    found = read_opml((await reader.get(URL)).content)
    assert (found.subscriptions, found.created) == ((), None)


async def test_a_newsroom_may_keep_its_sources_to_itself(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    follow(newsroom.database, "https://wire.example/feed")
    assert "/sources.opml" in (await reader.get("/")).text
    newsroom.serve = replace(newsroom.serve, opml=False)
    async with newsroom.client() as stranger:
        assert (await stranger.get(URL)).status_code == 404
        assert "/sources.opml" not in (await stranger.get("/")).text
