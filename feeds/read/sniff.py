"""What a text is, before anyone tries to read it."""

from __future__ import annotations

import re
from enum import StrEnum

# What may stand before the first element of a document.
_PROLOG = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_DOCTYPE = re.compile(r"<!DOCTYPE\s+([\w:.-]+)[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")
_FEED_START = re.compile(r"<\?xml\s|<(?:[\w.-]+:)?(?:rss|feed|RDF)[\s>]", re.IGNORECASE)
_FEED_ELEMENT = re.compile(r"<(?:[\w.-]+:)?(?:rss|feed|RDF|channel)[\s>]", re.IGNORECASE)

_FEED_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
_HTML_FRAGMENTS = frozenset(
    {"a", "b", "body", "br", "center", "div", "h1", "head", "meta", "p", "script", "title"}
)

#: How far into a document a feed may begin behind what does not belong there, in characters.
_REACH = 20_000


class Kind(StrEnum):
    """What a text is, as far as reading it is concerned."""

    XML = "xml"
    JSON = "json"
    HTML = "html"
    TEXT = "text"
    NOTHING = "nothing"


def kind(text: str) -> Kind:
    """What the text is, judged by its beginning alone: servers' labels are wrong too often."""
    start = text.lstrip("\ufeff \t\r\n")
    if not start:
        return Kind.NOTHING
    if start[0] in "{[":
        return Kind.JSON
    name = root(start)
    if name == "html":
        return Kind.HTML
    if name and start[0] == "<" and name not in _HTML_FRAGMENTS:
        return Kind.XML
    if _FEED_ELEMENT.search(start, 0, _REACH):
        return Kind.XML
    return Kind.HTML if name else Kind.TEXT


def root(text: str) -> str:
    """The name of the first element in lower case, "" if there is none.

    It is "html" under a doctype of HTML too, unless a feed follows: a few feeds have such a doctype.
    """
    place, doctype = 0, ""
    while (found := _PROLOG.match(text, place) or _DOCTYPE.match(text, place)) is not None:
        place = found.end()
        if found.re is _DOCTYPE:
            doctype = found[1].lower()
    element = _ELEMENT.match(text, place) or _ELEMENT.search(text, place, place + _REACH)
    name = element[1].lower() if element else ""
    return "html" if doctype == "html" and name not in _FEED_ROOTS else name


def is_feed_root(name: str) -> bool:
    """Whether documents of this root element are feeds, whatever little stands in them."""
    return name in _FEED_ROOTS


def without_preface(text: str) -> str:
    """The text from where a feed begins: some servers print warnings of PHP or blank lines before it."""
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("<") and root(start) not in _HTML_FRAGMENTS:
        return start
    found = _FEED_START.search(start, 0, _REACH)
    return start[found.start() :] if found else start
