"""Whom a request goes to."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feeds.http.origins import _PLAIN, Address


@given(st.from_regex(_PLAIN, fullmatch=True))
@example("http://127.0.0.1:8900/f/0750eab72c-1")
@example("https://news.example.org/feed.xml?a=1&b=2")
@example("http://localhost/")
@example("http://a-b.c1.example:65536/")
@example("http://example.org:80/")
@example("https://example.org:80/a//")
def test_a_plain_address_is_what_httpx_makes_of_it(text: str) -> None:
    plain = Address.plain(text)
    if plain is not None:
        assert plain == Address.of(httpx.URL(text))


NOT_PLAIN = r"""
    http://0x7f.1/ http://127.1/ http://2130706433/ http://0177.0.0.1/ http://127.0.0.1./ http://256.0.0.1/
    http://xn--mnchen-3ya.example/ http://münchen.example/ http://Example.org/ HTTP://example.org/ http://a..b/
    http://user@example.org/ http://example.org/#top http://example.org/a/../b http://example.org/./a
    http://example.org/%2e%2e/ http://example.org:080/ http://example.org http://[::1]/ ftp://example.org/
    http://example.org:99999/ http://example.org/a\b http://example.org/?a=%41 http://example.org/é
"""


@pytest.mark.parametrize("text", NOT_PLAIN.split())
def test_what_could_be_read_in_two_ways_is_not_plain(text: str) -> None:
    assert Address.plain(text) is None


def test_an_address_that_is_nearly_plain_is_told_at_once() -> None:
    assert Address.plain("http://" + "a-" * 900 + "/") is None
    assert Address.plain("http://example.org/" + "a/" * 900 + "!") is None
    assert Address.plain("http://example.org/" + "a" * 3_000) is None
