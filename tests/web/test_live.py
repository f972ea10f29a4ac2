"""What a page that stays open hears of its newsroom."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from lxml import html
from sqlalchemy import event
from starlette.types import Message

from aggregator.rules.channels import Channel
from aggregator.web import live
from aggregator.web.live import Pace, digest
from aggregator.web.service import Front
from tests.store.newsroom import keep_stories, says
from tests.web.newsroom import ALL, Newsroom, lost

#: Everything goes so much faster here than where people read.
PACE = Pace(look=timedelta(milliseconds=10), heartbeat=timedelta(seconds=30))


@dataclass(slots=True)
class Listener:
    """A browser that holds a page's events open."""

    front: Front
    path: str = "/events"
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    start: Message = field(default_factory=dict)
    heard: str = ""
    #: Whether the server said that this is all.
    is_over: bool = False
    _gone: asyncio.Event = field(default_factory=asyncio.Event)
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def listen(self) -> None:
        """Hold the connection until one side goes."""
        path, _, query = self.path.partition("?")
        scope = {
            "type": "http",
            "method": self.method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in self.headers.items()],
        }
        await self.front(scope, self._receive, self._send)

    def leave(self) -> None:
        """Close the page."""
        self._gone.set()

    async def hears(self, text: str) -> str:
        """Everything that came, once this is in it."""
        async with self._moved, asyncio.timeout(5):
            await self._moved.wait_for(lambda: text in self.heard)
        return self.heard

    async def events(self, how_many: int = 1) -> list[dict[str, Any]]:
        """What the events say, once so many came."""
        async with self._moved, asyncio.timeout(5):
            await self._moved.wait_for(lambda: len(self._said()) >= how_many)
        return self._said()

    @property
    def last_id(self) -> str:
        """What a browser sends as Last-Event-ID when it comes back."""
        return next(line for line in reversed(self.heard.splitlines()) if line.startswith("id: "))[4:]

    @property
    def status(self) -> int:
        """The status of the answer."""
        status: int = self.start["status"]
        return status

    def header(self, name: str) -> str:
        """A header of the answer, which has it once."""
        (value,) = [value for each, value in self.start["headers"] if each == name.encode()]
        return bytes(value).decode()

    def _said(self) -> list[dict[str, Any]]:
        lines = self.heard.splitlines()
        return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        async with self._moved:
            if message["type"] == "http.response.start":
                self.start = message
            else:
                self.heard += message["body"].decode()
                self.is_over = not message.get("more_body", False)
            self._moved.notify_all()


async def publish(newsroom: Newsroom) -> None:
    """Ada writes a brief and publishes it; a second passes, after which the documents are looked at again."""
    await newsroom.brief()
    await newsroom.publish()
    newsroom.clock.move(timedelta(seconds=1))


def front_of(newsroom: Newsroom, pace: Pace = PACE) -> Front:
    """The service, at the pace of a test."""
    front = newsroom.service()
    assert isinstance(front, Front)
    front.live.pace = pace
    return front


@asynccontextmanager
async def listening(*listeners: Listener) -> AsyncIterator[None]:
    """Pages that are open, until this ends."""
    tasks = [asyncio.create_task(one.listen()) for one in listeners]
    try:
        for one in listeners:
            await one.hears("id: ")
        yield
    finally:
        for one in listeners:
            one.leave()
        await asyncio.gather(*tasks)


async def asked(newsroom: Newsroom, path: str, *, method: str = "GET") -> Listener:
    """Somebody whose connection ends by itself."""
    one = Listener(front_of(newsroom), path, method=method)
    await one.listen()
    return one


async def test_a_page_hears_that_its_channel_changed(newsroom: Newsroom) -> None:
    await newsroom.render()
    front = front_of(newsroom)
    page = Listener(front)
    async with listening(page):
        assert page.status == 200
        assert page.header("content-type") == "text/event-stream; charset=utf-8"
        assert page.header("cache-control") == "no-store"
        assert page.header("x-accel-buffering") == "no"
        assert page.header("x-content-type-options") == "nosniff"
        assert page.heard.startswith("retry: 5000\nid: ")
        assert "event:" not in page.heard
        await publish(newsroom)
        everything, briefs = await page.events(2)
        stamps = await front.documents.shelf.stamps()
        assert everything == {
            "channel": "all",
            "etag": stamps["all", "atom"],
            "entries": 1,
            "new": ["tag:wirebrief.example,2025-01-01:brief/riyadh"],
        }
        assert (briefs["channel"], briefs["new"]) == ("briefs", everything["new"])
        assert page.heard.endswith(
            f"id: {digest({slug: stamps[slug, 'atom'] for slug in ('all', 'briefs')})}\n\n"
        )
    assert page.is_over


