"""Carries questions to servers over connections that are judged, kept and used again.

Connections are kept by origin, so that the cost of a question does not depend on how many others
are open. Why this and no library: docs/notes/what-carries-the-bytes.md.
"""

from __future__ import annotations

import asyncio
import functools
import re
import ssl
import time
from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass

import httpx

from feeds.http.connections import Connection
from feeds.http.framing import Head, RawHeaders
from feeds.http.guard import Guard
from feeds.http.origins import Origin

# What would end a line of a question, or the question (RFC 9110 section 5.5).
_UNSENDABLE = re.compile(rb"[\r\n\0]")


@dataclass(frozen=True, slots=True)
class Question:
    """A request, ready to be sent."""

    origin: Origin
    method: str
    #: All that stands before the body, see `head_of`.
    head: bytes
    #: Framed as the head says; None where there is none.
    body: AsyncIterable[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds; None for as long as it takes."""

    #: For a place among the connections.
    place: float | None = None
    #: To look up a host, connect to it and agree on encryption.
    connect: float | None = None
    #: For each sign of life.
    read: float | None = None


def head_of(method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The head of a request.

    Raises:
        httpx.LocalProtocolError: a part of it would be read as something else.
    """
    lines = [b"%s %s HTTP/1.1" % (method.encode("ascii"), target)]
    lines += [b"%s: %s" % header for header in headers]
    if _UNSENDABLE.search(b"".join(lines)):
        raise httpx.LocalProtocolError("a header has a line of its own")
    return b"\r\n".join([*lines, b"", b""])


@functools.cache
def usual_tls() -> ssl.SSLContext:
    """The usual certificates, read once and shared by all clients of a process."""
    context = httpx.create_ssl_context(trust_env=False)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Carrier:
    """At most `connections` at once, those at rest included."""

    def __init__(
        self, *, guard: Guard, tls: ssl.SSLContext | None, connections: int, rest_seconds: float
    ) -> None:
        self._guard = guard
        self._tls = tls
        self._connections = connections
        self._rest_seconds = rest_seconds
        self._places = asyncio.Semaphore(connections)
        self._busy = 0
        # Those at rest with the end of their rest, the one that rests longest first, and the same by origin.
        self._resting: dict[Connection, tuple[Origin, float]] = {}
        self._by_origin: dict[Origin, list[Connection]] = {}

    async def ask(self, question: Question, patience: Patience) -> Answer:
        """Send a question; its answer comes with its body still to be read, and must be closed.

        Raises:
            httpx.TransportError: there is none. Its kind and its causes say why.
        """
        await self._take_place(patience.place)
        try:
            connection, head = await self._send(question, patience)
        except BaseException:
            self._free_place()
            raise
        return Answer(self, question.origin, connection, head, patience.read)

    async def _take_place(self, seconds: float | None) -> None:
        if seconds is None:
            await self._places.acquire()
        else:
            try:
                async with asyncio.timeout(seconds):
                    await self._places.acquire()
            except TimeoutError as error:
                raise httpx.PoolTimeout(f"all {self._connections} connections were busy") from error
        self._busy += 1

    def _free_place(self) -> None:
        self._busy -= 1
        self._places.release()

    async def _send(self, question: Question, patience: Patience) -> tuple[Connection, Head]:
        rested = self._take_rested(question.origin)
        if rested is not None:
            try:
                return rested, await _ask(rested, question, patience)
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                # The server closed the connection while our request was under way to it. That
                # says nothing about the feed, and to ask again is safe where it changes nothing.
                if question.method not in ("GET", "HEAD"):
                    raise
        fresh = await self._open(question.origin, patience.connect)
        return fresh, await _ask(fresh, question, patience)

    def _take_rested(self, origin: Origin) -> Connection | None:
        while resting := self._by_origin.get(origin):
            connection = resting[-1]
            _, until = self._resting[connection]
            self._forget(connection)
            if connection.is_open and time.monotonic() <= until:
                return connection
            connection.close()
        return None

    async def _open(self, origin: Origin, seconds: float | None) -> Connection:
        while self._resting and self._busy + len(self._resting) > self._connections:
            oldest = next(iter(self._resting))
            self._forget(oldest)
            oldest.close()
        try:
            async with asyncio.timeout(seconds):
                return await self._connect(origin, seconds)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(f"no connection to {origin.host} within {seconds} s") from error

    async def _connect(self, origin: Origin, seconds: float | None) -> Connection:
        opened = await self._guard.connect(origin.host, origin.port, seconds=seconds)
        is_secure = origin.scheme == "https"
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                Connection,
                sock=opened,
                ssl=(self._tls or usual_tls()) if is_secure else None,
                server_hostname=origin.host.rstrip(".") if is_secure else None,
            )
        except TimeoutError:
            raise
        except (OSError, ValueError) as error:
            # ssl.SSLError is an OSError; a name that no certificate can have is a ValueError.
            opened.close()
            raise httpx.ConnectError(str(error)) from error
        return connection

    def _forget(self, connection: Connection) -> None:
        origin, _ = self._resting.pop(connection)
        resting = self._by_origin[origin]
        resting.remove(connection)
        if not resting:
            del self._by_origin[origin]

    def give_back(self, connection: Connection, origin: Origin) -> None:
        """Keep a connection whose answer was read to its end; any other is closed."""
        self._free_place()
        if connection.rest():
            self._resting[connection] = (origin, time.monotonic() + self._rest_seconds)
            self._by_origin.setdefault(origin, []).append(connection)

    async def close(self) -> None:
        """Close the connections at rest and the guard."""
        for connection in list(self._resting):
            self._forget(connection)
            connection.close()
        self._guard.close()
        # The event loop closes what was let go of in its next turn.
        await asyncio.sleep(0)


async def _ask(connection: Connection, question: Question, patience: Patience) -> Head:
    try:
        return await connection.ask(question.method, question.head, question.body, seconds=patience.read)
    except BaseException:
        # A request that failed or was cancelled leaves its connection in the middle of an answer.
        connection.close()
        raise


class Answer:
    """What a server answered. Close it: that gives the connection back."""

    __slots__ = ("_carrier", "_connection", "_head", "_origin", "_seconds")

    def __init__(
        self, carrier: Carrier, origin: Origin, connection: Connection, head: Head, seconds: float | None
    ) -> None:
        self._carrier: Carrier | None = carrier
        self._origin = origin
        self._connection = connection
        self._head = head
        self._seconds = seconds

    @property
    def status(self) -> int:
        """The status code."""
        return self._head.status

    @property
    def length(self) -> int | None:
        """How many bytes the body has, if the server said so."""
        return self._head.body.length

    @property
    def raw_headers(self) -> RawHeaders:
        """The headers as they came, names in lower case."""
        return self._head.headers

    def headers(self) -> dict[str, str]:
        """The headers by name in lower case; several of one name are joined with a comma."""
        try:
            return _joined(self._head.headers, "utf-8")
        except UnicodeDecodeError:
            return _joined(self._head.headers, "latin-1")

    async def read(self) -> bytes:
        """The next piece of the body as it came, still packed; b"" after its end.

        Raises:
            httpx.TransportError: it broke off, or nothing came for too long.
        """
        return await self._connection.read(seconds=self._seconds)

    def close(self) -> None:
        """Done with it, read to its end or not. To do so twice is no harm."""
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            carrier.give_back(self._connection, self._origin)


def _joined(headers: RawHeaders, encoding: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw in headers:
        name, value = raw_name.decode("ascii"), raw.decode(encoding)
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
