"""No feed leads into our own network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import httpx
import pytest

from feeds.errors import FailureKind, FetchError
from feeds.http import Fetched, Limits, fetch, is_public, make_client
from feeds.http.guard import Guard, Resolve, _look_up, connect_to
from tests.feeds.http_server import Wire, answer, listening

_PRIVATE = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.1.2.3 127.255.255.255
    169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1
    192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255
    240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1
    ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::8.8.8.8 64:ff9b:1::1 64:ff9b:1:ffff::10.0.0.1
    100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1
    2001:db8:ffff::1 2002:7f00:1:: 2002:a00:1::1 2002:808:808::1 3fff::1 3fff:fff::1 5f00::1 fc00::1 fd00::1
    fdff:ffff::1 fe80::1 fe80::1%lo febf::1 fec0::1 feff::1 ff02::1 ff0e::1 4000::1
    2a00:1450:4001::5efe:a00:1 2a00:1450:4001:0:200:5efe:a00:1 2606:4700::1%eth0
"""
PRIVATE = _PRIVATE.split()

_PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
    169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0
    198.17.255.255 198.20.0.0 203.0.112.1 203.0.114.1 223.255.255.255 2001:200::1 2001:4860:4860::8888
    2606:4700:4700::1111 2a00:1450:4001:80b::200e 2003::1 3ffe::1
"""
PUBLIC = _PUBLIC.split()

# All of these are 127.0.0.1 or a neighbour, to one program or another.
_SPELLINGS = """
    127.0.0.1 127.0.0.1. 127.1 127.0.1 127.00.00.01 0177.0.0.1 0177.1 017700000001 0x7f.0.0.1 0x7f.1
    0x7F000001 0x7f.0x0.0x0.0x1 2130706433 0127.0.0.1 127.0.0.2 127.127.127.127 0 0.0.0.0 0x0 00000000
    localhost LOCALHOST localhost. 10.0.0.1 012.0.0.1 0xa.1 167772161 10.1 192.168.1 192.168.0.1. 0xc0a80001
    3232235521 0300.0250.0.1 169.254.169.254 0xa9fea9fe 2852039166 0251.0376.0251.0376 172.16.1 2886729729
    100.64.0.1 0x64400001 255.255.255.255 4294967295 １２７.０.０.１ ①②⑦.⓪.⓪.① 127。0。0。1 127．0．0．1 %31%32%37.0.0.1
    127.0.0.1%00.example.org [::] [::1] [0:0:0:0:0:0:0:1] [0000::0001] [::ffff:127.0.0.1] [::ffff:7f00:1]
    [::FFFF:7F00:0001] [0:0:0:0:0:ffff:127.0.0.1] [::127.0.0.1] [::7f00:1] [64:ff9b::7f00:1]
    [64:ff9b::127.0.0.1] [64:ff9b:1::127.0.0.1] [2002:7f00:1::] [2001:0:7f00:1::] [fe80::1] [fe80::1%25lo]
    [fc00::1] [fd00::1] [fec0::1] [ff02::1] [::1%25lo]