async def test_a_correction_is_told_and_is_nothing_new(newsroom: Newsroom) -> None:
    await publish(newsroom)
    page = Listener(front_of(newsroom), "/events?channel=briefs")
    async with listening(page):
        await newsroom.withdraw()
        newsroom.clock.move(timedelta(seconds=1))
        (told,) = await page.events()
        assert (told["channel"], told["entries"], told["new"]) == ("briefs", 1, [])


async def test_a_channels_page_hears_of_no_other_channel(newsroom: Newsroom) -> None:
    await newsroom.render()
    front = front_of(newsroom)
    everything, briefs = Listener(front, "/events?channel=all"), Listener(front, "/events?channel=briefs")
    async with listening(everything, briefs):
        keep_stories(newsroom.database, says("en", "Talks open in Riyadh"))
        await newsroom.render()
        newsroom.clock.move(timedelta(seconds=1))
        (told,) = await everything.events()
        assert (told["channel"], len(told["new"])) == ("all", 1)
        await publish(newsroom)
        (only,) = await briefs.events()
        assert only["channel"] == "briefs"


async def test_strangers_hear_nothing_of_channels_for_partners(newsroom: Newsroom) -> None:
    newsroom.channels = [ALL, Channel("secret", "For partners", is_public=False)]
    await newsroom.render()
    page = Listener(front_of(newsroom))
    async with listening(page):
        await publish(newsroom)
        assert [told["channel"] for told in await page.events()] == ["all"]
        assert "secret" not in page.heard
    assert (await asked(newsroom, "/events?channel=secret")).status == 404


async def test_who_comes_back_hears_what_came_meanwhile(newsroom: Newsroom) -> None:
    await newsroom.render()
    front = front_of(newsroom)
    page = Listener(front)
    async with listening(page):
        pass
    await publish(newsroom)
    again = Listener(front, headers={"Last-Event-ID": page.last_id})
    async with listening(again):
        assert [len(told["new"]) for told in await again.events(2)] == [1, 1]
    third = Listener(front, headers={"Last-Event-ID": again.last_id})
    async with listening(third):
        assert "event:" not in third.heard


async def test_who_comes_back_from_a_state_that_nobody_remembers_hears_of_every_channel(
    newsroom: Newsroom,
) -> None:
    await newsroom.render()
    page = Listener(front_of(newsroom), headers={"Last-Event-ID": "0123456789abcdef"})
    async with listening(page):
        assert [(told["channel"], told["new"]) for told in await page.events(2)] == [
            ("all", None),
            ("briefs", None),
        ]


