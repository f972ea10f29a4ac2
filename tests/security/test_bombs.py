"""Small things that unpack into large ones: as feeds, as lists, as forms."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from datetime import timedelta
from time import perf_counter

import brotli
import pytest
import zstandard

from aggregator.errors import BadInput
from aggregator.flows.looking import read_list
from aggregator.store.database import Database
from feeds.errors import ParseError
from feeds.http import make_client
from feeds.read import parse
from tests.conftest import Clock
from tests.feeds.http_server import answer, listening
from tests.flows.wire import Desk as Following
from tests.flows.wire import ScriptedWire
from tests.security.attacks import CODINGS, XML, Attack
from tests.security.conftest import Desk

#: Seconds on a busy machine.
PATIENCE = 8.0
_LARGE = 64 * 1024 * 1024


@pytest.mark.parametrize("attack", XML, ids=str)
async def test_no_xml_grows_reads_a_file_or_asks_the_network(attack: Attack) -> None:
    async with listening() as inside:
        text = attack.text.replace("http://127.0.0.1:PORT", inside.base).encode()
        began = perf_counter()
        try:
            feed = parse(text, content_type="application/rss+xml", base_url="https://wire.example/")
        except ParseError:
            feed = None
        with contextlib.suppress(BadInput, ParseError):
            read_list(text)
        assert perf_counter() - began < PATIENCE
        assert inside.heard == []
        for entry in feed.entries if feed else ():
            assert "root:" not in entry.title
            # An entity that is not unfolded may stand there as it was written.
            assert len(entry.title) < 10_000
            assert entry.title.count("forged") < 3


def _packed(coding: str) -> bytes:
    body = b"<rss>" + b" " * _LARGE
    match coding:
        case "gzip" | "x-gzip":
            return gzip.compress(body, 9)
        case "gzip, gzip":
            return gzip.compress(gzip.compress(body, 9), 9)
        case "deflate":
            return zlib.compress(body, 9)
        case "br":
            return brotli.compress(body, quality=5)
        case _:
            return zstandard.compress(body, 3)


@pytest.mark.parametrize("attack", CODINGS, ids=str)
async def test_what_unpacks_without_end_is_dropped_and_the_wire_goes_on(
    sqlite_database: Database, clock: Clock, attack: Attack
) -> None:
    async with listening() as server, make_client(user_agent="test/1", private_networks=True) as client:
        wire = ScriptedWire(server)
        following = Following(sqlite_database, clock, wire, client)
        coded = (f"Content-Encoding: {attack.text}", "Content-Type: application/rss+xml")
        bomb = server.says("/bomb", answer(200, _packed(attack.text), *coded))
        await following.follow(bomb)
        began = perf_counter()
        await following.poll()
        assert perf_counter() - began < PATIENCE
        assert following.stories() == []
        assert following.source(bomb).failures > 0


async def test_a_form_of_many_parts_or_fields_is_refused(desk: Desk) -> None:
    many = {f"f{number}": "1" for number in range(5_000)}
    assert (await desk.send("/desk/views", **many)).status_code == 400
    files = [("file", (f"{number}.opml", b"<opml/>")) for number in range(200)]
    data = {"form_token": desk.token}
    assert (await desk.client.post("/desk/sources/list", data=data, files=files)).status_code == 400
    long = await desk.send("/desk/views", name="x" * 1_500_000, query="")
    assert long.status_code == 400
    desk.newsroom.clock.move(timedelta(seconds=1))
