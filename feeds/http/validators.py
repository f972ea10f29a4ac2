"""Conditional requests, from both ends (RFC 9110 section 13).

As a reader, `Validators` remembers what a feed gave us and asks "only if it changed". As a
publisher, `is_unmodified` decides whether the one who asks already has our bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from feeds.http.times import read_http_date

_ENTITY_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
# What proxies append inside the quotes when they compress a body that we tagged: Apache's
# mod_deflate "-gzip", Jetty "--gzip", others ";gzip". Without this no client behind them ever
# gets a 304.
_PROXY_SUFFIX = re.compile(r"(?:--?|;)(?:gzip|br|zstd|deflate)$")
_UNSENDABLE = re.compile(r"[^\x20-\x7e\x80-\xff]")


@dataclass(frozen=True, slots=True)
class Validators:
    """What a feed gave us to ask again with, verbatim."""

    #: The ETag header.
    etag: str | None = None
    #: The Last-Modified header.
    last_modified: str | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Validators:
        """What these response headers give, without what would do harm when sent back."""
        names = {name.lower(): value.strip() for name, value in headers.items()}
        etag, modified = names.get("etag", ""), names.get("last-modified", "")
        return cls(
            etag=etag if _is_usable_etag(etag) else None,
            last_modified=modified if _is_usable_date(modified) else None,
        )

    def request_headers(self) -> dict[str, str]:
        """The headers that make a request conditional; none where nothing usable is known.

        Both go out when both are known (RFC 9110 section 13.1.3): old caches know only the date.
        An ETag that came without quotes goes back without them, since a server that forgets them
        compares characters.
        """
        headers = {}
        if self.etag is not None and _is_usable_etag(self.etag):
            headers["If-None-Match"] = self.etag
        if self.last_modified is not None and _is_usable_date(self.last_modified):
            headers["If-Modified-Since"] = self.last_modified
        return headers

    def updated_by(self, headers: Mapping[str, str]) -> Validators:
        """These validators after a 304 with `headers` (RFC 9111 section 4.3.4)."""
        heard = Validators.from_headers(headers)
        return Validators(
            etag=heard.etag or self.etag, last_modified=heard.last_modified or self.last_modified
        )


def _is_usable_etag(etag: str) -> bool:
    # An empty tag is the same for every state of the feed: sent back, it would freeze it.
    is_empty = not etag.removeprefix("W/").strip('"')
    return not is_empty and not _UNSENDABLE.search(etag)


def _is_usable_date(text: str) -> bool:
    if not text or _UNSENDABLE.search(text):
        return False
    moment = read_http_date(text)
    # The two ends of a 32-bit clock are what a server says that does not know, and a feed asked
    # "since 2038" never changes. Other text goes back as it came: some servers compare characters.
    return 1970 < moment.year < 2038 if moment else "2038" not in text


def is_unmodified(headers: Mapping[str, str], *, etag: str | None, last_modified: str | None) -> bool:
    """Whether a GET or HEAD with these request headers is answered 304 (RFC 9110 section 13.2.2).

    `etag` (quoted, weak or strong) and `last_modified` (an HTTP date) describe what we would
    send. If-None-Match is compared weakly, member by member, and when it is there
    If-Modified-Since is not looked at; a date that is no HTTP date is ignored (section 13.1.3).
    Tags to which a proxy has appended its compression count as ours.
    """
    names = {name.lower(): value for name, value in headers.items()}
    wanted, since = names.get("if-none-match"), names.get("if-modified-since")
    if wanted is not None:
        return _holds(wanted.strip(), etag)
    if since is None or last_modified is None:
        return False
    asked, ours = read_http_date(since), read_http_date(last_modified)
    return asked is not None and ours is not None and ours <= asked


def _holds(wanted: str, etag: str | None) -> bool:
    """Whether an If-None-Match lists this tag, or any (`*`)."""
    if wanted == "*":
        return True
    ours = _ENTITY_TAG.fullmatch(etag) if etag else None
    if ours is None:
        return False
    tags = _ENTITY_TAG.findall(wanted)
    return any(tag == ours[1] or _PROXY_SUFFIX.sub("", tag) == ours[1] for tag in tags)
