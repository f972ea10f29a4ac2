"""What can go wrong with a feed.

- `FeedsError`
  - `ParseError`: these bytes are no feed that anyone can read.
  - `RenderError`: this feed cannot be written in the format asked for.
  - `FetchError`: no usable answer came; `kind` says which way it failed.
  - `WebSubError`: a hub, a publisher or a subscriber said what WebSub does not allow.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class FailureKind(StrEnum):
    """The ways in which following a feed fails, as an editor reads them in the fetch log."""

    BAD_URL = "bad_url"
    PRIVATE_ADDRESS = "private_address"
    UNKNOWN_HOST = "unknown_host"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    BROKEN_ANSWER = "broken_answer"
    TOO_LARGE = "too_large"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    SERVER_ERROR = "server_error"
    REFUSED = "refused"
    NOT_FOUND = "not_found"
    GONE = "gone"
    NOT_A_FEED = "not_a_feed"
    OURS = "ours"


class FeedsError(Exception):
    """Something is wrong with a feed."""


class ParseError(FeedsError):
    """These bytes are no feed that anyone can read."""


class RenderError(FeedsError):
    """This feed cannot be written in the format asked for."""


class WebSubError(FeedsError):
    """A hub, a publisher or a subscriber said what WebSub does not allow; the message says what to say."""


class FetchError(FeedsError):
    """No usable answer came from `url`.

    `kind` says which way it failed, `status` is the HTTP status if there was one, `retry_after`
    how long the server asked us to stay away (RFC 9110 section 10.2.3), if it did.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str,
        kind: FailureKind,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.url = url
        self.kind = kind
        self.status = status
        self.retry_after = retry_after
        #: The redirects that were followed before it: from, status, to.
        self.hops: tuple[tuple[str, int, str], ...] = ()
