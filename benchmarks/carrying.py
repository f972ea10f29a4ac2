"""What carries the bytes: the same conditional requests through our client and through others.

    python -m pip install aiohttp httpx-aiohttp pycurl            # the peers; what is missing is left out
    python benchmarks/carrying.py ../shared/wire/2026-01-a.jsonl.gz

3,520 feeds of the simulator on 200 hosts, 50 requests under way, at most 200 connections, all kept;
after one round that is not counted every feed answers 304. `wirebrief` is `fetch` with all that it
does besides: reading the address, the guard, the deadlines, the validators, the freshness. The
others only ask and look at the status. All run on uvloop where it is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import itertools
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from measuring import ROUNDS, Comparison, Measure, finish, in_child, peak_megabytes, say
from polling import simulated

from feeds.http import NotModified, Validators, fetch, make_client

UNDER_WAY, CONNECTIONS = 50, 200
#: Asks once with the tag of the last answer, and gives the tag to ask with the next time.
Ask = Callable[[str, str | None], Awaitable[str | None]]


def main() -> None:
    """Measure every way in a process of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("--simulator", type=Path)
    parser.add_argument("--copies", type=int, default=20)
    parser.add_argument("--way", help="measure this one only, of the addresses in ARCHIVE")
    asked = parser.parse_args()
    if asked.way:
        say(_on_a_loop(asked.way, asked.archive.read_text().split()))
        return
    asked.start = True
    with simulated(asked, 200) as url, tempfile.NamedTemporaryFile() as urls:
        with urllib.request.urlopen(f"{url}/urls") as answer:  # noqa: S310 - the simulator's own address
            Path(urls.name).write_bytes(answer.read())
        ways = [way for way, (module, _) in WAYS.items() if importlib.util.find_spec(module)]
        measures = [in_child(__file__, urls.name, "--way", way) for way in ways]
    finish(
        "carrying",
        "Asking 3,520 unchanged feeds, CPU seconds",
        [Comparison("what carries the bytes", tuple(measures))],
    )


def _on_a_loop(way: str, urls: list[str]) -> Measure:
    factory: Any = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        seconds = runner.run(_rounds(WAYS[way][1], urls))
    return Measure(way, tuple(seconds), peak_megabytes())


async def _rounds(
    way: Callable[[], contextlib.AbstractAsyncContextManager[Ask]], urls: list[str]
) -> list[float]:
    tags: dict[str, str | None] = {}
    found = []
    async with way() as ask:
        for _ in range(ROUNDS + 1):
            began = time.process_time()
            await _round(ask, urls, tags)
            found.append(time.process_time() - began)
    return found[1:]


async def _round(ask: Ask, urls: list[str], tags: dict[str, str | None]) -> None:
    left = iter(urls)

    async def one_after_the_other() -> None:
        for url in left:
            tags[url] = await ask(url, tags.get(url))

    await asyncio.gather(*itertools.starmap(one_after_the_other, [()] * UNDER_WAY))


@contextlib.asynccontextmanager
async def _ours() -> AsyncIterator[Ask]:
    async with make_client(user_agent="bench", private_networks=True, connections=CONNECTIONS) as client:

        async def ask(url: str, tag: str | None) -> str | None:
            answer = await fetch(client, url, Validators(etag=tag))
            _expect(is_304=isinstance(answer, NotModified), tag=tag)
            return answer.validators.etag

        yield ask


@contextlib.asynccontextmanager
async def _httpx(transport: Any = None) -> AsyncIterator[Ask]:
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(
        transport=transport or httpx.AsyncHTTPTransport(limits=limits, retries=1, trust_env=False),
        trust_env=False,
        timeout=30,
    ) as client:

        async def ask(url: str, tag: str | None) -> str | None:
            headers = {"If-None-Match": tag} if tag else {}
            # Connections are closed under it while they rest; ours asks again by itself.
            for _ in range(9):
                with contextlib.suppress(httpx.TransportError):
                    answer = await client.get(url, headers=headers)
                    break
            _expect(is_304=answer.status_code == 304, tag=tag)
            return answer.headers.get("etag", tag)

        yield ask


