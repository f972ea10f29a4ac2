from __future__ import annotations

import pytest

from feeds.domains import domain_of


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://feeds.news.example.co.uk/world.xml", "example.co.uk"),
        ("https://WIRE.example./feed", "wire.example"),
        ("https://blog.tumblr.com/rss", "tumblr.com"),
        ("https://somebody.github.io/feed.xml", "somebody.github.io"),
        ("https://пример.рф/feed", "xn--e1afmkfd.xn--p1ai"),
        ("http://127.0.0.1:8000/feed", "127.0.0.1"),
        ("http://127.0.0.2/feed", "127.0.0.2"),
        ("http://[::1]/feed", "::1"),
        ("http://localhost/feed", "localhost"),
        ("https://co.uk/", "co.uk"),
        ("mailto:desk@wire.example", ""),
    ],
)
def test_a_domain_is_what_somebody_registered(url: str, domain: str) -> None:
    assert domain_of(url) == domain
