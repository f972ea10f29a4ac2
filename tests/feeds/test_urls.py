from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds import urls
from feeds.urls import absolute, canonical, host_of, is_settled, page_of

BASE = "https://news.example/wire/feed.xml"
ADDRESSES = st.one_of(
    st.text(),
    st.from_regex(r"\A(?:https?:)?//[\w.:@\[\]-]{0,20}/[^\s]{0,20}\Z"),
    st.from_regex(r"\Ahttps?://[a-z]{1,9}\.example(?::\d{1,3})?[/\w.%?&=#\[\] ]{0,30}\Z"),
)


@pytest.mark.parametrize(
    ("written", "uri"),
    [
        ("story", "https://news.example/wire/story"),
        ("../a/./b", "https://news.example/a/b"),
        ("?page=2", "https://news.example/wire/feed.xml?page=2"),
        ("//cdn.example/p.jpg", "https://cdn.example/p.jpg"),
        ("  https://news.example/a\n", "https://news.example/a"),
        ("HTTPS://News.Example/A", "https://news.example/A"),
        ("https://news.example/a b[1]?q=[é]#f|g", "https://news.example/a%20b%5B1%5D?q=%5B%C3%A9%5D#f%7Cg"),
        ("https://news.example/100%", "https://news.example/100%25"),
        ("https://news.example/%41%zz", "https://news.example/%41%25zz"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://news.example:8080/", "https://news.example:8080/"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]:80/"),
        ("https://editor:secret@news.example/", "https://editor:secret@news.example/"),
    ],
)
def test_an_address_becomes_a_uri_that_can_be_published(written: str, uri: str) -> None:
    assert absolute(written, BASE) == uri


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        " \n",
        "javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://news.example/",
        "mailto:desk@news.example",
        "http://",
        "http://[::1",
        "http://[v1.x]/",
        "http://news.example:99999/",
        "http://a b.example/",
        "http://evil.example\\@news.example/",
        "http://.example/",
        "http://\u2100.example/",
        "http://\u0640\u0640.example/",
    ],
)
def test_what_leads_nowhere_or_elsewhere_is_no_address(written: str | None) -> None:
    assert absolute(written, BASE) is None


def test_a_relative_address_without_a_base_leads_nowhere() -> None:
    assert absolute("story.html") is None
    assert absolute("//news.example/a") == "https://news.example/a"


def test_the_login_of_a_private_feed_is_not_published_with_its_links() -> None:
    assert absolute("/a", "https://user:token@news.example/feed") == "https://news.example/a"
    assert absolute("//news.example/a", "https://user:token@news.example/feed") == "https://news.example/a"


def test_an_address_of_mail_is_kept_where_it_is_wanted() -> None:
    assert absolute("mailto:desk@news.example", BASE, mailto=True) == "mailto:desk@news.example"
    assert absolute("mailto:javascript", BASE, mailto=True) is None


@pytest.mark.parametrize(
    "written",
    [
        "https://www.news.example/a/story?id=7&b=2",
        "http://www.news.example/a/story?id=7&b=2",
        "https://WWW.News.Example.:443/a/story/?id=7&b=2#comments",
        "http://www.news.example:80/a/x/../story?id=7&utm_source=rss&utm_medium=feed&b=2",
        "https://www.news.example/a/./%73tory?fbclid=1&id=7&xtor=RSS-1&at_medium=RSS&at_campaign=x&b=2&",
    ],
)
def test_the_same_page_has_one_identity(written: str) -> None:
    assert canonical(written) == "https://www.news.example/a/story?id=7&b=2"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://www.news.example/a", "https://news.example/a"),
        ("https://news.example/a?x=1&y=2", "https://news.example/a?y=2&x=1"),
        ("https://news.example/A", "https://news.example/a"),
        ("https://news.example:8080/a", "https://news.example/a"),
    ],
)
def test_pages_that_may_differ_keep_their_own_identity(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_escapes_are_compared_in_one_form() -> None:
    assert canonical("https://news.example/%7Eu/%c3%a9") == canonical("https://news.example/~u/é")


def test_dots_above_the_root_stay_at_the_root() -> None:
    assert canonical("https://news.example/../../a") == "https://news.example/a"


def test_what_is_no_web_address_is_compared_as_it_is() -> None:
    assert canonical(" tag:news.example,2024:1 ") == "tag:news.example,2024:1"


def test_the_host_of_an_address() -> None:
    assert host_of("https://user@WWW.Bücher.example:8080/a") == "www.xn--bcher-kva.example"
    assert host_of("tag:news.example,2024:1") == ""


@given(ADDRESSES)
def test_an_absolute_address_stays_as_it_is(url: str) -> None:
    uri = absolute(url, BASE)
    if uri is not None:
        assert absolute(uri) == uri
        assert uri.isascii()
        assert urlsplit(uri).scheme in ("http", "https")


@given(ADDRESSES)
def test_an_identity_is_its_own_identity(url: str) -> None:
    assert canonical(canonical(url)) == canonical(url)


@pytest.mark.parametrize(
    "written",
    [
        "https://www.news.example/a",
        "http://news.example/a/",
        "https://news.example/a?ref=rss&utm_source=x&traffic_source=rss",
        "https://news.example/a?_ga=1.2&from=rss_feed#top",
    ],
)
def test_a_page_of_one_site_is_known_however_it_is_written(written: str) -> None:
    assert page_of(written) == "https://news.example/a"


def test_what_chooses_the_page_is_no_tracking() -> None:
    for written in (
        "https://news.example/a?from=kyiv",
        "https://news.example/?source=12",
        "https://www.example",
    ):
        assert page_of(written) == canonical(written)
    assert page_of("https://news.example/a?ref=12") != page_of("https://news.example/a?ref=13")


@given(
    st.text("aZ0._~-/?#;%&=:@'!é ", max_size=20).map("https://wire.example".__add__),
    st.sampled_from(["https://u:p@news.example/a/b", "http://news.example", "ftp://x", None]),
)
def test_a_settled_address_is_what_taking_it_apart_makes_of_it(url: str, base: str | None) -> None:
    if is_settled(url):
        assert absolute(url, base) == url == urls._uri(urls._joined(url, base))
