"""What went wrong with a fetch, as a kind and in a sentence that an editor understands.

The one place that knows the exceptions of httpx, ssl and socket.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta

import httpx

from feeds.errors import FailureKind, FetchError
from feeds.http.answers import Limits
from feeds.http.decoding import DecodingError
from feeds.http.guard import NO_HANDLE, AddressRefused, require_handle
from feeds.http.origins import Address

_CREDENTIALS = re.compile(r"//[^/?#]*@")

_BY_STATUS = {
    401: (FailureKind.REFUSED, "The server at {host} asks for a name and a password (401)."),
    403: (FailureKind.REFUSED, "The server at {host} does not let us read the feed (403)."),
    404: (FailureKind.NOT_FOUND, "The server at {host} has no feed at this address (404)."),
    410: (FailureKind.GONE, "The server at {host} says that the feed is gone for good (410)."),
    429: (FailureKind.RATE_LIMITED, "The server at {host} asks us to come less often (429)."),
    451: (FailureKind.REFUSED, "The server at {host} may not show us the feed, for legal reasons (451)."),
    503: (FailureKind.UNAVAILABLE, "The server at {host} is out of service for the moment (503)."),
}

_BAD_LOCATION = "The server at {host} sends us to an address that is none on the web."


def bad_url(url: str, why: str) -> FetchError:
    """`url` cannot be asked at all; `why` is a sentence."""
    # The text may hold a password, so it stands in no message.
    return FetchError(why, url=_CREDENTIALS.sub("//", url), kind=FailureKind.BAD_URL)


def bad_status(url: Address, status: int, retry_after: timedelta | None) -> FetchError:
    """The server answered, but with no feed."""
    if status in _BY_STATUS:
        kind, sentence = _BY_STATUS[status]
    elif status >= 500:
        kind, sentence = (
            FailureKind.SERVER_ERROR,
            "The server at {host} reports a fault of its own ({status}).",
        )
    elif status >= 400:
        kind, sentence = FailureKind.REFUSED, "The server at {host} refused the request ({status})."
    else:
        kind, sentence = FailureKind.BROKEN_ANSWER, "The server at {host} answered without a feed ({status})."
    message = sentence.format(host=url.host, status=status)
    return FetchError(message, url=str(url), kind=kind, status=status, retry_after=retry_after)


def unasked_304(url: Address) -> FetchError:
    """A server says "not modified" to a request that did not ask."""
    return FetchError(
        f"The server at {url.host} says that nothing changed, though we did not ask what changed (304).",
        url=str(url),
        kind=FailureKind.BROKEN_ANSWER,
        status=304,
    )


def redirect_nowhere(url: Address, status: int) -> FetchError:
    """A redirect without an address."""
    return FetchError(
        f"The server at {url.host} sends us elsewhere but does not say where ({status}).",
        url=str(url),
        kind=FailureKind.BROKEN_ANSWER,
        status=status,
    )


def bad_location(url: Address) -> FetchError:
    """A redirect to what is no address."""
    return FetchError(_BAD_LOCATION.format(host=url.host), url=str(url), kind=FailureKind.BAD_URL)


def too_many_redirects(url: Address, status: int, *, followed: int, in_circle: bool) -> FetchError:
    """Redirects that lead to no end."""
    how = "in a circle" if in_circle else f"on and on ({followed} times so far)"
    return FetchError(
        f"The server at {url.host} sends us {how}.",
        url=str(url),
        kind=FailureKind.TOO_MANY_REDIRECTS,
        status=status,
    )


def too_large(url: Address, status: int, body_bytes: int) -> FetchError:
    """A body beyond the limit, as announced, as it came or unpacked."""
    return FetchError(
        f"The feed at {url.host} is larger than {_size(body_bytes)}.",
        url=str(url),
        kind=FailureKind.TOO_LARGE,
        status=status,
    )


def cut_short(url: Address, status: int) -> FetchError:
    """A compressed body without its end."""
    return FetchError(
        f"The feed from {url.host} was cut short.",
        url=str(url),
        kind=FailureKind.BROKEN_ANSWER,
        status=status,
    )


def too_slow(url: Address, limits: Limits) -> FetchError:
    """The time for the whole fetch is over."""
    return FetchError(
        f"The answer from {url.host} was not complete after {_seconds(limits.total)}.",
        url=str(url),
        kind=FailureKind.TIMEOUT,
    )


def from_exception(error: Exception, url: Address, limits: Limits) -> FetchError:
    """What an exception of the HTTP client means. The caller raises it `from` that exception."""
    kind, sentence = _meaning(error, limits)
    return FetchError(sentence.format(host=url.host), url=str(url), kind=kind)


_NOT_ASKED = "{host} was not asked: this process has too many connections open."


def _meaning(error: Exception, limits: Limits) -> tuple[FailureKind, str]:
    if isinstance(error, httpx.ConnectError) and _may_open_nothing():
        # Where the files that names are looked up in could not be opened, a name leads to another address.
        return FailureKind.OURS, _NOT_ASKED
    for cause in _causes(error):
        match cause:
            case AddressRefused():
                return FailureKind.PRIVATE_ADDRESS, _private(cause)
            case OSError(errno=number) if number in NO_HANDLE:
                return FailureKind.OURS, _NOT_ASKED
            case socket.gaierror() | UnicodeError():
                return FailureKind.UNKNOWN_HOST, "There is no server named {host}."
            case ssl.SSLCertVerificationError():
                return FailureKind.TLS, "The certificate of {host} is not valid: " + _plain(
                    cause.verify_message
                )
            case ssl.SSLError():
                return FailureKind.TLS, "No secure connection to {host} could be set up."
            case _:
                continue
    return _meaning_by_moment(error, limits)


def _may_open_nothing() -> bool:
    """Whether this process has no handle left at this moment."""
    try:
        require_handle()
    except OSError as error:
        return error.errno in NO_HANDLE
    return False


def _meaning_by_moment(error: Exception, limits: Limits) -> tuple[FailureKind, str]:
    """What an exception means by where in the fetch it came, its cause being no help."""
    # httpx reads where a redirect leads even when it is told not to follow it.
    if isinstance(error, httpx.InvalidURL) or "location header" in str(error):
        return FailureKind.BAD_URL, _BAD_LOCATION
    match error:
        case httpx.ConnectTimeout():
            return FailureKind.TIMEOUT, f"{{host}} could not be reached within {_seconds(limits.connect)}."
        case httpx.TimeoutException():
            return (
                FailureKind.TIMEOUT,
                f"The server at {{host}} did not answer within {_seconds(limits.first_byte)}.",
            )
        case httpx.ConnectError():
            return FailureKind.UNREACHABLE, "The server at {host} cannot be reached."
        case DecodingError():
            return (
                FailureKind.BROKEN_ANSWER,
                "The feed from {host} is compressed in a way that cannot be read.",
            )
        case httpx.NetworkError():
            return FailureKind.BROKEN_ANSWER, "The connection to {host} broke before the answer was complete."
        case _:
            return FailureKind.BROKEN_ANSWER, "The answer from {host} is incomplete or no proper HTTP."


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _private(refused: AddressRefused) -> str:
    return _plain(
        f"{refused.host} stands at {refused.address}, inside a private network. "
        "If this feed is your own, set fetch.private_networks to true."
    )


def _plain(text: str) -> str:
    """Text that takes part in a sentence with a gap, without gaps of its own."""
    return text.replace("{", "{{").replace("}", "}}")


def _seconds(length: timedelta) -> str:
    seconds = length.total_seconds()
    return "1 second" if seconds == 1 else f"{seconds:g} seconds"


def _size(size_bytes: int) -> str:
    mebi = size_bytes / 1024 / 1024
    return f"{mebi:.0f} MiB" if mebi >= 1 else f"{size_bytes} bytes"
