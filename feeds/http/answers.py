"""The values of a fetch. No address in them carries a name or a password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from feeds.http.freshness import Freshness
from feeds.http.validators import Validators


@dataclass(frozen=True, slots=True)
class Limits:
    """How much patience and room one fetch has."""

    #: For all of it, redirects and body included, however slowly the bytes drip.
    total: timedelta = timedelta(seconds=30)
    #: To look up a host and connect to it.
    connect: timedelta = timedelta(seconds=10)
    #: From the request to the first byte of the answer, and between any two reads after it.
    first_byte: timedelta = timedelta(seconds=15)
    #: For the body, both as it comes and unpacked.
    body_bytes: int = 10 * 1024 * 1024
    #: How many are followed.
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect that was followed."""

    #: Where we asked.
    url: str
    #: 301, 302, 303, 307 or 308.
    status: int
    #: Where it sent us, absolute.
    location: str

    @property
    def is_permanent(self) -> bool:
        """Whether the server says that the feed moved for good (RFC 9110 sections 15.4.2, 15.4.9)."""
        return self.status in (301, 308)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The feed's bytes."""

    #: Where they came from, after all redirects: the base for relative links.
    url: str
    #: 200, 203 or 226 (RFC 3229: only what is new).
    status: int
    #: The Content-Type header.
    content_type: str | None
    #: Unpacked and whole.
    body: bytes
    #: What to ask with the next time.
    validators: Validators
    freshness: Freshness
    #: In the order in which they were followed.
    hops: tuple[Hop, ...]
    #: By name in lower case; several of one name are joined with a comma.
    headers: Mapping[str, str] = field(repr=False)
    #: From the call of `fetch` to the last byte.
    elapsed: timedelta
    #: SHA-256 of `body`, in hexadecimal.
    digest: str


@dataclass(frozen=True, slots=True)
class NotModified:
    """The feed is as it was when the validators were given out."""

    #: Where that was said, after all redirects.
    url: str
    #: Those that were asked with, renewed by this answer.
    validators: Validators
    freshness: Freshness
    #: In the order in which they were followed.
    hops: tuple[Hop, ...]
    #: From the call of `fetch` to the answer.
    elapsed: timedelta
