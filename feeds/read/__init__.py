"""Reading feeds: any bytes that a server sends in, one value or one error out.

`sniff` says what the bytes are, `charsets` and `repairs` make them readable, then `universal`
reads XML in all its kinds (plain feeds by `fast`, all others by `parser`) and `jsonfeed` JSON Feed.
"""

from __future__ import annotations

from feeds.errors import ParseError
from feeds.model import Feed
from feeds.read import charsets, jsonfeed, sniff, universal

__all__ = ["parse"]

_NO_FEED = {
    sniff.Kind.NOTHING: "The answer is empty: no feed stands there.",
    sniff.Kind.HTML: "This is a web page, not a feed. The page may name its feed: look for one there.",
    sniff.Kind.TEXT: "This is plain text or a file of another kind, not a feed.",
}


def parse(body: bytes, *, content_type: str | None = None, base_url: str | None = None) -> Feed:
    """Read a feed: RSS 0.90 to 2.0, RSS 1.0 and 1.1, Atom 0.3 and 1.0, CDF, JSON Feed 1.0 and 1.1.

    `content_type` is the header as the server sent it; only its charset is used. `base_url` is where
    the feed stood after redirects; without it, links that are relative to it are left out. What was
    wrong but could be read stands in `problems`; ids stay as the feed wrote them.

    Raises:
        ParseError: nothing in `body` can be read as a feed; the message says what it is instead.
    """
    text, problems = charsets.decode(body, content_type)
    kind = sniff.kind(text)
    if kind in _NO_FEED:
        raise ParseError(_NO_FEED[kind])
    read = jsonfeed.read if kind is sniff.Kind.JSON else universal.read
    return read(text, base_url=base_url, problems=problems)