@contextlib.asynccontextmanager
async def _httpx_aiohttp() -> AsyncIterator[Ask]:
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    def session() -> Any:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS))

    async with _httpx(AiohttpTransport(client=session)) as ask:
        yield ask


@contextlib.asynccontextmanager
async def _aiohttp() -> AsyncIterator[Ask]:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:

        async def ask(url: str, tag: str | None) -> str | None:
            async with session.get(url, headers={"If-None-Match": tag} if tag else {}) as answer:
                await answer.read()
                _expect(is_304=answer.status == 304, tag=tag)
                return answer.headers.get("etag", tag)

        yield ask


@contextlib.asynccontextmanager
async def _pycurl() -> AsyncIterator[Ask]:
    multi = _Multi()

    async def ask(url: str, tag: str | None) -> str | None:
        status, found = await multi.get(url, [f"If-None-Match: {tag}"] if tag else [])
        _expect(is_304=status == 304, tag=tag)
        return found or tag

    yield ask


class _Multi:
    """libcurl's multi interface on an event loop, without guard, limits or anything else."""

    def __init__(self) -> None:
        import pycurl

        self.curl = pycurl
        self.loop = asyncio.get_running_loop()
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_MAXCONNECTS, CONNECTIONS)
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self._wait)
        self.timer: asyncio.TimerHandle | None = None
        self.waiting: dict[Any, asyncio.Future[None]] = {}
        self.free: list[Any] = []

    def _watch(self, what: int, descriptor: int, _multi: Any, _data: Any) -> None:
        is_gone = what & self.curl.POLL_REMOVE
        if what & self.curl.POLL_IN and not is_gone:
            self.loop.add_reader(descriptor, self._act, descriptor, self.curl.CSELECT_IN)
        else:
            self.loop.remove_reader(descriptor)
        if what & self.curl.POLL_OUT and not is_gone:
            self.loop.add_writer(descriptor, self._act, descriptor, self.curl.CSELECT_OUT)
        else:
            self.loop.remove_writer(descriptor)

    def _wait(self, milliseconds: int) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = None
        if milliseconds >= 0:
            self.timer = self.loop.call_later(milliseconds / 1000, self._act, self.curl.SOCKET_TIMEOUT, 0)

    def _act(self, descriptor: int, event: int) -> None:
        self.multi.socket_action(descriptor, event)
        left = 1
        while left:
            left, done, failed = self.multi.info_read()
            for handle in done:
                self._end(handle).set_result(None)
            for handle, *why in failed:
                self._end(handle).set_exception(OSError(*why))

    def _end(self, handle: Any) -> asyncio.Future[None]:
        self.multi.remove_handle(handle)
        return self.waiting.pop(handle)

    async def get(self, url: str, headers: list[str]) -> tuple[int, str | None]:
        """The status and the tag of an answer."""
        handle = self.free.pop() if self.free else self.curl.Curl()
        lines: list[bytes] = []
        handle.setopt(self.curl.URL, url)
        handle.setopt(self.curl.HTTPHEADER, headers)
        handle.setopt(self.curl.WRITEFUNCTION, len)
        handle.setopt(self.curl.HEADERFUNCTION, lines.append)
        self.waiting[handle] = self.loop.create_future()
        done = self.waiting[handle]
        self.multi.add_handle(handle)
        await done
        status = handle.getinfo(self.curl.RESPONSE_CODE)
        handle.reset()
        self.free.append(handle)
        tag = next((line[5:].strip().decode() for line in lines if line[:5].lower() == b"etag:"), None)
        return status, tag


def _expect(*, is_304: bool, tag: str | None) -> None:
    if not is_304 and tag is not None:
        sys.exit("a feed was not unchanged")


WAYS: dict[str, tuple[str, Callable[[], contextlib.AbstractAsyncContextManager[Ask]]]] = {
    "httpx, its own pool": ("httpx", _httpx),
    "httpx over aiohttp": ("httpx_aiohttp", _httpx_aiohttp),
    "aiohttp": ("aiohttp", _aiohttp),
    "libcurl's multi interface (pycurl)": ("pycurl", _pycurl),
    "wirebrief": ("feeds.http", _ours),
}


if __name__ == "__main__":
    main()
