"""A made wire on loopback, for whoever has no archive of real news: feeds that grow, and answer 304.

python benchmarks/wire.py --feeds 3520 --hosts 200 --port 8900            # the clock stands: nothing comes
python benchmarks/wire.py --feeds 176 --port 8900 --every 0.5             # a story somewhere, twice a second

GET /opml       every feed        GET /f/N     a feed: RSS 2.0, its newest 20 stories, with an ETag
GET /appeared   JSON lines: each story that came since the start, with its second
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

WINDOW = 20
_WORDS = (
    "harbour minister talks grain corridor vote pilots tariff river storm council strike delegation "
    "president border ceasefire Riyadh Geneva budget court climate railway election summit"
)


@dataclass(slots=True)
class Feed:
    """One outlet's feed."""

    number: int
    home: str
    #: Items in RSS, the newest first, and when each came.
    items: list[str] = field(default_factory=list)
    count: int = 0

    @property
    def etag(self) -> str:
        """Another one for every state."""
        return f'"{hashlib.blake2b(f"{self.number}/{self.count}".encode(), digest_size=8).hexdigest()}"'

    def say(self, at: datetime, rng: random.Random) -> str:
        """Let a story appear, and give its link."""
        self.count += 1
        link = f"{self.home}/s/{self.number}/{self.count}"
        title = " ".join(rng.choices(_WORDS.split(), k=8)).capitalize()
        summary = " ".join(rng.choices(_WORDS.split(), k=45)).capitalize()
        body = "".join(f"<p>{' '.join(rng.choices(_WORDS.split(), k=70))}</p>" for _ in range(3))
        self.items.insert(
            0,
            f"<item><title>{title} {self.number}-{self.count}</title><link>{link}</link>"
            f'<guid isPermaLink="true">{link}</guid><pubDate>{format_datetime(at)}</pubDate>'
            f"<description>{summary}</description><content:encoded>{escape(body)}</content:encoded></item>",
        )
        del self.items[WINDOW:]
        return link

    def document(self) -> bytes:
        """The feed as it stands."""
        head = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
            f"<title>Outlet {self.number}</title><link>{self.home}/</link>"
            f"<description>Made</description><language>en</language>"
        )
        return (head + "\n".join(self.items) + "</channel></rss>").encode()


class Wire:
    """All feeds, spread over the addresses from 127.0.0.1 on."""

    def __init__(self, feeds: int, hosts: int, port: int) -> None:
        self._rng = random.Random(5)  # noqa: S311 - a benchmark, not a secret
        self._appeared: list[tuple[str, float]] = []
        homes = [f"http://127.0.0.{1 + number % hosts}:{port}" for number in range(feeds)]
        self.feeds = [Feed(number, home) for number, home in enumerate(homes)]
        began = time.time()
        for each in self.feeds:
            for age in range(WINDOW, 0, -1):
                each.say(datetime.fromtimestamp(began - age * 600, UTC), self._rng)

    async def go_on(self, every: float) -> None:
        """Let stories appear, one every so many seconds on the average."""
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / every))
            now = time.time()
            link = self._rng.choice(self.feeds).say(datetime.fromtimestamp(now, UTC), self._rng)
            self._appeared.append((link, now))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests on one connection until it ends."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
                writer.write(b"".join(self._said(lines[0].split()[1], headers)))
                await writer.drain()
        writer.close()

    def _said(self, path: str, headers: dict[str, str]) -> Iterator[bytes]:
        status, more, body = "200 OK", "", b""
        number = path.removeprefix("/f/")
        if number.isdecimal() and int(number) < len(self.feeds):
            feed = self.feeds[int(number)]
            more = f"ETag: {feed.etag}\r\nContent-Type: application/rss+xml\r\n"
            if headers.get("if-none-match") == feed.etag:
                status = "304 Not Modified"
            else:
                body = feed.document()
        elif path == "/opml":
            body = self._opml()
        elif path == "/appeared":
            body = "".join(f"{json.dumps(one)}\n" for one in self._appeared).encode()
        else:
            status = "404 Not Found"
        yield f"HTTP/1.1 {status}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode()
        yield body

    def _opml(self) -> bytes:
        rows = "".join(
            f'<outline type="rss" text="Outlet {each.number}" xmlUrl="{each.home}/f/{each.number}"/>'
            for each in self.feeds
        )
        return f'<opml version="2.0"><head><title>Made</title></head><body>{rows}</body></opml>'.encode()


async def serve(feeds: int, hosts: int, port: int, every: float) -> None:
    """Serve until the process is told to end."""
    wire = Wire(feeds, hosts, port)
    ended = asyncio.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(told, ended.set)
    servers = [
        await asyncio.start_server(wire.answer, f"127.0.0.{1 + number}", port) for number in range(hosts)
    ]
    print(f"{feeds} feeds on {hosts} addresses, port {port}", flush=True)
    going = asyncio.create_task(wire.go_on(every)) if every else None
    await ended.wait()
    if going:
        going.cancel()
    for server in servers:
        server.close()


def main() -> None:
    """Serve what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--feeds", type=int, default=176)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--every", type=float, default=0.0)
    asked = parser.parse_args()
    asyncio.run(serve(asked.feeds, asked.hosts, asked.port, asked.every))


if __name__ == "__main__":
    main()
