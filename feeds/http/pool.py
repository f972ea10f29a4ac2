"""Carries httpx's requests over connections that are kept and used again.

httpcore's own pool looks through all its connections at every request, which costs more than
the request once there are hundreds. Here they are kept by origin, so the cost of a request does
not depend on how many others are open. The connections themselves are httpcore's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import httpcore
import httpx

from feeds.http.guard import Guard

_Origin = tuple[bytes, bytes, int]
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Pool(httpx.AsyncBaseTransport):
    """At most `connections` at once, those at rest included; HTTP/1.1."""

    def __init__(self, *, guard: Guard, tls: ssl.SSLContext, connections: int, rest_seconds: float) -> None:
        self._guard = guard
        self._tls = tls
        self._connections = connections
        self._rest_seconds = rest_seconds
        self._slots = asyncio.Semaphore(connections)
        self._busy = 0
        # Those at rest, the one that rests longest first, and the same by origin.
        self._resting: dict[httpcore.AsyncHTTPConnection, _Origin] = {}
        self._by_origin: dict[_Origin, list[httpcore.AsyncHTTPConnection]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return its answer, whose body is still to be read.

        Raises:
            httpx.TransportError: as httpx's own transport would.
        """
        await self._take_slot(request)
        connection: httpcore.AsyncHTTPConnection | None = None
        try:
            with _as_httpx():
                connection, answer = await self._send(request)
        finally:
            if connection is None:
                self._free_slot()
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer, self, connection, _origin_of(request)),
            extensions=answer.extensions,
        )

    async def _take_slot(self, request: httpx.Request) -> None:
        seconds = request.extensions.get("timeout", {}).get("pool")
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout(f"all {self._connections} connections were busy") from error
        self._busy += 1

    def _free_slot(self) -> None:
        self._busy -= 1
        self._slots.release()

    async def _send(self, request: httpx.Request) -> tuple[httpcore.AsyncHTTPConnection, httpcore.Response]:
        rested = await self._take_rested(_origin_of(request))
        if rested is not None:
            try:
                return rested, await rested.handle_async_request(_to_httpcore(request))
            except (httpcore.NetworkError, httpcore.RemoteProtocolError):
                # The server closed the connection while our request was under way to it. That
                # says nothing about the feed, and to ask again is safe where it changes nothing.
                await rested.aclose()
                if request.method not in ("GET", "HEAD"):
                    raise
            except BaseException:
                # A cancelled request leaves its connection in the middle of an answer.
                await rested.aclose()
                raise
        fresh = await self._open(_origin_of(request))
        try:
            return fresh, await fresh.handle_async_request(_to_httpcore(request))
        except BaseException:
            await fresh.aclose()
            raise

    async def _take_rested(self, origin: _Origin) -> httpcore.AsyncHTTPConnection | None:
        while resting := self._by_origin.get(origin):
            connection = resting[-1]
            self._forget(connection)
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return None

    async def _open(self, origin: _Origin) -> httpcore.AsyncHTTPConnection:
        while self._resting and self._busy + len(self._resting) > self._connections:
            oldest = next(iter(self._resting))
            self._forget(oldest)
            await oldest.aclose()
        scheme, host, port = origin
        return httpcore.AsyncHTTPConnection(
            httpcore.Origin(scheme, host, port),
            ssl_context=self._tls,
            keepalive_expiry=self._rest_seconds,
            network_backend=self._guard,
        )

    def _forget(self, connection: httpcore.AsyncHTTPConnection) -> None:
        origin = self._resting.pop(connection)
        resting = self._by_origin[origin]
        resting.remove(connection)
        if not resting:
            del self._by_origin[origin]

    def give_back(self, connection: httpcore.AsyncHTTPConnection, origin: _Origin) -> None:
        """Keep a connection whose answer was read to its end; others are closed by now."""
        self._free_slot()
        if connection.is_idle():
            self._resting[connection] = origin
            self._by_origin.setdefault(origin, []).append(connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections at rest and the guard."""
        for connection in list(self._resting):
            self._forget(connection)
            await connection.aclose()
        self._guard.close()


class _Body(httpx.AsyncByteStream):
    """An answer's body; closing it gives the connection back."""

    def __init__(
        self,
        answer: httpcore.Response,
        pool: Pool,
        connection: httpcore.AsyncHTTPConnection,
        origin: _Origin,
    ) -> None:
        self._answer = answer
        self._pool = pool
        self._connection = connection
        self._origin = origin
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._answer.aclose()
        finally:
            self._pool.give_back(self._connection, self._origin)


def _origin_of(request: httpx.Request) -> _Origin:
    url = request.url
    return url.raw_scheme, url.raw_host, url.port or _DEFAULT_PORTS[url.scheme]


def _to_httpcore(request: httpx.Request) -> httpcore.Request:
    scheme, host, port = _origin_of(request)
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=scheme, host=host, port=port, target=request.url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Raise what httpcore raises under the name that httpx has for it."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        names = [kind.__name__ for kind in type(error).__mro__]
        known = next(name for name in names if name in httpx.__all__)
        raise getattr(httpx, known)(str(error)) from error
