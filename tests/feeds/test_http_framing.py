"""Where answers begin and end: what one more careful reader of HTTP says (h11), ours says too."""

from __future__ import annotations

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.errors import FailureKind, FetchError
from feeds.http import Fetched, Limits, NotModified, Validators, fetch, make_client
from feeds.http.carrier import head_of
from feeds.http.framing import Chunked, FramingError, head_end, read_head
from tests.feeds.http_server import End, Wire, answer, listening

LENGTH = b"Content-Length: 3\r\n"
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"

ANSWERS = {
    "plain": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc",
    "an empty reason": b"HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\nabc",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
    "some bare line feeds": b"HTTP/1.1 200 OK\r\nContent-Length: 3\nX: y\r\n\r\nabc",
    "its length twice": b"HTTP/1.1 200 OK\r\n" + LENGTH * 2 + b"\r\nabc",
    "its length twice in a line": b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length and chunks": b"HTTP/1.1 200 OK\r\n" + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "Chunks": b"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n" + CHUNKS,
    "chunks of HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "chunked twice": b"HTTP/1.1 200 OK\r\n" + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n" + CHUNKS,
    "packed for transfer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS,
    "identity": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n" + LENGTH + b"\r\nabc",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc",
    "a space in a name": b"HTTP/1.1 200 OK\r\nX Y: 3\r\n" + LENGTH + b"\r\nabc",
    "no name": b"HTTP/1.1 200 OK\r\n: 3\r\n" + LENGTH + b"\r\nabc",
    "no colon": b"HTTP/1.1 200 OK\r\nGarbage\r\n" + LENGTH + b"\r\nabc",
    "a folded header": b"HTTP/1.1 200 OK\r\nX: a\r\n  b\r\n" + LENGTH + b"\r\nabc",
    "a header in UTF-8": "HTTP/1.1 200 OK\r\nX: é\r\nContent-Length: 3\r\n\r\nabc".encode(),
    "a control character": b"HTTP/1.1 200 OK\r\nX: a\x01b\r\n" + LENGTH + b"\r\nabc",
    "a NUL": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n" + LENGTH + b"\r\nabc",
    "a bare return": b"HTTP/1.1 200 OK\r\nX: a\rb\r\n" + LENGTH + b"\r\nabc",
    "a reason in UTF-8": "HTTP/1.1 200 é\r\nContent-Length: 3\r\n\r\nabc".encode(),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "until closed": b"HTTP/1.1 200 OK\r\n\r\nabc",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/2": b"HTTP/2 200\r\nContent-Length: 3\r\n\r\nabc",
    "small letters": b"http/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "two spaces": b"HTTP/1.1  200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 3\r\n\r\nabc",
    "no status": b"HTTP/1.1 099 OK\r\nContent-Length: 3\r\n\r\nabc",
    "a 304 with a length": b"HTTP/1.1 304 Same\r\nContent-Length: 3\r\n\r\n",
    "a 304 in chunks": b"HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a 204 with a length": b"HTTP/1.1 204 None\r\nContent-Length: 3\r\n\r\n",
    "a length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
    "an empty length": b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nabc",
    "icecast": b"ICY 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "an extension": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
    "spaces after a size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3  \r\nabc\r\n0\r\n\r\n",
    "padded sizes": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0003\r\nabc\r\n0000\r\n\r\n",
    "a trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    "no size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a chunk too long": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
    "a chunk cut short": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "a body cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
}

Read = tuple[int, bytes, list[tuple[bytes, bytes]]] | None


