"""One question to a stranger's server, and all that it may answer."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import socket
import ssl
import zlib
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path

import brotli
import httpx
import pytest
import zstandard

from feeds.errors import FailureKind, FetchError
from feeds.http import Fetched, Freshness, Hop, Limits, NotModified, Validators, fetch, make_client
from feeds.http.guard import connect_to
from tests.feeds.http_server import End, Step, Wire, answer, chunked, listening

FEED = b"<rss version='2.0'><channel><title>Wire</title></channel></rss>" * 50
MONDAY = "Mon, 05 Jan 2026 08:00:00 GMT"
TIGHT = Limits(
    total=timedelta(seconds=0.5),
    connect=timedelta(seconds=1),
    first_byte=timedelta(seconds=0.2),
    body_bytes=100_000,
    redirects=3,
)


async def failure(fetching: Awaitable[object]) -> FetchError:
    """The failure that a fetch ends with."""
    with pytest.raises(FetchError) as caught:
        await fetching
    return caught.value


async def test_a_feed_comes_with_all_that_its_server_said(wire: Wire, client: httpx.AsyncClient) -> None:
    headers = (
        'ETag: "v1"',
        f"Last-Modified: {MONDAY}",
        "Cache-Control: max-age=60",
        "Content-Type: a/b",
    )
    url = wire.says("/feed", answer(200, FEED, *headers, "Link: <a>; rel=hub", "Link: <b>; rel=self"))
    got = await fetch(client, url + "#top")
    assert isinstance(got, Fetched)
    assert (got.url, got.status, got.content_type, got.body, got.hops) == (url, 200, "a/b", FEED, ())
    assert got.validators == Validators('"v1"', MONDAY)
    assert got.freshness == Freshness(lifetime=timedelta(seconds=60))
    assert got.headers["link"] == "<a>; rel=hub, <b>; rel=self"
    assert got.digest == hashlib.sha256(FEED).hexdigest()
    assert timedelta(0) < got.elapsed < timedelta(seconds=5)


async def test_a_server_learns_who_asks_and_what_we_read(wire: Wire, client: httpx.AsyncClient) -> None:
    await fetch(client, wire.says("/feed", answer(200, FEED)))
    _, headers = wire.heard[0]
    assert headers["user-agent"] == "wirebrief-test/1"
    assert headers["accept-encoding"] == "gzip, br, zstd"
    assert headers["accept"].startswith("application/atom+xml")
    assert "if-none-match" not in headers


async def test_a_source_answering_304_is_as_it_was(wire: Wire, client: httpx.AsyncClient) -> None:
    url = wire.says("/feed", answer(304, b"", 'ETag: "v2"', "Cache-Control: max-age=90"))
    got = await fetch(client, url, Validators('"v1"', MONDAY))
    assert isinstance(got, NotModified)
    assert wire.heard[0][1]["if-none-match"] == '"v1"'
    assert wire.heard[0][1]["if-modified-since"] == MONDAY
    assert got.validators == Validators('"v2"', MONDAY)
    assert got.freshness.lifetime == timedelta(seconds=90)
    assert got.url == url


async def test_a_304_that_nobody_asked_for_is_a_broken_answer(wire: Wire, client: httpx.AsyncClient) -> None:
    error = await failure(fetch(client, wire.says("/feed", answer(304)), Validators('""')))
    assert (error.kind, error.status) == (FailureKind.BROKEN_ANSWER, 304)
    assert "we did not ask" in str(error)


@pytest.mark.parametrize("status", [200, 203, 226])
async def test_a_feed_may_come_with_any_of_three_statuses(
    status: int, wire: Wire, client: httpx.AsyncClient
) -> None:
    got = await fetch(client, wire.says("/feed", answer(status, FEED)))
    assert isinstance(got, Fetched)
    assert (got.status, got.body) == (status, FEED)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, FailureKind.BROKEN_ANSWER),
        (206, FailureKind.BROKEN_ANSWER),
        (300, FailureKind.BROKEN_ANSWER),
        (400, FailureKind.REFUSED),
        (401, FailureKind.REFUSED),
        (403, FailureKind.REFUSED),
        (404, FailureKind.NOT_FOUND),
        (406, FailureKind.REFUSED),
        (410, FailureKind.GONE),
        (429, FailureKind.RATE_LIMITED),
        (451, FailureKind.REFUSED),
        (500, FailureKind.SERVER_ERROR),
        (502, FailureKind.SERVER_ERROR),
        (503, FailureKind.UNAVAILABLE),
        (599, FailureKind.SERVER_ERROR),
    ],
)
async def test_each_refusal_has_its_kind_and_its_sentence(
    status: int, kind: FailureKind, wire: Wire, client: httpx.AsyncClient
) -> None:
    body = b"" if status == 204 else b"sorry"
    error = await failure(fetch(client, wire.says("/feed", answer(status, body))))
    assert (error.kind, error.status, error.retry_after) == (kind, status, None)
    assert str(error).startswith("The server at 127.0.0.1 ")
    assert f"({status})." in str(error)
    assert error.url == f"{wire.base}/feed"


@pytest.mark.parametrize("status", [429, 503, 500])
async def test_a_server_that_asks_for_rest_says_for_how_long(
    status: int, wire: Wire, client: httpx.AsyncClient
) -> None:
    error = await failure(fetch(client, wire.says("/feed", answer(status, b"", "Retry-After: 120"))))
    assert error.retry_after == timedelta(minutes=2)
    later = answer(status, b"", f"Date: {MONDAY}", "Retry-After: Mon, 05 Jan 2026 09:00:00 GMT")
    error = await failure(fetch(client, wire.says("/feed", later)))
    assert error.retry_after == timedelta(hours=1)


# Redirects


async def test_each_redirect_on_the_way_is_recorded(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.says("/a", answer(301, b"moved", "Location: /b"))
    wire.says("/b", answer(302, b"", "Location: c?x=1#part"))
    wire.says("/c?x=1", answer(303, b"", f"Location: {wire.base}/d"))
    wire.says("/d", answer(307, b"", "Location: //127.0.0.1:" + wire.base.rpartition(":")[2] + "/e"))
    wire.says("/e", answer(308, b"", "Location: ./f"))
    wire.says("/f", answer(200, FEED))
    got = await fetch(client, f"{wire.base}/a")
    assert isinstance(got, Fetched)
    steps = [
        ("/a", 301, "/b"),
        ("/b", 302, "/c?x=1"),
        ("/c?x=1", 303, "/d"),
        ("/d", 307, "/e"),
        ("/e", 308, "/f"),
    ]
    assert got.hops == tuple(Hop(wire.base + url, status, wire.base + to) for url, status, to in steps)
    assert [hop.is_permanent for hop in got.hops] == [True, False, False, False, True]
    assert got.url == f"{wire.base}/f"
    assert wire.connections == 1


async def test_a_redirect_to_an_unchanged_feed_is_recorded_too(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.says("/a", answer(301, b"", "Location: /b"))
    wire.says("/b", answer(304))
    got = await fetch(client, f"{wire.base}/a", Validators('"v1"'))
    assert isinstance(got, NotModified)
    assert got.hops == (Hop(f"{wire.base}/a", 301, f"{wire.base}/b"),)


@pytest.mark.parametrize("target", ["/a", "/b"])
async def test_redirects_in_a_circle_end(target: str, wire: Wire, client: httpx.AsyncClient) -> None:
    wire.says("/a", answer(302, b"", "Location: /b"))
    wire.says("/b", answer(302, b"", f"Location: {target}"))
    error = await failure(fetch(client, f"{wire.base}/a"))
    assert (error.kind, error.status) == (FailureKind.TOO_MANY_REDIRECTS, 302)
    assert str(error) == "The server at 127.0.0.1 sends us in a circle."
    assert len(wire.heard) == 2


async def test_redirects_without_an_end_end(wire: Wire, client: httpx.AsyncClient) -> None:
    for number in range(10):
        wire.says(f"/{number}", answer(302, b"", f"Location: /{number + 1}"))
    error = await failure(fetch(client, f"{wire.base}/0", limits=TIGHT))
    assert error.kind is FailureKind.TOO_MANY_REDIRECTS
    assert str(error) == "The server at 127.0.0.1 sends us on and on (3 times so far)."
    assert len(wire.heard) == 4


@pytest.mark.parametrize(
    "location",
    ["ftp://127.0.0.1/feed", "file:///etc/passwd", "javascript:alert(1)", "mailto:a@b.org", "news:x"],
)
async def test_a_redirect_out_of_the_web_is_not_followed(
    location: str, wire: Wire, client: httpx.AsyncClient
) -> None:
    error = await failure(fetch(client, wire.says("/a", answer(302, b"", f"Location: {location}"))))
    assert error.kind is FailureKind.BAD_URL
    assert len(wire.heard) == 1


async def test_a_redirect_to_an_address_that_is_none_is_told(wire: Wire, client: httpx.AsyncClient) -> None:
    error = await failure(fetch(client, wire.says("/a", answer(302, b"", "Location: http://u:pw@[::1/x"))))
    assert error.kind is FailureKind.BAD_URL
    assert str(error) == "The server at 127.0.0.1 sends us to an address that is none on the web."


async def test_a_redirect_that_says_nowhere_is_a_broken_answer(wire: Wire, client: httpx.AsyncClient) -> None:
    error = await failure(fetch(client, wire.says("/a", answer(301))))
    assert (error.kind, error.status) == (FailureKind.BROKEN_ANSWER, 301)
    assert "does not say where" in str(error)


# Credentials


async def test_a_password_opens_its_feed_and_is_shown_nowhere(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.says("/a", answer(302, b"", "Location: /b"))
    wire.says("/b", answer(200, FEED))
    got = await fetch(client, f"{wire.base}/a".replace("//", "//desk:s3cret@"))
    assert [headers["authorization"] for _, headers in wire.heard] == ["Basic ZGVzazpzM2NyZXQ="] * 2
    assert "s3cret" not in repr(got)
    error = await failure(fetch(client, f"{wire.base}/none".replace("//", "//desk:s3cret@")))
    assert "s3cret" not in f"{error} {error.url} {error.__cause__}"


async def test_a_password_is_not_handed_to_another_host(wire: Wire, client: httpx.AsyncClient) -> None:
    async with listening() as other:
        wire.says("/a", answer(302, b"", f"Location: {other.base}/b"))
        other.says("/b", answer(200, FEED))
        await fetch(client, f"{wire.base}/a".replace("//", "//desk:s3cret@"))
        assert "authorization" not in other.heard[0][1]


class ByPort:
    """Takes connections to the usual ports to two servers on loopback."""

    def __init__(self, ports: dict[int, int]) -> None:
        self.ports = ports

    async def __call__(self, address: str, port: int) -> socket.socket:
        return await connect_to("127.0.0.1", self.ports[port])


@pytest.mark.parametrize(("asked", "target", "is_sent"), [("http", "https", True), ("https", "http", False)])
async def test_a_password_given_for_encryption_is_never_sent_in_the_clear(
    asked: str, target: str, is_sent: bool, wire: Wire
) -> None:
    pair = Path(__file__).with_name("loopback.pem")
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(pair)
    async with listening(tls=ours) as secure:
        servers = {"http": wire, "https": secure}
        ports = {80: int(wire.base.rpartition(":")[2]), 443: int(secure.base.rpartition(":")[2])}
        servers[asked].says("/a", answer(302, b"", f"Location: {target}://127.0.0.1/b"))
        servers[target].says("/b", answer(200, FEED))
        trusting = ssl.create_default_context(cafile=pair)
        async with make_client(
            user_agent="t", private_networks=True, tls=trusting, connect=ByPort(ports)
        ) as client:
            await fetch(client, f"{asked}://desk:s3cret@127.0.0.1/a")
        assert "authorization" in servers[asked].heard[0][1]
        assert ("authorization" in servers[target].heard[0][1]) is is_sent


async def test_a_redirect_may_bring_its_own_password(wire: Wire, client: httpx.AsyncClient) -> None:
    own = f"{wire.base}/b".replace("//", "//other:word@")
    wire.says("/a", answer(302, b"", f"Location: {own}"))
    wire.says("/b", answer(200, FEED))
    got = await fetch(client, f"{wire.base}/a".replace("//", "//desk:s3cret@"))
    assert wire.heard[1][1]["authorization"] == "Basic b3RoZXI6d29yZA=="
    assert got.hops[0].location == f"{wire.base}/b"


# Bodies


def gzipped_twice(body: bytes) -> bytes:
    return gzip.compress(body[:100], mtime=0) + gzip.compress(body[100:], mtime=0) + b"\0" * 512


PACKED = [
    ("gzip", gzip.compress(FEED, mtime=0)),
    ("x-gzip", gzip.compress(FEED, mtime=0)),
    ("GZIP , identity", gzip.compress(FEED, mtime=0)),
    ("gzip", gzipped_twice(FEED)),
    ("deflate", zlib.compress(FEED)),
    ("br", brotli.compress(FEED)),
    ("zstd", zstandard.compress(FEED)),
    ("zstd", zstandard.compress(FEED[:100]) + zstandard.compress(FEED[100:])),
    ("identity", FEED),
    ("", FEED),
]


@pytest.mark.parametrize(("coding", "body"), PACKED)
async def test_a_packed_feed_is_unpacked(
    coding: str, body: bytes, wire: Wire, client: httpx.AsyncClient
) -> None:
    url = wire.says("/feed", answer(200, body, f"Content-Encoding: {coding}"))
    got = await fetch(client, url)
    assert isinstance(got, Fetched)
    assert got.body == FEED


@pytest.mark.parametrize(("coding", "body"), PACKED)
async def test_a_packed_feed_is_unpacked_though_it_comes_in_crumbs(
    coding: str, body: bytes, wire: Wire, client: httpx.AsyncClient
) -> None:
    crumbs = [body[start : start + 7] for start in range(0, len(body), 7)]
    url = wire.says("/feed", chunked(*crumbs, header=f"Content-Encoding: {coding}"))
    got = await fetch(client, url)
    assert isinstance(got, Fetched)
    assert got.body == FEED


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "identity"])
async def test_an_empty_body_is_empty_however_it_is_packed(
    coding: str, wire: Wire, client: httpx.AsyncClient
) -> None:
    got = await fetch(client, wire.says("/feed", answer(200, b"", f"Content-Encoding: {coding}")))
    assert isinstance(got, Fetched)
    assert got.body == b""


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(FEED, mtime=0)[:-9]),
        ("gzip", gzip.compress(FEED, mtime=0)[:20]),
        ("gzip", gzip.compress(FEED, mtime=0) + gzip.compress(FEED, mtime=0)[:30]),
        ("br", brotli.compress(FEED)[:-3]),
        ("zstd", zstandard.compress(FEED)[:-3]),
    ],
)
async def test_a_packed_feed_without_its_end_is_a_failure_not_a_short_feed(
    coding: str, body: bytes, wire: Wire, client: httpx.AsyncClient
) -> None:
    error = await failure(fetch(client, wire.says("/feed", answer(200, body, f"Content-Encoding: {coding}"))))
    assert (error.kind, error.status) == (FailureKind.BROKEN_ANSWER, 200)
    assert str(error) == "The feed from 127.0.0.1 was cut short."


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "compress", "gzip, gzip", "gzip, br"])
async def test_a_feed_packed_otherwise_than_it_says_is_a_broken_answer(
    coding: str, wire: Wire, client: httpx.AsyncClient
) -> None:
    error = await failure(fetch(client, wire.says("/feed", answer(200, FEED, f"Content-Encoding: {coding}"))))
    assert error.kind is FailureKind.BROKEN_ANSWER
    assert "compressed in a way that cannot be read" in str(error)


@pytest.mark.parametrize(
    "steps",
    [
        [*answer(200, FEED, length=len(FEED) + 1), End.CLOSE],
        chunked(FEED, is_whole=False),
        [*answer(200, FEED, length=len(FEED) + 1), 0.05, End.RESET],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", End.CLOSE],
    ],
)
async def test_a_feed_that_breaks_off_is_a_failure_not_a_short_feed(
    steps: list[Step], wire: Wire, client: httpx.AsyncClient
) -> None:
    error = await failure(fetch(client, wire.says("/feed", steps)))
    assert error.kind is FailureKind.BROKEN_ANSWER
    assert error.__cause__ is not None


async def test_a_feed_that_ends_with_its_connection_is_whole(wire: Wire, client: httpx.AsyncClient) -> None:
    got = await fetch(client, wire.says("/feed", [b"HTTP/1.0 200 OK\r\n\r\n" + FEED, End.CLOSE]))
    assert isinstance(got, Fetched)
    assert got.body == FEED


@pytest.mark.parametrize(
    "steps",
    [
        [End.CLOSE],
        [End.RESET],
        [b"HTTP/1.1 200", End.CLOSE],
        [b"220 mail.example.org ESMTP\r\n", End.CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", End.CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", End.CLOSE],
    ],
)
async def test_a_server_that_speaks_no_http_is_told_apart(
    steps: list[Step], wire: Wire, client: httpx.AsyncClient
) -> None:
    error = await failure(fetch(client, wire.says("/feed", steps)))
    assert error.kind is FailureKind.BROKEN_ANSWER
    assert "127.0.0.1" in str(error)


# Sizes


async def test_a_feed_that_announces_too_much_is_not_read(wire: Wire, client: httpx.AsyncClient) -> None:
    url = wire.says("/feed", [*answer(200, b"", length=100_001), 5.0])
    error = await failure(fetch(client, url, limits=TIGHT))
    assert error.kind is FailureKind.TOO_LARGE
    assert str(error) == "The feed at 127.0.0.1 is larger than 100000 bytes."


async def test_a_feed_that_goes_on_and_on_is_left(wire: Wire, client: httpx.AsyncClient) -> None:
    url = wire.says("/feed", chunked(*[b"x" * 10_000] * 11))
    error = await failure(fetch(client, url, limits=TIGHT))
    assert error.kind is FailureKind.TOO_LARGE


async def test_a_feed_just_within_the_limit_is_read(wire: Wire, client: httpx.AsyncClient) -> None:
    packed = gzip.compress(b"x" * 100_000, mtime=0)
    url = wire.says("/feed", answer(200, packed, "Content-Encoding: gzip"))
    got = await fetch(client, url, limits=TIGHT)
    assert isinstance(got, Fetched)
    assert len(got.body) == 100_000


async def test_a_megabyte_limit_is_said_in_megabytes(wire: Wire, client: httpx.AsyncClient) -> None:
    error = await failure(fetch(client, wire.says("/feed", answer(200, b"", length=20_000_000))))
    assert str(error) == "The feed at 127.0.0.1 is larger than 10 MiB."


# Time


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([5.0], "The server at 127.0.0.1 did not answer within 0.2 seconds."),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 5.0], "did not answer within 0.2 seconds."),
        (
            [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *[b"x", 0.05] * 90],
            "The answer from 127.0.0.1 was not complete after 0.5 seconds.",
        ),
        ([b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n", 0.05] * 90], "was not complete after 0.5 seconds."),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", 0.05] * 90, "was not complete after 0.5 seconds."),
    ],
)
async def test_a_slow_server_does_not_hold_us(
    steps: list[Step], sentence: str, wire: Wire, client: httpx.AsyncClient
) -> None:
    async with asyncio.timeout(2):
        error = await failure(fetch(client, wire.says("/feed", steps), limits=TIGHT))
    assert error.kind is FailureKind.TIMEOUT
    assert str(error).endswith(sentence)


async def test_a_slow_error_page_does_not_hide_its_error(wire: Wire, client: httpx.AsyncClient) -> None:
    url = wire.says("/feed", [*answer(404, b"", length=100), 5.0])
    limits = Limits(first_byte=timedelta(seconds=0.1))
    assert (await failure(fetch(client, url, limits=limits))).kind is FailureKind.NOT_FOUND


async def test_a_large_error_page_is_not_read(wire: Wire, client: httpx.AsyncClient) -> None:
    url = wire.says("/feed", [*answer(404, b"", length=100_000), 5.0])
    assert (await failure(fetch(client, url, limits=TIGHT))).kind is FailureKind.NOT_FOUND


async def test_one_second_is_one_second(wire: Wire, client: httpx.AsyncClient) -> None:
    limits = Limits(total=timedelta(seconds=1), first_byte=timedelta(seconds=5))
    error = await failure(fetch(client, wire.says("/feed", [5.0]), limits=limits))
    assert str(error) == "The answer from 127.0.0.1 was not complete after 1 second."


# Addresses and connections


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "example.org/feed",
        "",
        "http://",
        "https:///feed",
        "http://[::1/",
        "http://a:b:c/",
    ],
)
async def test_what_is_no_web_address_is_not_asked(url: str, client: httpx.AsyncClient) -> None:
    assert (await failure(fetch(client, url))).kind is FailureKind.BAD_URL


async def test_a_host_that_nobody_knows_is_named(client: httpx.AsyncClient) -> None:
    error = await failure(fetch(client, "http://newsroom.invalid/feed"))
    assert error.kind is FailureKind.UNKNOWN_HOST
    assert str(error) == "There is no server named newsroom.invalid."


async def test_a_host_where_nobody_listens_is_unreachable(client: httpx.AsyncClient) -> None:
    async with listening() as wire:
        url = wire.says("/feed", answer(200, FEED))
    error = await failure(fetch(client, url))
    assert error.kind is FailureKind.UNREACHABLE
    assert str(error) == "The server at 127.0.0.1 cannot be reached."


async def test_a_server_without_encryption_is_told_apart(wire: Wire, client: httpx.AsyncClient) -> None:
    url = wire.says("/feed", answer(200, FEED)).replace("http:", "https:")
    error = await failure(fetch(client, url))
    assert error.kind is FailureKind.TLS
    assert str(error) == "No secure connection to 127.0.0.1 could be set up."


async def test_a_certificate_is_believed_when_its_issuer_is(client: httpx.AsyncClient) -> None:
    pair = Path(__file__).with_name("loopback.pem")
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(pair)
    async with listening(tls=ours) as wire:
        url = wire.says("/feed", answer(200, FEED))
        error = await failure(fetch(client, url))
        assert error.kind is FailureKind.TLS
        assert str(error).startswith("The certificate of 127.0.0.1 is not valid: self")
        trusting = ssl.create_default_context(cafile=pair)
        async with make_client(user_agent="t", private_networks=True, tls=trusting) as believer:
            got = await fetch(believer, url)
            assert isinstance(got, Fetched)
            assert got.body == FEED
