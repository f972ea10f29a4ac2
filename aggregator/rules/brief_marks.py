"""Markdown and HTML as an editor pastes them, read as their reader sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from feeds.html import to_text

# Every repetition here has an end, so that a paste of a hundred thousand brackets stays quick.
_HREF = r"<?((?:[^()\s<>]|\([^()\s]{0,500}\)){0,2000})>?"
_LINK = re.compile(
    r"\[((?:[^\[\]]|\[[^\[\]]{0,200}\]){0,500})\]"
    rf"\(\s{{0,9}}{_HREF}(?:\s{{1,9}}(?:\"[^\"]{{0,500}}\"|'[^']{{0,500}}'))?\s{{0,9}}\)"
    r"|<?(https?://[^\s<>()\[\]«»“”\"]{1,2000}(?<![.,;:!?]))>?"
)
_IMAGE = re.compile(r"!\[([^\[\]]{0,500})\]\([^()]{0,2000}\)")
_EMPHASIS = re.compile(r"(?<![\w*\\])(\*{1,3})(?=[^\s*])(.{1,300}?)(?<=[^\s*])\1(?![\w*])")
_UNDERLINED = re.compile(r"(?<![\w\\])(_{1,3})(?=[^\s_])(.{1,300}?)(?<=[^\s_])\1(?!\w)")
_CODE = re.compile(r"`([^`\n]{1,1000})`")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+.!>-])")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_OPENED_SCHEMES = frozenset({"http", "https", "mailto"})

_HTML = re.compile(
    r"\s*<(?:!doctype|html|body|article|section|main|div|h[1-6]|p|ul|ol)\b|.*</(?:p|div|h[1-6]|li|body)>",
    re.IGNORECASE | re.DOTALL,
)
_ANCHOR = re.compile(
    r"<a\b[^>]{0,500}?\bhref\s?=\s?[\"']?([^\"'\s>]{0,2000})[\"']?[^>]{0,500}>(.{0,2000}?)</a>",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class BriefLink:
    """A link in a brief."""

    #: What the reader sees, plain.
    text: str
    #: As written; "" where it leads nowhere: [text](), [text](#), or a scheme that no reader opens.
    href: str
    #: The id of the passage it stands in; None for the date and "read more" lines.
    passage: str | None = None

    @property
    def is_empty(self) -> bool:
        """True where the editor has still to say where it leads."""
        return not self.href


def read_marks(text: str, passage: str | None = None) -> tuple[str, tuple[BriefLink, ...]]:
    """A paragraph of Markdown as plain text on one line, and its links in order."""
    links: list[BriefLink] = []

    def seen(found: re.Match[str]) -> str:
        shown, href, bare = found.groups()
        link = BriefLink(bare, bare, passage) if bare else BriefLink(_plain(shown), _opened(href), passage)
        links.append(link)
        return bare or shown

    without_links = _LINK.sub(seen, _IMAGE.sub(r"\1", " ".join(text.split())))
    return _plain(without_links), tuple(links)


def _plain(text: str) -> str:
    for marks, kept in ((_EMPHASIS, r"\2"), (_UNDERLINED, r"\2"), (_EMPHASIS, r"\2"), (_CODE, r"\1")):
        text = marks.sub(kept, text)
    return " ".join(_ESCAPED.sub(r"\1", text).split())


def _opened(href: str) -> str:
    """The address, or "" where it is only the mark of one to come or nothing a reader opens."""
    scheme = _SCHEME.match(href)
    if href.startswith("#") or (scheme and scheme[1].lower() not in _OPENED_SCHEMES):
        return ""
    return href


def is_html(text: str) -> bool:
    """True for a paste that is clearly HTML: it begins with a block or closes one."""
    return _HTML.match(text) is not None


def from_html(text: str) -> str:
    """HTML as a brief in Markdown: a paragraph a block, links kept."""
    lines = to_text(_ANCHOR.sub(r"[\2](\1)", text)).splitlines()
    return "\n\n".join(lines)
