"""Wires on loopback for the tests: the demo's pages over real HTTP, and paths that misbehave.

`replayed` is a real archive on a virtual clock; the simulator and the archive are no part of the
project and stand in a folder beside the checkout.
"""

from __future__ import annotations

import contextlib
import json
import random
import runpy
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from aggregator.demo.wire import Page, demo_feeds, wire_pages
from feeds.urls import absolute
from tests.acceptance.desk import free_port, wait_until
from tests.conftest import require_shared

#: Of the archive that `replayed` shows.
FEEDS = 176

#: A story of the archive: the address of its feed, and its own.
Key = tuple[str, str]

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>The Slow Gazette</title>
<link>{base}/</link><description>News, late</description><item><title>{title}</title>
<link>{base}/late/{title}</link><guid>{title}</guid><pubDate>Tue, 18 Feb 2025 09:00:00 GMT</pubDate>
<description>A story that took its time.</description></item></channel></rss>"""

TWO_FEEDS = """<!doctype html><title>The Two-Faced Times</title>
<link rel="alternate" type="application/rss+xml" href="/courrier-de-la-rade/feed" title="News">
<link rel="alternate" type="application/atom+xml" href="/amp-world-desk/feed" title="Sport"><p>Hello."""

OTHER_PAGES = {"/two-feeds": TWO_FEEDS, "/no-feed": "<!doctype html><title>Nothing</title><p>To see."}


@dataclass(eq=False)
class NewsWire:
    """The demo's outlets, over HTTP; `/slow/NAME` answers once `release` is set."""

    server: ThreadingHTTPServer
    #: Set to let the slow feeds answer.
    release: threading.Event = field(default_factory=threading.Event)
    #: (path, status) of every answer, in order.
    answers: list[tuple[str, int]] = field(default_factory=list)
    #: Slow feeds that somebody waits for.
    waiting: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def feeds(self) -> list[str]:
        """The addresses of the demo's feeds."""
        return [f"{self.url}/{outlet.slug}/feed" for outlet in demo_feeds()]

    @cached_property
    def pages(self) -> dict[str, Page]:
        """Every page of the demo's wire by its path."""
        return wire_pages(self.url)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: Set in the class made for one server.
    wire: NewsWire

    def do_GET(self) -> None:
        path = self.path.rstrip("/") or "/"
        page = self.wire.pages.get(path)
        if path.startswith("/slow/"):
            self.wire.waiting.add(path)
            # As long as a test may take, and no longer.
            self.wire.release.wait(60)
            title = path.removeprefix("/slow/")
            self._send(200, RSS.format(base=self.wire.url, title=title), "application/rss+xml")
        elif page is not None:
            is_known = self.headers["If-None-Match"] == page.etag
            self._send(304 if is_known else 200, page.body, page.content_type, page.etag)
        elif path in OTHER_PAGES:
            self._send(200, OTHER_PAGES[path], "text/html; charset=utf-8")
        else:
            self._send(404, "no such page", "text/plain")

    def _send(self, status: int, body: str | bytes, kind: str, etag: str = "") -> None:
        content = b"" if status == 304 else body.encode() if isinstance(body, str) else body
        self.wire.answers.append((self.path, status))
        # Whoever asked may have been killed meanwhile.
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if etag:
                self.send_header("ETag", etag)
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests read `answers`."""


@contextlib.contextmanager
def news_wire() -> Iterator[NewsWire]:
    """A wire of one's own, until the end of the block."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    wire = handler.wire = NewsWire(server)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield wire
    finally:
        wire.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True, slots=True)
class Simulator:
    """The archive as live feeds."""

    url: str

    def shows(self) -> dict[Key, dict[str, Any]]:
        """What the feeds show now, by the address of the feed and of the story."""
        lines = self.get("/truth?visible=1").splitlines()
        rows = [json.loads(line) for line in lines if line]
        return {(row["feed"], absolute(row["link"]) or ""): row for row in rows}

    def truth(self) -> dict[Key, dict[str, Any]]:
        """All that the feeds have shown or could have shown until now."""
        rows = [json.loads(line) for line in self.get("/truth").splitlines() if line]
        return {(row["feed"], absolute(row["link"]) or ""): row for row in rows}

    def get(self, path: str) -> str:
        """The text of a page."""
        return httpx.get(f"{self.url}{path}", trust_env=False, timeout=30).raise_for_status().text

    def stats(self) -> dict[str, Any]:
        """What the simulator counted until now."""
        found: dict[str, Any] = json.loads(self.get("/stats"))
        return found

    def set_clock(self, asked: str) -> datetime:
        """Set the clock (`to=…`) or move it (`advance=…`); what it says then."""
        answer = httpx.post(f"{self.url}/clock", params=asked, trust_env=False, timeout=30)
        return datetime.fromisoformat(answer.raise_for_status().json()["now"])

    def start(self) -> datetime:
        """The time of the archive's first entry."""
        return datetime.fromisoformat(json.loads(self.get("/clock"))["start"])

    def end(self) -> datetime:
        """The time of the archive's last entry."""
        return datetime.fromisoformat(json.loads(self.get("/clock"))["end"])


@contextlib.contextmanager
def replayed(*options: str, feeds: int = FEEDS) -> Iterator[Simulator]:
    """The archive over HTTP until the end of the block; the test is skipped where it is absent."""
    script = require_shared("tools", "wiresim.py")
    archive = require_shared("wire", "2026-01-a.jsonl.gz")
    port = free_port()
    # Both paths are the machine's own copies of the optional data.
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, script, archive, "--port", str(port), *options], stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stderr is not None
            assert f"{feeds} feeds" in process.stderr.readline()
            simulator = Simulator(f"http://127.0.0.1:{port}")
            wait_until(lambda: simulator.get("/clock"))
            yield simulator
        finally:
            process.kill()


def fault_of(feed: str, *, seed: str, share: float) -> str | None:
    """The fault that the simulator gives a feed, which none of its pages tells: its own draw, repeated."""
    kinds = _kinds_of_fault()
    draw = random.Random(f"{seed}:{feed.rpartition('/')[2]}")
    return draw.choice(kinds) if draw.random() < share else None


@cache
def _kinds_of_fault() -> list[str]:
    return sorted(runpy.run_path(str(require_shared("tools", "wiresim.py")))["FAULTS"])