def by_h11(data: bytes) -> Read:
    """What h11 makes of an answer and the end of its connection; None where it makes nothing of it."""
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    peer.send(h11.EndOfMessage())
    head, body = None, b""
    try:
        peer.receive_data(data)
        peer.receive_data(b"")
        while not isinstance(event := peer.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
    except h11.RemoteProtocolError:
        return None
    assert head is not None
    return head.status_code, body, [(bytes(name), bytes(value)) for name, value in head.headers]


def by_us(data: bytes, crumb: int = 1 << 20) -> Read:
    """What we make of it, in pieces of so many bytes."""
    try:
        head = read_head(data[: head_end(data, 0)], method="GET")
        rest, body = data[head_end(data, 0) :], b""
        for start in range(0, len(rest), crumb):
            body += head.body.feed(rest[start : start + crumb])
    except FramingError:
        return None
    head.body.close()
    return (head.status, body, head.headers) if head.body.is_complete else None


@pytest.mark.parametrize("crumb", [1, 2, 7, 1000])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_what_another_reader_of_http_says(name: str, crumb: int) -> None:
    theirs, ours = by_h11(ANSWERS[name]), by_us(ANSWERS[name], crumb)
    assert (ours and ours[:2]) == (theirs and theirs[:2])
    if ours is not None and theirs is not None:
        assert meant(ours[2]) == meant(theirs[2])


def meant(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers but for those about framing, which h11 writes anew."""
    return [header for header in headers if header[0] not in (b"content-length", b"transfer-encoding")]


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.integers(1, 50))
def test_chunks_come_together_however_they_are_cut(chunks: list[bytes], crumb: int) -> None:
    sent = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    body = Chunked()
    pieces = [body.feed(sent[start : start + crumb]) for start in range(0, len(sent), crumb)]
    assert b"".join(pieces) == b"".join(chunks)
    assert body.is_complete
    assert not body.is_overrun


@given(st.binary(max_size=200))
def test_nothing_that_comes_breaks_more_than_its_own_answer(data: bytes) -> None:
    by_us(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
    if head_end(data, 0) > 0:
        by_us(data)


def test_a_line_about_a_chunk_has_an_end() -> None:
    with pytest.raises(FramingError):
        Chunked().feed(b"3;" + b"x" * 20_000)


async def test_a_head_has_an_end(wire: Wire) -> None:
    endless = wire.says("/endless", [b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"y" * 5_000 + b"\r\n"] * 30])
    long = wire.says("/long", [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 150_000 + b"\r\n\r\n"])
    between = wire.says("/between", [b"HTTP/1.1 103 Early Hints\r\nX: " + b"y" * 1_000 + b"\r\n\r\n"] * 200)
    async with make_client(user_agent="t", private_networks=True) as client:
        for url in (endless, long, between):
            with pytest.raises(FetchError) as caught:
                await fetch(client, url)
            assert caught.value.kind is FailureKind.BROKEN_ANSWER


async def test_hints_before_an_answer_are_passed_over(wire: Wire) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    url = wire.says("/feed", [hint * 2, *answer(200, b"<rss/>")])
    async with make_client(user_agent="t", private_networks=True) as client:
        got = await fetch(client, url)
    assert isinstance(got, Fetched)
    assert "link" not in got.headers


async def test_a_change_of_protocol_is_no_answer(wire: Wire) -> None:
    url = wire.says("/feed", [b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", 5.0])
    async with make_client(user_agent="t", private_networks=True) as client:
        with pytest.raises(FetchError) as caught:
            await fetch(client, url)
    assert caught.value.kind is FailureKind.BROKEN_ANSWER


async def test_what_comes_after_an_answer_is_no_answer_to_the_next_question(wire: Wire) -> None:
    lie = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    url = wire.says(
        "/feed", [*answer(200, b"<a/>"), lie], [*answer(200, b"<b/>"), 0.05, lie], answer(200, b"<c/>")
    )
    async with make_client(user_agent="t", private_networks=True) as client:
        for body in (b"<a/>", b"<b/>", b"<c/>"):
            got = await fetch(client, url, Validators(etag='"x"'))
            assert isinstance(got, Fetched)
            assert got.body == body
            await asyncio.sleep(0.1)
    assert wire.connections == 3


async def test_a_server_that_says_close_is_not_asked_again_on_that_connection(wire: Wire) -> None:
    url = wire.says("/feed", answer(304, b"", "Connection: close"))
    old = wire.says("/old", [b"HTTP/1.0 304 Not Modified\r\n\r\n"])
    async with make_client(user_agent="t", private_networks=True) as client:
        for asked in (url, url, old, old):
            assert isinstance(await fetch(client, asked, Validators(etag='"x"')), NotModified)
    assert wire.connections == 4


async def test_a_body_that_nobody_reads_is_not_taken_in(wire: Wire) -> None:
    url = wire.says("/feed", [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 1_000_000] * 40, End.CLOSE])
    async with (
        make_client(user_agent="t", private_networks=True) as client,
        client.stream("GET", url) as response,
    ):
        await asyncio.sleep(0.3)
        waiting = response.stream._stream._answer._connection._incoming  # type: ignore[union-attr]
        assert len(waiting) < 1_000_000
        read = sum([len(piece) async for piece in response.aiter_raw()])
    assert read == 40_000_000


async def test_a_large_body_in_crumbs_keeps_nobody_waiting(wire: Wire) -> None:
    crumbs = b"".join(b"1\r\nx\r\n" for _ in range(200_000))
    url = wire.says(
        "/feed", [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + crumbs + b"0\r\n\r\n"]
    )
    async with make_client(user_agent="t", private_networks=True) as client:
        got = await fetch(client, url, limits=Limits(total=timedelta(seconds=20)))
    assert isinstance(got, Fetched)
    assert got.body == b"x" * 200_000


def test_a_header_cannot_bring_another() -> None:
    for header in ((b"X", b"a\r\nHost: b"), (b"X\n", b"a"), (b"X", b"a\0")):
        with pytest.raises(httpx.LocalProtocolError):
            head_of("GET", b"/", [header])


async def test_a_body_without_a_known_length_is_sent_in_chunks() -> None:
    heard = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        heard.set_result(await reader.readuntil(b"0\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 None\r\n\r\n")
        await writer.drain()
        writer.close()

    async def parts():  # type: ignore[no-untyped-def]
        yield b"hub."
        yield b""
        yield b"mode"

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hub"
    async with make_client(user_agent="t", private_networks=True) as client:
        assert (await client.post(url, content=parts())).status_code == 204
    assert await heard == b"4\r\nhub.\r\n4\r\nmode\r\n0\r\n\r\n"
    server.close()


async def test_a_server_that_takes_nothing_is_not_waited_for() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    done = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1000)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hub"
    async with make_client(user_agent="t", private_networks=True) as client:
        with pytest.raises(httpx.WriteTimeout):
            await client.post(url, content=b"x" * 50_000_000, timeout=0.2)
    done.set()
    server.close()


async def test_a_secure_connection_is_kept_and_closed_like_any_other(wire: Wire) -> None:
    pair = Path(__file__).with_name("loopback.pem")
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(pair)
    trusting = ssl.create_default_context(cafile=pair)
    async with (
        listening(tls=ours) as secure,
        make_client(user_agent="t", private_networks=True, tls=trusting) as client,
    ):
        url = secure.says(
            "/feed", answer(200, b"x" * 1_000_000), answer(304), [b"HTTP/1.1 200 OK\r\n\r\nabc", End.CLOSE]
        )
        assert isinstance(await fetch(client, url), Fetched)
        assert isinstance(await fetch(client, url, Validators(etag='"x"')), NotModified)
        got = await fetch(client, url)
        assert isinstance(got, Fetched)
        assert (got.body, secure.connections) == (b"abc", 1)
