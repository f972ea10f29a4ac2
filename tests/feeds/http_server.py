"""A server on loopback that says, byte by byte, what a test told it to say."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum


class End(Enum):
    """How a connection ends."""

    CLOSE = "with a goodbye"
    RESET = "by pulling the plug"


#: One step of an answer: bytes to send, seconds to wait, or the end of the connection.
Step = bytes | float | End


def answer(status: int = 200, body: bytes = b"", *headers: str, length: int | None = None) -> list[Step]:
    """An answer whose Content-Length is true, unless `length` says otherwise."""
    lines = [f"HTTP/1.1 {status} Whatever", *headers]
    if status != 304:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return ["\r\n".join(lines).encode() + b"\r\n\r\n" + body]


def chunked(*chunks: bytes, header: str = "X-Nothing: here", is_whole: bool = True) -> list[Step]:
    """An answer in chunks; without its last one it breaks off."""
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{header}\r\n\r\n".encode()
    parts = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return [head, *parts, b"0\r\n\r\n" if is_whole else End.CLOSE]


@dataclass
class Wire:
    """What the server says to each path, and what it heard."""

    base: str = ""
    #: By path: answers in turn, the last one for ever.
    scripts: dict[str, list[list[Step]]] = field(default_factory=dict)
    #: The requests: target, and headers by name in lower case.
    heard: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    #: How many connections were made.
    connections: int = 0
    #: Each connection is closed without a word when it has answered so often.
    hangs_up_after: int = 1_000_000

    def says(self, path: str, *answers: list[Step]) -> str:
        """Answer `path` so from now on; returns its URL."""
        self.scripts[path] = list(answers)
        return self.base + path

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one connection."""
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            for _ in range(self.hangs_up_after):
                begin = await reader.readexactly(1)
                if begin == b"\x16":  # A client that speaks TLS to a server that does not.
                    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    break
                steps = self._steps(begin + await reader.readuntil(b"\r\n\r\n"))
                if await self._play(steps, writer) is not None:
                    break
            else:
                await reader.readuntil(b"\r\n\r\n")
        writer.close()

    def _steps(self, head: bytes) -> list[Step]:
        first, *lines = head.decode("latin-1").split("\r\n")
        target = first.split(" ")[1]
        pairs = (line.partition(":") for line in lines if line)
        self.heard.append((target, {name.lower(): value.strip() for name, _, value in pairs}))
        script = self.scripts.get(target, [answer(404)])
        return script.pop(0) if len(script) > 1 else script[0]

    async def _play(self, steps: list[Step], writer: asyncio.StreamWriter) -> End | None:
        for step in steps:
            match step:
                case bytes():
                    writer.write(step)
                    await writer.drain()
                case float():
                    await asyncio.sleep(step)
                case End.RESET:
                    plug = writer.get_extra_info("socket")
                    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                    return step
                case End.CLOSE:
                    return step
        return None


@asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """A server for one test, on a port of its own."""
    wire = Wire()
    held: set[asyncio.Task[None]] = set()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        held.add(task)
        with suppress(asyncio.CancelledError):
            await wire.serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    wire.base = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield wire
    finally:
        server.close()
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