"""
SPELLINGS = _SPELLINGS.split()

# What stands where a host should, and leads home though it begins or ends like an address outside.
_TRICKS = r"""
    http://news.example@127.0.0.1:{port}/feed http://news.example:80@127.0.0.1:{port}/feed
    http://news.example%40127.0.0.1:{port}/feed http://news.example%2f@127.0.0.1:{port}/feed
    http://93.184.216.34@[::1]:{port}/feed http://93.184.216.34@2130706433:{port}/feed
    http://127.0.0.1:{port}#@inside.example/ http://127.0.0.1:{port}?@inside.example/
    http://127.0.0.1:{port}/@inside.example http://127.0.0.1:{port}\@inside.example/
    http:\\127.0.0.1:{port}\feed http:127.0.0.1:{port}/feed http:///127.0.0.1:{port}/feed http:/127.0.0.1:{port}/feed
    http://127.0.0.1:{port}\.inside.example/ http://127.0.0.1%23.inside.example:{port}/ http://127.0.0.1%2f:{port}/
    HTTP://LocalHost:{port}/feed http://ｌｏｃａｌｈｏｓｔ:{port}/feed http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/feed http://localhost。:{port}/
    http://localhost..:{port}/ http://127.0.0.1..:{port}/ http://.127.0.0.1:{port}/ http://127.0.0.1%2e:{port}/
    http://local%68ost:{port}/ http://l­ocalhost:{port}/ http://loc‍alhost:{port}/ http://127.0.0.1。:{port}/
    http://[::ffff:127.0.0.1]:{port}@[::1]:{port}/ http://[::1]:{port}%2f@inside.example/ http://[v1.::1]:{port}/
    http://[::1%250]:{port}/ http://[::ffff:0x7f000001]:{port}/ http://[0:0:0:0:0:ffff:7f00:0001]:{port}/ http://[::1.]:{port}/
    //127.0.0.1:{port}/feed ///127.0.0.1:{port}/feed /\127.0.0.1:{port}/feed \\127.0.0.1:{port}/feed
    file:///etc/passwd file://127.0.0.1/etc/passwd ftp://127.0.0.1:{port}/ gopher://127.0.0.1:{port}/_GET
    unix:/run/x.sock javascript:alert(1) data:text/xml,<rss/> dict://127.0.0.1:{port}/ jar:http://127.0.0.1:{port}!/ ws://127.0.0.1:{port}/
    view-source:http://127.0.0.1:{port}/ feed:http://127.0.0.1:{port}/ feed://127.0.0.1:{port}/ http+unix://%2frun%2fx/
"""
TRICKS = [trick.replace("~", "\u00ad").replace("^", "\u200d") for trick in _TRICKS.split()]

# Refusal as an address inside, as no address at all, or as a name that nobody has.
REFUSALS = (FailureKind.PRIVATE_ADDRESS, FailureKind.BAD_URL, FailureKind.UNKNOWN_HOST)


@pytest.fixture
async def outsider() -> AsyncIterator[httpx.AsyncClient]:
    """A client as it follows feeds in the wild."""
    async with make_client(user_agent="t") as client:
        yield client


def asked(port: str, spelling: str) -> str:
    return f"http://{spelling}:{port}/feed"


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "text", ["", "localhost", "example.org", "0x7f.1", "2130706433", "127.1", "[::1]", "1.1.1.1."]
)
def test_what_is_no_plain_address_is_not_public(text: str) -> None:
    assert not is_public(text)


def test_there_are_many_ways_to_say_home() -> None:
    assert len(set(SPELLINGS)) >= 60


async def test_no_spelling_of_home_is_connected_to(wire: Wire, outsider: httpx.AsyncClient) -> None:
    wire.says("/feed", answer(200, b"secret"))
    port = wire.base.rpartition(":")[2]
    for spelling in SPELLINGS:
        with pytest.raises(FetchError) as caught:
            await fetch(outsider, asked(port, spelling))
        assert caught.value.kind in REFUSALS, spelling
    assert wire.connections == 0


class Detour:
    """Takes connections to one public address to loopback, and notes where each was to go."""

    OUTSIDE = "93.184.216.34"

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, address: str, port: int) -> socket.socket:
        self.asked.append(address)
        return await connect_to("127.0.0.1" if address == self.OUTSIDE else address, port)


def names(**known: list[str]) -> Resolve:
    """A look-up that knows these names (`_` for the dot), and asks the system for others."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        wanted = host.replace(".", "_")
        if wanted in known:
            return known[wanted]
        return await asyncio.to_thread(_look_up, host, port)

    return resolve


async def test_no_redirect_leads_home(wire: Wire) -> None:
    port, detour = wire.base.rpartition(":")[2], Detour()
    resolve = names(news_example=[Detour.OUTSIDE])
    async with (
        listening() as inside,
        make_client(user_agent="t", resolve=resolve, connect=detour) as client,
    ):
        inside_port = inside.base.rpartition(":")[2]
        for spelling in SPELLINGS:
            wire.says("/feed", answer(302, b"", f"Location: {asked(inside_port, spelling)}"))
            with pytest.raises(FetchError) as caught:
                await fetch(client, f"http://news.example:{port}/feed")
            assert caught.value.kind in REFUSALS, spelling
        assert inside.connections == 0
        assert len(wire.heard) == len(SPELLINGS)
    assert set(detour.asked) == {Detour.OUTSIDE}


