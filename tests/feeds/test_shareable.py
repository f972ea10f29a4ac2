from __future__ import annotations

import pytest

from feeds.shareable import is_shareable


@pytest.mark.parametrize(
    "url",
    [
        "https://wire.example/feed",
        "https://wire.example/rss/2025/02/18/riyadh-talks-open-without-kyiv-in-the-room.xml",
        "https://wire.example/rss?category=world&lang=fr&page=2&format=xml",
        "https://news.example/search?q=ukraine+talks+riyadh+february&hl=fr&gl=FR&ceid=FR:fr",
        "https://www.youtube.com/feeds/videos.xml?channel_id=UCxVRDkHO1qRL2I7cFUh1KAQ",
        "https://wire.example/feed?keyword=peace&author=ada&keys=",
        "https://wire.example/feed?key=",
    ],
)
def test_an_address_that_anybody_may_have(url: str) -> None:
    assert is_shareable(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:secret@wire.example/feed",
        "https://ada@wire.example/feed",
        "https://wire.example/feed?key=1",
        "https://wire.example/feed?apikey=abc",
        "https://wire.example/feed?API_KEY=abc",
        "https://wire.example/feed?x=1&access_token=abc",
        "https://wire.example/feed?feed_token=abc",
        "https://wire.example/feed?x=1;token=abc",
        "https://wire.example/feed?authorization=abc",
        "https://wire.example/feed?user=ada&pwd=abc",
        "https://wire.example/feed?sig=abc",
        "https://wire.example/feed?t=9f86d081884c7d659a2feaa0",
        "https://wire.example/feed?9f86d081884c7d659a2feaa0",
        "https://wire.example/feed?id=123e4567-e89b-12d3-a456-426614174000",
        "https://wire.example/feed#token=abc",
        "https://wire.example/private/feed",
        "https://wire.example/podcast/123e4567-e89b-12d3-a456-426614174000.rss",
        "https://wire.example/u/9f86d081884c7d659a2feaa0c55ad015/feed.xml",
        "file:///etc/passwd",
        "not an address",
    ],
)
def test_an_address_that_is_somebodys_own(url: str) -> None:
    assert not is_shareable(url)
