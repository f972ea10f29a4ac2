"""One bounded request that is no fetch of a feed: to a hub, a subscriber, a partner."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import httpx

from feeds.http import failures
from feeds.http.addresses import web_address
from feeds.http.answers import Limits
from feeds.http.freshness import Freshness

#: What is answered to us is a word or two, or an error page that nobody reads to its end.
SHORT = Limits(total=timedelta(seconds=15), body_bytes=16 * 1024)


@dataclass(frozen=True, slots=True)
class Sent:
    """What was answered to a request."""

    #: Where it was sent. Redirects are not followed: what is sent is meant for this address alone.
    url: str
    status: int
    #: As it came, cut at the limit.
    body: bytes
    #: How long it asked us to stay away (Retry-After); None where it did not.
    retry_after: timedelta | None
    #: By name in lower case.
    headers: Mapping[str, str] = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Whether it was taken: 2xx."""
        return 200 <= self.status < 300


async def send(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] = MappingProxyType({}),
    limits: Limits = SHORT,
) -> Sent:
    """Send a request with a client of `make_client`; at most `limits.body_bytes` of the answer are read.

    Any status is an answer. The request passes the guard of the client.

    Raises:
        FetchError: no answer came, or the address is none; `kind` says which way that failed.
    """
    target, auth = web_address(url)
    read = limits.first_byte.total_seconds()
    timeout = httpx.Timeout(connect=limits.connect.total_seconds(), read=read, write=read, pool=None)
    named = {"Accept-Encoding": "identity", **headers} | ({"Authorization": auth} if auth else {})
    request = client.build_request(method, str(target), content=body or None, headers=named, timeout=timeout)
    try:
        async with asyncio.timeout(limits.total.total_seconds()):
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                answer = await _beginning(response, limits.body_bytes)
            finally:
                await response.aclose()
    except TimeoutError as error:
        raise failures.too_slow(target, limits) from error
    except httpx.HTTPError as error:
        raise failures.from_exception(error, target, limits) from error
    return Sent(
        url=str(target),
        status=response.status_code,
        body=answer,
        retry_after=Freshness.from_headers(response.headers, now=datetime.now(UTC)).retry_after,
        headers=MappingProxyType(dict(response.headers)),
    )


async def _beginning(response: httpx.Response, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= most:
            break
    return bytes(body[:most])