async def test_a_page_made_just_before_a_change_hears_of_it(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.render()
    front = front_of(newsroom)
    async with listening(Listener(front)):
        pages = {}
        for path in ("/", "/channels/briefs"):
            (bar,) = html.fromstring((await reader.get(path)).text).xpath("//*[@data-events]")
            assert (bar.get("role"), bar.text_content()) == ("status", "")
            pages[path] = bar.get("data-events")
        assert pages["/channels/briefs"].startswith("/events?channel=briefs&since=")
        current = [Listener(front, address) for address in pages.values()]
        async with listening(*current):
            assert not any("event:" in page.heard for page in current)
        await publish(newsroom)
        late = [Listener(front, address) for address in pages.values()]
        async with listening(*late):
            assert len((await late[0].events(2))[0]["new"]) == 1
            assert len((await late[1].events(1))[0]["new"]) == 1


async def test_a_page_that_is_ahead_of_the_streams_is_not_told_what_it_shows(
    newsroom: Newsroom, reader: httpx.AsyncClient
) -> None:
    await newsroom.render()
    front = front_of(newsroom, Pace(look=timedelta(milliseconds=200)))
    early = Listener(front)
    async with listening(early):
        await newsroom.brief()
        await newsroom.publish()
        # It is read at once from the store, of which the streams know only what was a second ago.
        (bar,) = html.fromstring((await reader.get("/")).text).xpath("//*[@data-events]")
        page = Listener(front, bar.get("data-events"))
        arriving = asyncio.create_task(page.listen())
        await page.hears("retry: ")
        newsroom.clock.move(timedelta(seconds=1))
        await page.hears("id: ")
        assert "event:" not in page.heard
        assert len(await early.events(2)) == 2
        page.leave()
        await arriving


async def test_a_channel_that_was_not_there_is_told_once_it_is(newsroom: Newsroom) -> None:
    page = Listener(front_of(newsroom), "/events?channel=all")
    async with listening(page):
        await newsroom.render()
        newsroom.clock.move(timedelta(seconds=1))
        (told,) = await page.events()
        assert (told["channel"], told["entries"], told["new"]) == ("all", 0, None)


async def test_a_hundred_open_pages_cost_one_look_at_the_store_a_second(newsroom: Newsroom) -> None:
    await newsroom.render()
    front = front_of(newsroom)
    pages = [Listener(front) for _ in range(100)]
    looks: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM document" in statement:
            looks.append(statement)

    async with listening(*pages):
        event.listen(newsroom.database._reading, "before_cursor_execute", count)
        assert front.live.open == 100
        # The clock stands still, so many looks of the streams are one second of the store.
        await asyncio.sleep(10 * PACE.look.total_seconds())
        assert looks == []
        newsroom.clock.move(timedelta(seconds=1))
        await asyncio.sleep(10 * PACE.look.total_seconds())
        assert len(looks) == 1
    assert front.live.open == 0


async def test_a_silent_newsroom_says_that_it_is_still_there(newsroom: Newsroom) -> None:
    page = Listener(front_of(newsroom, Pace(heartbeat=timedelta(milliseconds=20))))
    async with listening(page):
        assert ": nothing new\n\n: nothing new\n\n" in await page.hears(": nothing new\n\n: nothing new")
    assert Pace().heartbeat == timedelta(seconds=15)


async def test_the_thousandth_and_first_page_is_told_to_do_without(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert live.MOST_STREAMS == 1_000
    monkeypatch.setattr(live, "MOST_STREAMS", 2)
    front = front_of(newsroom)
    first, second, third = (Listener(front) for _ in range(3))
    async with listening(first, second):
        await third.listen()
        assert (third.status, third.header("retry-after")) == (503, "60")
        assert third.header("cache-control") == "no-store"
    # Both have left, so there is room again.
    async with listening(Listener(front)):
        pass


async def test_events_are_only_read(newsroom: Newsroom) -> None:
    refused = await asked(newsroom, "/events", method="POST")
    assert (refused.status, refused.header("allow")) == (405, "GET, HEAD")
    headed = await asked(newsroom, "/events", method="HEAD")
    assert (headed.status, headed.heard) == (200, "")
    missing = await asked(newsroom, "/events?channel=nope")
    assert (missing.status, missing.heard) == (404, "There is no such channel.\n")


async def test_a_failing_store_ends_no_stream(newsroom: Newsroom) -> None:
    await newsroom.render()
    page = Listener(front_of(newsroom))
    async with listening(page):
        with lost(newsroom.database, "document"):
            newsroom.clock.move(timedelta(seconds=1))
            await asyncio.sleep(5 * PACE.look.total_seconds())
        await publish(newsroom)
        assert len(await page.events(2)) == 2


@pytest.mark.parametrize("is_told", [True, False], ids=["told to close", "left to the server"])
async def test_the_server_stops_within_seconds_while_pages_are_open(
    newsroom: Newsroom, caplog: pytest.LogCaptureFixture, is_told: bool
) -> None:
    front = front_of(newsroom)
    config = uvicorn.Config(front, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/events"
    async with httpx.AsyncClient() as client, client.stream("GET", address) as response:
        lines = response.aiter_lines()
        assert await anext(lines) == "retry: 5000"
        server.should_exit = True
        if is_told:
            front.live.close()
        async with asyncio.timeout(4):
            async for _ in lines:
                pass
            await running
    assert front.live.open == 0
    assert "Exception" not in caplog.text
    assert "without completing" not in caplog.text


async def test_a_client_that_goes_takes_its_stream_with_it(newsroom: Newsroom) -> None:
    front = front_of(newsroom)
    server = uvicorn.Server(uvicorn.Config(front, log_level="warning", lifespan="off"))
    listener = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/events"
    async with httpx.AsyncClient() as client, client.stream("GET", address):
        assert front.live.open == 1
    # Nothing is left to be waited for, so it ends at once.
    server.should_exit = True
    async with asyncio.timeout(4):
        await running
    assert front.live.open == 0
