"""The client that a whole round goes through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from feeds.errors import FailureKind, FetchError
from feeds.http import Fetched, Limits, fetch, make_client
from tests.feeds.http_server import Wire, answer, listening

OK = answer(200, b"<rss/>")


async def test_a_connection_is_used_again(wire: Wire, client: httpx.AsyncClient) -> None:
    url = wire.says("/feed", OK, answer(404, b"gone for lunch"), answer(304), OK)
    await fetch(client, url)
    with pytest.raises(FetchError):
        await fetch(client, url)
    with pytest.raises(FetchError):
        await fetch(client, url)
    await fetch(client, url)
    assert (len(wire.heard), wire.connections) == (4, 1)


async def test_a_connection_closed_at_rest_costs_no_fetch(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.hangs_up_after = 1
    url = wire.says("/feed", OK)
    for _ in range(3):
        got = await fetch(client, url)
        assert isinstance(got, Fetched)
    assert wire.connections == 3


async def test_what_changes_something_is_not_sent_twice(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.hangs_up_after = 1
    url = wire.says("/hub", OK)
    await client.post(url)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post(url)
    assert len(wire.heard) == 1


async def test_a_connection_that_rested_too_long_is_not_used(wire: Wire) -> None:
    url = wire.says("/feed", OK)
    async with make_client(user_agent="t", private_networks=True, rest=timedelta(milliseconds=20)) as client:
        await fetch(client, url)
        await asyncio.sleep(0.05)
        await fetch(client, url)
    assert wire.connections == 2


async def test_a_broken_off_answer_leaves_no_connection_behind(wire: Wire, client: httpx.AsyncClient) -> None:
    url = wire.says("/feed", [*answer(200, b"", length=50_000_000)], OK)
    with pytest.raises(FetchError):
        await fetch(client, url)
    assert isinstance(await fetch(client, url), Fetched)
    assert wire.connections == 2


async def test_no_more_connections_than_allowed_are_open_at_once(wire: Wire) -> None:
    url = wire.says("/feed", [0.02, *OK])
    async with make_client(user_agent="t", private_networks=True, connections=3) as client:
        await asyncio.gather(*(fetch(client, url) for _ in range(12)))
    assert len(wire.heard) == 12
    assert wire.connections == 3


async def test_the_connection_that_rests_longest_makes_room(wire: Wire) -> None:
    async with (
        listening() as second,
        listening() as third,
        make_client(user_agent="t", private_networks=True, connections=2) as client,
    ):
        for server in (wire, second, third, second, wire):
            await fetch(client, server.says("/feed", OK))
        assert (wire.connections, second.connections, third.connections) == (2, 1, 1)


async def test_a_request_waits_no_longer_for_a_connection_than_it_says(wire: Wire) -> None:
    url = wire.says("/feed", [0.3, *OK])
    async with make_client(user_agent="t", private_networks=True, connections=1) as client:
        slow = asyncio.create_task(fetch(client, url))
        await asyncio.sleep(0.05)
        with pytest.raises(httpx.PoolTimeout):
            await client.get(url, timeout=httpx.Timeout(5, pool=0.05))
        assert isinstance(await slow, Fetched)
        assert isinstance(await fetch(client, url), Fetched)


async def test_a_fetch_that_is_given_up_frees_its_connection(wire: Wire) -> None:
    # Each at a path of its own: on a busy machine a fetch may be given up before it is heard.
    silent = wire.says("/silent", [5.0])
    halting = wire.says("/halting", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 5.0])
    limits = Limits(total=timedelta(seconds=0.1))
    async with make_client(user_agent="t", private_networks=True, connections=1) as client:
        for url in (silent, halting):
            with pytest.raises(FetchError) as caught:
                await fetch(client, url, limits=limits)
            assert caught.value.kind is FailureKind.TIMEOUT
        assert isinstance(await fetch(client, wire.says("/feed", OK)), Fetched)


async def test_an_answer_closed_twice_gives_its_connection_back_once(wire: Wire) -> None:
    url = wire.says("/feed", [0.05, *OK])
    async with make_client(user_agent="t", private_networks=True, connections=1) as client:
        async with client.stream("GET", url) as response:
            await response.stream.aclose()
            await response.stream.aclose()
        await asyncio.gather(*(fetch(client, url) for _ in range(3)))
    assert wire.connections == 2


async def test_no_cookie_is_kept(wire: Wire, client: httpx.AsyncClient) -> None:
    url = wire.says("/feed", answer(200, b"<rss/>", "Set-Cookie: id=reader42; Path=/"))
    await fetch(client, url)
    await fetch(client, url)
    assert all("cookie" not in headers for _, headers in wire.heard)


async def test_no_proxy_of_the_environment_is_asked(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base)
        async with make_client(user_agent="t", private_networks=True) as client:
            await fetch(client, wire.says("/feed", OK))
        assert proxy.connections == 0


async def test_a_client_can_be_used_for_what_is_no_feed(wire: Wire, client: httpx.AsyncClient) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"hub.mode="
        yield b"publish"

    url = wire.says("/hub", answer(204))
    answered = await client.post(url, content=body(), headers={"Content-Length": "16"})
    assert answered.status_code == 204