class Closed:
    """Connects to nobody, and notes who it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, address: str, port: int) -> socket.socket:
        self.asked.append(address)
        raise ConnectionRefusedError("closed")


async def test_no_spelling_and_no_trick_so_much_as_begins_to_connect() -> None:
    closed = Closed()
    async with make_client(
        user_agent="t", resolve=names(inside_example=["10.0.0.1"]), connect=closed
    ) as client:
        for url in [asked("80", spelling) for spelling in SPELLINGS] + [
            trick.format(port=80) for trick in TRICKS
        ]:
            with pytest.raises(FetchError) as caught:
                await fetch(client, url)
            assert caught.value.kind in REFUSALS, url
    assert closed.asked == []


@pytest.mark.parametrize("status", [301, 307])
async def test_no_trick_in_a_redirect_leads_home(status: int, wire: Wire) -> None:
    port, detour = wire.base.rpartition(":")[2], Detour()
    resolve = names(news_example=[Detour.OUTSIDE], inside_example=["10.0.0.1"])
    async with (
        listening() as inside,
        make_client(user_agent="t", resolve=resolve, connect=detour) as client,
    ):
        inside_port = inside.base.rpartition(":")[2]
        for trick in TRICKS:
            location = trick.format(port=inside_port)
            wire.says("/feed", answer(status, b"", f"Location: {location}"))
            with pytest.raises(FetchError) as caught:
                await fetch(client, f"http://news.example:{port}/feed")
            # Some are a path of the public host, which has no such page.
            assert caught.value.kind in (*REFUSALS, FailureKind.NOT_FOUND), trick
        assert inside.connections == 0
    assert set(detour.asked) == {Detour.OUTSIDE}


@pytest.mark.parametrize("address", PRIVATE)
async def test_no_name_that_stands_inside_is_connected_to(address: str) -> None:
    closed = Closed()
    async with make_client(user_agent="t", resolve=names(inside_example=[address]), connect=closed) as client:
        for url in (
            "http://inside.example/feed",
            "https://inside.example./feed",
            "http://INSIDE。example/feed",
        ):
            with pytest.raises(FetchError) as caught:
                await fetch(client, url)
            assert caught.value.kind is FailureKind.PRIVATE_ADDRESS, url
    assert closed.asked == []


async def test_a_name_that_moves_inside_between_redirects_is_not_followed(wire: Wire) -> None:
    port = wire.base.rpartition(":")[2]
    wire.hangs_up_after = 1
    wire.says("/feed", answer(302, b"", "Location: /again"))
    answers, detour = [[Detour.OUTSIDE], ["169.254.169.254"]], Detour()

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    async with make_client(user_agent="t", resolve=rebinding, connect=detour, rest=timedelta(0)) as client:
        with pytest.raises(FetchError) as caught:
            await fetch(client, f"http://rebind.example:{port}/feed")
    assert caught.value.kind is FailureKind.PRIVATE_ADDRESS
    assert detour.asked == [Detour.OUTSIDE]


async def test_a_refused_host_is_named_with_the_way_to_allow_it(outsider: httpx.AsyncClient) -> None:
    with pytest.raises(FetchError) as caught:
        await fetch(outsider, "http://user:pw@2130706433/feed")
    assert caught.value.kind is FailureKind.PRIVATE_ADDRESS
    assert str(caught.value) == (
        "2130706433 stands at 127.0.0.1, inside a private network. "
        "If this feed is your own, set fetch.private_networks to true."
    )
    assert "pw" not in caught.value.url


async def test_who_follows_feeds_of_their_own_network_may(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.says("/feed", answer(200, b"ours"))
    for spelling in ("127.0.0.1", "0x7f.1", "localhost", "2130706433"):
        got = await fetch(client, asked(wire.base.rpartition(":")[2], spelling))
        assert isinstance(got, Fetched)
        assert got.body == b"ours"


async def test_a_name_that_stands_inside_and_outside_is_refused(wire: Wire) -> None:
    resolve, detour = names(mixed_example=[Detour.OUTSIDE, "10.0.0.1"]), Detour()
    async with make_client(user_agent="t", resolve=resolve, connect=detour) as client:
        with pytest.raises(FetchError) as caught:
            await fetch(client, "http://mixed.example/feed")
    assert caught.value.kind is FailureKind.PRIVATE_ADDRESS
    assert "10.0.0.1" in str(caught.value)
    assert detour.asked == []


async def test_a_name_that_changes_its_address_gains_nothing(wire: Wire) -> None:
    wire.says("/feed", answer(200, b"from outside"))
    answers, detour = [[Detour.OUTSIDE], ["127.0.0.1"]], Detour()

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    url = f"http://rebind.example:{wire.base.rpartition(':')[2]}/feed"
    async with make_client(user_agent="t", resolve=rebinding, connect=detour) as client:
        got = await fetch(client, url)
        assert isinstance(got, Fetched)
        assert len(answers) == 1, "one connection takes one look-up"
    async with make_client(user_agent="t", resolve=rebinding, connect=detour) as client:
        with pytest.raises(FetchError) as caught:
            await fetch(client, url)
    assert caught.value.kind is FailureKind.PRIVATE_ADDRESS
    assert detour.asked == [Detour.OUTSIDE]


async def test_a_host_with_a_dead_address_is_reached_at_the_next(wire: Wire) -> None:
    wire.says("/feed", answer(200, b"found"))
    resolve = names(two_example=["::1", "127.0.0.1"])
    async with make_client(user_agent="t", private_networks=True, resolve=resolve) as client:
        got = await fetch(client, f"http://two.example:{wire.base.rpartition(':')[2]}/feed")
    assert isinstance(got, Fetched)


async def test_a_silent_address_is_given_up_for_the_next(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent_but_for_one(address: str, port: int) -> socket.socket:
        asked.append(address)
        if address != "127.0.0.1":
            await asyncio.sleep(5)
        return await connect_to(address, port)

    asked: list[str] = []
    monkeypatch.setattr(Guard, "_PATIENCE_SECONDS", 0.05)
    wire.says("/feed", answer(200, b"found"))
    port = wire.base.rpartition(":")[2]
    resolve = names(
        three_example=["127.0.0.3", "127.0.0.2", "127.0.0.1"], mute_example=["127.0.0.3", "127.0.0.2"]
    )
    async with make_client(
        user_agent="t", private_networks=True, resolve=resolve, connect=silent_but_for_one
    ) as client:
        assert isinstance(await fetch(client, f"http://three.example:{port}/feed"), Fetched)
        assert asked == ["127.0.0.3", "127.0.0.2", "127.0.0.1"]
        asked.clear()
        limits = Limits(connect=timedelta(seconds=0.2))
        with pytest.raises(FetchError) as caught:
            await fetch(client, f"http://mute.example:{port}/feed", limits=limits)
        assert caught.value.kind is FailureKind.TIMEOUT
        assert asked == ["127.0.0.3", "127.0.0.2"], "the last one is waited for as long as there is time"
        asked.clear()
        with pytest.raises(FetchError):
            await fetch(client, f"http://mute.example:{port}/feed", limits=Limits(connect=timedelta(0)))
        assert len(asked) <= 1


async def test_the_first_of_several_addresses_is_not_waited_for_without_a_limit() -> None:
    waited: list[float | None] = []

    class Watched(Guard):
        async def _open(self, address: str, port: int, seconds: float | None) -> socket.socket:
            waited.append(seconds)
            raise httpx.ConnectTimeout(address)

    guard = Watched(private_networks=True, resolve=names(three_example=["127.0.0.1"] * 3))
    for seconds, expected in ((60.0, [3, 3, 60]), (None, [3, 3, None])):
        waited.clear()
        with pytest.raises(httpx.ConnectTimeout):
            await guard.connect("three.example", 80, seconds=seconds)
        assert [each and round(each) for each in waited] == expected
    guard.close()


async def test_a_look_up_without_an_answer_ends_in_time() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(5)
        return []

    limits = Limits(connect=timedelta(seconds=0.05))
    async with make_client(user_agent="t", resolve=never) as client:
        with pytest.raises(FetchError) as caught:
            await fetch(client, "http://slow.example/feed", limits=limits)
    assert caught.value.kind is FailureKind.TIMEOUT
    assert str(caught.value) == "slow.example could not be reached within 0.05 seconds."


async def test_a_name_without_an_address_is_unknown() -> None:
    async with make_client(user_agent="t", resolve=names(empty_example=[])) as client:
        with pytest.raises(FetchError) as caught:
            await fetch(client, "http://empty.example/feed")
    assert caught.value.kind is FailureKind.UNKNOWN_HOST
