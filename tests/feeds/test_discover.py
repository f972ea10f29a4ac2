"""Where the feeds of a page are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.discover import FoundFeed, find_feeds, guess_feed_urls

PAGE = "https://news.example/world/index.html"
RSS = "application/rss+xml"


def feeds_of(html: str, *, content_type: str | None = "text/html; charset=utf-8") -> list[FoundFeed]:
    return find_feeds(html.encode(), content_type=content_type, base_url=PAGE)


def urls_of(html: str) -> list[str]:
    return [feed.url for feed in feeds_of(html)]


def test_a_feed_that_the_page_announces_is_found() -> None:
    html = f'<title>News</title><link rel="alternate" type="{RSS}" title="All  news" href="/all.rss">'
    assert feeds_of(html) == [FoundFeed("https://news.example/all.rss", "All news", RSS)]


@pytest.mark.parametrize("rel", ["alternate", "ALTERNATE", "alternate nofollow", " home  Alternate ", "feed"])
def test_rel_is_a_list_of_words_in_any_case(rel: str) -> None:
    assert urls_of(f'<LINK REL="{rel}" TYPE="Application/RSS+XML; charset=utf-8" HREF="f">') == [
        "https://news.example/world/f"
    ]


@pytest.mark.parametrize(
    "link",
    [
        f'<link rel="stylesheet alternate" type="{RSS}" href="f">',
        '<link rel="alternate" hreflang="fr" type="text/html" href="fr">',
        '<link rel="alternate" href="f">',
        f'<link rel="alternates" type="{RSS}" href="f">',
        f'<link type="{RSS}" href="f">',
        f'<link rel="alternate" type="{RSS}">',
        f'<link rel="alternate" type="{RSS}" href="javascript:alert(1)">',
    ],
)
def test_what_is_no_feed_of_the_page_is_not_found(link: str) -> None:
    assert feeds_of(link) == []


@pytest.mark.parametrize(
    "kind",
    ["application/atom+xml", "application/feed+json", "application/json", "application/rdf+xml", "text/xml"],
)
def test_every_format_of_feed_is_found(kind: str) -> None:
    assert feeds_of(f'<link rel="alternate" type="{kind}" href="/f">')[0].type == kind


def test_the_base_of_the_page_counts() -> None:
    link = f'<link rel="alternate" type="{RSS}" href="f">'
    assert urls_of(f'<base target="_top"><base href="/desk/"><base href="/no/">{link}') == [
        "https://news.example/desk/f"
    ]
    assert urls_of(f'<base href="javascript:1">{link}') == ["https://news.example/world/f"]


def test_a_feed_without_a_name_has_that_of_the_page() -> None:
    assert (
        feeds_of(f"<title> The\n News </title><link rel=alternate type={RSS} href=f>")[0].title == "The News"
    )
    assert feeds_of(f"<link rel=alternate type={RSS} href=f>")[0].title == ""


def test_announced_feeds_stand_before_linked_ones_and_comments_stand_last() -> None:
    html = f"""<body><a href="/sport/feed/">Sport</a>
        <link rel=alternate type={RSS} href="/comments/feed/" title="Comments">
        <link rel=alternate type={RSS} href="/b" title="Second">
        <link rel=alternate type={RSS} href="/a" title="Third">
        <link rel=alternate type={RSS} href="/k" title="Alle Kommentare">
        <a href="/?feed=comments-rss2">x</a><a href="/x.rss">News: Комментарии</a>"""
    assert urls_of(html) == [
        f"https://news.example{path}"
        for path in ("/b", "/a", "/sport/feed/", "/comments/feed/", "/k", "/x.rss")
    ]


def test_a_comment_in_the_host_makes_no_comments_feed() -> None:
    html = f'<link rel=alternate type={RSS} href="/k" title="k"><a href="https://comment.example/rss">Opinion</a>'
    assert urls_of(html)[0] == "https://news.example/k"
    feeds = find_feeds(
        b'<a href="/x/comments.rss">c</a><a href="/rss">n</a>',
        content_type=None,
        base_url="https://comment.example/",
    )
    assert [feed.url for feed in feeds] == [
        "https://comment.example/rss",
        "https://comment.example/x/comments.rss",
    ]


@pytest.mark.parametrize(
    "href",
    [
        "/feed", "/feed/", "/RSS", "/rss2", "/atom", "/en/feeds/", "/a.rss", "/a.rdf", "/a.atom", "/rss.xml",
        "/atom.xml", "/feed.json", "/feed-world.xml", "/news/rss-all.php", "/world_rss.xml", "/?feed=rss2",
        "/index.php?x=1&format=feed&y=2", "/search?alt=rss", "https://other.example/feed",
    ],
)  # fmt: skip
def test_a_link_that_looks_like_a_feed_is_one(href: str) -> None:
    assert len(urls_of(f'<a href="{href}">RSS</a>')) == 1


@pytest.mark.parametrize(
    "href",
    [
        "/", "/feedback", "/about-rss", "/sitemap.xml", "/feed/article-1", "/feeders", "/?q=feed", "#rss",
        "/subscribe/feed/https://news.example/feed", "mailto:feed@news.example", "",
    ],
)  # fmt: skip
def test_a_link_that_only_sounds_like_a_feed_is_none(href: str) -> None:
    assert urls_of(f'<a href="{href}">RSS</a>') == []


def test_a_link_that_says_its_type_needs_no_looks() -> None:
    assert feeds_of(f'<a type="{RSS}" href="/x"><b>Our</b> news</a>') == [
        FoundFeed("https://news.example/x", "Our news", RSS)
    ]
    assert feeds_of('<a type="text/xml" href="/x">data</a>') == []


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("feed://a.example/rss", "https://a.example/rss"),
        ("feed:https://a.example/rss", "https://a.example/rss"),
        ("FEED://http://a.example/rss", "http://a.example/rss"),
        ("/rss#new", "https://news.example/rss"),
    ],
)
def test_addresses_are_those_to_fetch(href: str, url: str) -> None:
    assert urls_of(f'<a href="{href}">RSS</a>') == [url]


def test_each_feed_stands_once_with_its_first_name() -> None:
    html = f'<link rel=alternate type={RSS} href="/rss" title="News"><a href="/rss">RSS</a><a href="/rss#x">RSS</a>'
    assert feeds_of(html) == [FoundFeed("https://news.example/rss", "News", RSS)]


@pytest.mark.parametrize(
    "content_type", [None, "text/html", "text/html; charset=windows-1251", "charset=nonsense"]
)
def test_a_page_is_read_in_the_encoding_that_it_is_in(content_type: str | None) -> None:
    charset = "cp1251" if content_type and "1251" in content_type else "utf-8"
    html = f'<meta charset="{charset}"><link rel=alternate type={RSS} href=/f title="Новини">'
    body = html.encode(charset)
    assert find_feeds(body, content_type=content_type, base_url=PAGE)[0].title == "Новини"


@pytest.mark.parametrize(
    "body", [b"", b"\0\0", b"plain words", b"<rss><channel/></rss>", b'{"version": "1"}']
)
def test_what_is_no_page_has_no_feeds(body: bytes) -> None:
    assert find_feeds(body, content_type=None, base_url=PAGE) == []


@given(st.binary(max_size=300), st.text(max_size=30))
def test_no_page_breaks_the_search(body: bytes, content_type: str) -> None:
    link = f"<link rel=alternate type={RSS} href=/f>".encode()
    for feed in find_feeds(link + body, content_type=content_type, base_url=PAGE):
        assert feed.url.startswith(("http://", "https://"))


def test_usual_places_are_guessed_below_the_page_first() -> None:
    guesses = guess_feed_urls("https://news.example/blog/?x=1#top")
    assert guesses[:2] == ["https://news.example/blog/feed", "https://news.example/blog/rss"]
    assert "https://news.example/rss.xml" in guesses
    assert "https://news.example/?feed=rss2" in guesses
    assert len(guesses) == len(set(guesses))


def test_a_root_is_guessed_once() -> None:
    guesses = guess_feed_urls("https://news.example")
    assert guesses[0] == "https://news.example/feed"
    assert len(guesses) == len(guess_feed_urls("https://news.example/blog")) / 2
    assert guess_feed_urls("mailto:a@b.example") == []
