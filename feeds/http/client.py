"""The one HTTP client that a process follows feeds with."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from feeds.http.carrier import Answer, Carrier, Patience, Question, head_of
from feeds.http.guard import Connect, Guard, Resolve
from feeds.http.origins import Origin


class Client(httpx.AsyncClient):
    """httpx's client over a `Carrier`.

    `fetch`, which asks thousands of times a round, speaks to the carrier itself; all else is httpx's.
    """

    def __init__(self, carrier: Carrier, *, user_agent: str) -> None:
        super().__init__(
            transport=_Transport(carrier),
            headers={"User-Agent": user_agent},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            trust_env=False,
        )
        self.carrier = carrier
        self.user_agent = user_agent.encode()


def make_client(
    *,
    user_agent: str,
    private_networks: bool = False,
    connections: int = 100,
    rest: timedelta = timedelta(seconds=30),
    tls: ssl.SSLContext | None = None,
    resolve: Resolve | None = None,
    connect: Connect | None = None,
) -> Client:
    """A client for `fetch` and `send`, to be entered with `async with`.

    It knows no proxy of the environment, keeps no cookie, follows no redirect by itself and
    speaks HTTP/1.1 over at most `connections` connections, each kept for `rest` after its last
    use. Addresses that are not public are refused unless `private_networks` is true.
    `tls` replaces the usual certificates, `resolve` the system's look-up of names, `connect` what
    opens the connections that are allowed.
    """
    guard = Guard(private_networks=private_networks, resolve=resolve, connect=connect)
    carrier = Carrier(guard=guard, tls=tls, connections=connections, rest_seconds=rest.total_seconds())
    return Client(carrier, user_agent=user_agent)


class _Transport(httpx.AsyncBaseTransport):
    """What httpx asks, asked of a carrier."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return its answer, whose body is still to be read.

        Raises:
            httpx.TransportError: as httpx's own transport would.
        """
        seconds = request.extensions.get("timeout", {})
        question = Question(
            Origin.of(request.url),
            request.method,
            head_of(request.method, request.url.raw_path, request.headers.raw),
            _body_of(request),
        )
        patience = Patience(seconds.get("pool"), seconds.get("connect"), seconds.get("read"))
        answer = await self._carrier.ask(question, patience)
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_Stream(answer))

    async def aclose(self) -> None:
        await self._carrier.close()


class _Stream(httpx.AsyncByteStream):
    """An answer's body; closing it gives the connection back."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._answer.read():
            yield piece

    async def aclose(self) -> None:
        self._answer.close()


def _body_of(request: httpx.Request) -> AsyncIterator[bytes] | None:
    """The body of a request, framed as its headers say."""
    assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - an async client made it
    if "transfer-encoding" in request.headers:
        return _in_chunks(request.stream)
    return aiter(request.stream) if "content-length" in request.headers else None


async def _in_chunks(stream: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    async for part in stream:
        if part:
            yield b"%x\r\n%s\r\n" % (len(part), part)
    yield b"0\r\n\r\n"
