"""One conditional GET, with everything that a stranger's server may do to it."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import httpx

from feeds.errors import FetchError
from feeds.http import failures
from feeds.http.addresses import web_address
from feeds.http.answers import Fetched, Hop, Limits, NotModified
from feeds.http.carrier import Answer, Patience, Question, head_of
from feeds.http.client import Client
from feeds.http.decoding import ACCEPT_ENCODING, DecodingError, decoder_for
from feeds.http.freshness import Freshness
from feeds.http.validators import Validators

#: For a feed of which nothing is known yet.
NO_VALIDATORS = Validators()
#: The limits that a fetch has when it is given none.
USUAL_LIMITS = Limits()

_ACCEPT = (
    b"application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    b"application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
_ASKED_BY_ALL = (
    (b"Accept", _ACCEPT),
    (b"Accept-Encoding", ACCEPT_ENCODING.encode()),
    (b"Connection", b"keep-alive"),
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
    client: Client,
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

    def __init__(self, client: Client, url: str, validators: Validators, limits: Limits) -> None:
        self._client = client
        self._limits = limits
        self._validators = validators
        self._started = time.monotonic()
        self._hops: list[Hop] = []
        self.url, self._auth = web_address(url)
        self._patience = Patience(
            connect=limits.connect.total_seconds(), read=limits.first_byte.total_seconds()
        )

    async def ask(self) -> Fetched | NotModified | None:
        """Send one request; None means that it was a redirect, and the next goes where it led."""
        conditions = self._validators.request_headers()
        answer = await self._client.carrier.ask(self._question(conditions), self._patience)
        try:
            headers = answer.headers()
            if answer.status in _WITH_FEED:
                return await self._fetched(answer, headers)
            await _read_rest(answer)
            if answer.status in _REDIRECTS:
                self._turn_to(answer.status, headers.get("location", "").strip())
                return None
            if answer.status == 304 and conditions:
                return self._not_modified(headers)
            raise self._failure(answer.status, headers)
        finally:
            answer.close()

    def _question(self, conditions: Mapping[str, str]) -> Question:
        headers = [(b"Host", self.url.named), (b"User-Agent", self._client.user_agent), *_ASKED_BY_ALL]
        headers += [(name.encode(), value.encode()) for name, value in conditions.items()]
        if self._auth:
            headers.append((b"Authorization", self._auth.encode()))
        return Question(self.url.origin, "GET", head_of("GET", self.url.target, headers))

    async def _fetched(self, answer: Answer, headers: Mapping[str, str]) -> Fetched:
        body, digest = await self._read(answer, headers)
        return Fetched(
            url=str(self.url),
            status=answer.status,
            content_type=headers.get("content-type"),
            body=body,
            validators=Validators.from_headers(headers),
            freshness=_freshness(headers),
            hops=tuple(self._hops),
            headers=MappingProxyType(headers),
            elapsed=self._elapsed(),
            digest=digest,
        )

    def _not_modified(self, headers: Mapping[str, str]) -> NotModified:
        return NotModified(
            url=str(self.url),
            validators=self._validators.updated_by(headers),
            freshness=_freshness(headers),
            hops=tuple(self._hops),
            elapsed=self._elapsed(),
        )

    def _failure(self, status: int, headers: Mapping[str, str]) -> Exception:
        if status == 304:
            return failures.unasked_304(self.url)
        return failures.bad_status(self.url, status, _freshness(headers).retry_after)

    async def _read(self, answer: Answer, headers: Mapping[str, str]) -> tuple[bytes, str]:
        """The body, unpacked and whole, and its SHA-256."""
        most, status = self._limits.body_bytes, answer.status
        if answer.length is not None and answer.length > most:
            raise failures.too_large(self.url, status, most)
        decoder = decoder_for(headers.get("content-encoding", ""))
        body, packed_bytes, turn_bytes = bytearray(), 0, 0
        while chunk := await answer.read():
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

    def _turn_to(self, status: int, location: str) -> None:
        """Go where a redirect leads."""
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
        is_same_host = target.named == self.url.named
        if auth is None and is_same_host and target.origin.scheme in (self.url.origin.scheme, "https"):
            auth = self._auth
        self.url, self._auth = target, auth

    @property
    def hops(self) -> tuple[tuple[str, int, str], ...]:
        """The redirects that were followed: from, status, to."""
        return tuple((hop.url, hop.status, hop.location) for hop in self._hops)

    def _elapsed(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self._started)


def _freshness(headers: Mapping[str, str]) -> Freshness:
    return Freshness.from_headers(headers, now=datetime.now(UTC))


async def _read_rest(answer: Answer) -> None:
    if answer.length and answer.length < _REST_BYTES:
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(_REST_SECONDS):
                while await answer.read():
                    pass
