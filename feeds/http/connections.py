"""One connection to a server: a question, its answer, and then perhaps the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import cast

import httpx

from feeds.http.framing import HEAD_BYTES, Body, FramingError, Head, head_end, read_head

# A server is not listened to while so much of what it said waits to be read, so that memory is bounded.
_MOST_WAITING_BYTES = 256 * 1024
# What is taken of it at once: a body in chunks of one byte must not keep the event loop from its turn.
_SLICE_BYTES = 32 * 1024


class Connection(asyncio.Protocol):
    """Speaks HTTP/1.1, one question at a time. What is wrong is told as httpx tells it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._incoming = bytearray()
        self._is_asked = False
        self._is_paused = False
        self._is_ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._full: asyncio.Future[None] | None = None
        self._head: Head | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if not self._is_asked:
            # Who speaks unasked would have us take this for the answer to the next question.
            self.close()
            return
        self._incoming += data
        if len(self._incoming) > _MOST_WAITING_BYTES:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The server has said all that it will; our side is closed, too."""
        self._is_ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._is_ended = True
        self._error = self._error or exc
        self.resume_writing()
        self._wake()

    def pause_writing(self) -> None:
        """The server takes no more for the moment."""
        self._full = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """It does again, or never will."""
        if self._full is not None and not self._full.done():
            self._full.set_result(None)
        self._full = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def ask(
        self, method: str, head: bytes, body: AsyncIterable[bytes] | None, *, seconds: float | None
    ) -> Head:
        """Send a question and wait for the head of its answer, `seconds` for each sign of life.

        Raises:
            httpx.TransportError: none came, or something that is none.
        """
        self._is_asked = True
        self._head = None
        self._transport.write(head)
        if body is not None:
            async for part in body:
                if self._is_ended:
                    break
                self._transport.write(part)
                await self._taken(seconds)
        self._head = await self._answer(method, seconds)
        return self._head

    async def _taken(self, seconds: float | None) -> None:
        if self._full is not None:
            try:
                async with asyncio.timeout(seconds):
                    await self._full
            except TimeoutError as error:
                raise httpx.WriteTimeout(f"nothing was taken for {seconds} s") from error

    async def _answer(self, method: str, seconds: float | None) -> Head:
        passed = searched = 0
        while True:
            end = head_end(self._incoming, searched)
            if passed + max(end, 0 if end >= 0 else len(self._incoming)) > HEAD_BYTES:
                raise httpx.RemoteProtocolError("the head of the answer has no end")
            if end >= 0:
                head = _read(self._take(end), method)
                if head.status >= 200:
                    return head
                passed, searched = passed + end, 0
            elif self._is_ended:
                raise self._broken_off()
            else:
                searched = len(self._incoming)
                await self._more(seconds)

    async def read(self, *, seconds: float | None) -> bytes:
        """The next piece of the answer's body; b"" after its end.

        Raises:
            httpx.TransportError: it broke off, or nothing came for so long.
        """
        body = self._body
        while not body.is_complete:
            if self._incoming:
                if piece := _fed(body, self._take(_SLICE_BYTES)):
                    return piece
            elif self._is_ended:
                if self._error is None:
                    body.close()
                if not body.is_complete:
                    raise self._broken_off()
            else:
                await self._more(seconds)
        return b""

    @property
    def _body(self) -> Body:
        assert self._head is not None  # noqa: S101 - it was asked
        return self._head.body

    def _take(self, most: int) -> bytes:
        taken = bytes(self._incoming[:most])
        del self._incoming[:most]
        if self._is_paused and len(self._incoming) <= _MOST_WAITING_BYTES // 2:
            self._is_paused = False
            self._transport.resume_reading()
        return taken

    async def _more(self, seconds: float | None) -> None:
        """Wait until something comes, or the end."""
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, _give_up, waiter, seconds)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _broken_off(self) -> httpx.TransportError:
        if self._error is not None:
            error: httpx.TransportError = httpx.ReadError(str(self._error))
            error.__cause__ = self._error
            return error
        return httpx.RemoteProtocolError("the connection was closed before the answer was complete")

    def rest(self) -> bool:
        """The answer is done with; whether the connection may be asked again. Else it is closed."""
        head = self._head
        self._is_asked = False
        is_whole = head is not None and head.body.is_complete and not head.body.is_overrun
        if head is None or not head.stays_open or not is_whole or self._incoming or self._is_ended:
            self.close()
            return False
        return True

    @property
    def is_open(self) -> bool:
        """Whether it may still be asked."""
        return not self._is_ended

    def close(self) -> None:
        """Let go of the connection at once, whatever is under way."""
        self._is_ended = True
        self._transport.abort()


def _give_up(waiter: asyncio.Future[None], seconds: float) -> None:
    if not waiter.done():
        waiter.set_exception(httpx.ReadTimeout(f"nothing came for {seconds} s"))


def _read(head: bytes, method: str) -> Head:
    try:
        found = read_head(head, method=method)
    except FramingError as error:
        raise httpx.RemoteProtocolError(f"no proper answer: {error}") from error
    if found.status == 101:
        raise httpx.RemoteProtocolError("the server changes to a protocol that nobody asked for")
    return found


def _fed(body: Body, data: bytes) -> bytes:
    try:
        return body.feed(data)
    except FramingError as error:
        raise httpx.RemoteProtocolError(f"no proper body: {error}") from error
