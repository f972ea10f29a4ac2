"""One conditional GET, with everything that a stranger's server may do to it."""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import httpx

from feeds.errors import FetchError
from feeds.http import failures
from feeds.http.addresses import web_address
from feeds.http.answers import Fetched, Hop, Limits, NotModified
from feeds.http.decoding import ACCEPT_ENCODING, DecodingError, decoder_for
from feeds.http.freshness import Freshness
from feeds.http.validators import Validators

#: For a feed of which nothing is known yet.
NO_VALIDATORS = Validators()
#: The limits that a fetch has when it is given none.
USUAL_LIMITS = Limits()

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
_WITH_FEED = (200, 203, 226)
_REDIRECTS = (301, 302, 303, 307, 308)
# Unpacking lets others have their turn each time that this much has come out.
_TURN_BYTES = 1024 * 1024
# The rest of an answer that tells us nothing is read when it is this small and comes at once:
# that keeps the connection for the next request.
_REST_BYTES = 16 * 1024
_REST_SECONDS = 0.5


async def fetch(
    client: httpx.AsyncClient,
    url: str,
    validators: Validators = NO_VALIDATORS,
    limits: Limits = USUAL_LIMITS,
) -> Fetched | NotModified:
    """Ask for the feed at `url`, if it changed since `validators` were given out.

    Redirects are followed by hand, so that each is recorded and each new host passes the guard.
    A name and a password in the URL are sent to its own host and shown nowhere. Waiting for one
    of the client's connections is part of `limits.total`, so do not start more at once than the
    client has.

    Raises:
        FetchError: there is no feed to be had; `kind`, `status` and `retry_after` say why.
    """
    attempt = _Attempt(client, url, validators, limits)
    try:
        return await _answer(attempt, limits)
    except FetchError as error:
        error.hops = attempt.hops
        raise


async def _answer(attempt: _Attempt, limits: Limits) -> Fetched | NotModified:
    try:
        async with asyncio.timeout(limits.total.total_seconds()):
            while (answer := await attempt.ask()) is None:
                pass
            return answer
    except TimeoutError as error:
        raise failures.too_slow(attempt.url, limits) from error
    except (httpx.HTTPError, httpx.InvalidURL, DecodingError) as error:
        raise failures.from_exception(error, attempt.url, limits) from error


class _Attempt:
    """One fetch on its way from redirect to redirect."""

    def __init__(self, client: httpx.AsyncClient, url: str, validators: Validators, limits: Limits) -> None:
        self._client = client
        self._limits = limits
        self._validators = validators
        self._started = time.monotonic()
        self._hops: list[Hop] = []
        self.url, self._auth = web_address(url)
        self._timeout = httpx.Timeout(
            connect=limits.connect.total_seconds(),
            read=limits.first_byte.total_seconds(),
            write=limits.first_byte.total_seconds(),
            pool=None,
        )

    async def ask(self) -> Fetched | NotModified | None:
        """Send one request; None means that it was a redirect, and the next goes where it led."""
        conditions = self._validators.request_headers()
        headers = {"Accept": _ACCEPT, "Accept-Encoding": ACCEPT_ENCODING, **conditions}
        request = self._client.build_request("GET", self.url, headers=headers, timeout=self._timeout)
        response = await self._client.send(request, stream=True, auth=self._auth, follow_redirects=False)
        try:
            if response.status_code in _WITH_FEED:
                return await self._fetched(response)
            await _read_rest(response)
            if response.status_code in _REDIRECTS:
                self._turn_to(response)
                return None
            if response.status_code == 304 and conditions:
                return self._not_modified(response)
            raise self._failure(response)
        finally:
            await response.aclose()

    async def _fetched(self, response: httpx.Response) -> Fetched:
        body, digest = await self._read(response)
        return Fetched(
            url=str(self.url),
            status=response.status_code,
            content_type=response.headers.get("content-type"),
            body=body,
            validators=Validators.from_headers(response.headers),
            freshness=_freshness(response),
            hops=tuple(self._hops),
            headers=MappingProxyType(dict(response.headers)),
            elapsed=self._elapsed(),
            digest=digest,
        )

    def _not_modified(self, response: httpx.Response) -> NotModified:
        return NotModified(
            url=str(self.url),
            validators=self._validators.updated_by(response.headers),
            freshness=_freshness(response),
            hops=tuple(self._hops),
            elapsed=self._elapsed(),
        )

    def _failure(self, response: httpx.Response) -> Exception:
        if response.status_code == 304:
            return failures.unasked_304(self.url)
        return failures.bad_status(self.url, response.status_code, _freshness(response).retry_after)

    async def _read(self, response: httpx.Response) -> tuple[bytes, str]:
        """The body, unpacked and whole, and its SHA-256."""
        most, status = self._limits.body_bytes, response.status_code
        if int(response.headers.get("content-length", 0)) > most:
            raise failures.too_large(self.url, status, most)
        decoder = decoder_for(response.headers.get("content-encoding", ""))
        body, packed_bytes, turn_bytes = bytearray(), 0, 0
        async for chunk in response.aiter_raw():
            packed_bytes += len(chunk)
            for piece in decoder.feed(chunk):
                body += piece
                turn_bytes += len(piece)
                if max(len(body), packed_bytes) > most:
                    raise failures.too_large(self.url, status, most)
                if turn_bytes >= _TURN_BYTES:
                    turn_bytes = 0
                    await asyncio.sleep(0)
        if not decoder.is_complete():
            raise failures.cut_short(self.url, status)
        return bytes(body), hashlib.sha256(body).hexdigest()

    def _turn_to(self, response: httpx.Response) -> None:
        """Go where a redirect leads."""
        status, location = response.status_code, response.headers.get("location", "").strip()
        if not location:
            raise failures.redirect_nowhere(self.url, status)
        target, auth = web_address(location, base=self.url)
        hop = Hop(str(self.url), status, str(target))
        in_circle = hop.location in {hop.url, *(earlier.url for earlier in self._hops)}
        if in_circle or len(self._hops) >= self._limits.redirects:
            followed = len(self._hops)
            raise failures.too_many_redirects(self.url, status, followed=followed, in_circle=in_circle)
        self._hops.append(hop)
        # A password is for the host that it was given for: also once that host takes to https, but
        # never in the clear once it was given for https.
        is_same_host = target.host == self.url.host and target.port == self.url.port
        if auth is None and is_same_host and target.scheme in (self.url.scheme, "https"):
            auth = self._auth
        self.url, self._auth = target, auth

    @property
    def hops(self) -> tuple[tuple[str, int, str], ...]:
        """The redirects that were followed: from, status, to."""
        return tuple((hop.url, hop.status, hop.location) for hop in self._hops)

    def _elapsed(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self._started)


def _freshness(response: httpx.Response) -> Freshness:
    return Freshness.from_headers(response.headers, now=datetime.now(UTC))


async def _read_rest(response: httpx.Response) -> None:
    length = response.headers.get("content-length", "0" if response.status_code == 304 else str(_REST_BYTES))
    if int(length) < _REST_BYTES:
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(_REST_SECONDS):
                async for _ in response.aiter_raw():
                    pass
