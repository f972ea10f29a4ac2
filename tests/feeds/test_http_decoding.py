"""A bomb is put out before it takes any room."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc

import brotli
import httpx
import pytest
import zstandard

from feeds.errors import FailureKind, FetchError
from feeds.http import fetch
from feeds.http.decoding import DecodingError, decoder_for
from tests.feeds.http_server import Wire, answer

ROOM_BYTES = 8 * 1024 * 1024
BOMB_BYTES = 300_000_000
BLANK = bytes(1_000_000)


def zstd_bomb() -> bytes:
    packer = zstandard.ZstdCompressor(level=19).compressobj()
    return b"".join(packer.compress(BLANK) for _ in range(BOMB_BYTES // len(BLANK))) + packer.flush()


def brotli_bomb() -> bytes:
    packer = brotli.Compressor(quality=5)
    return b"".join(packer.process(BLANK) for _ in range(BOMB_BYTES // len(BLANK))) + packer.finish()


def gzip_bomb() -> bytes:
    # Members may follow one another, which makes a bomb quickly built.
    return gzip.compress(bytes(10_000_000)) * (BOMB_BYTES // 10_000_000)


BOMBS = {"gzip": gzip_bomb, "br": brotli_bomb, "zstd": zstd_bomb}


@pytest.mark.parametrize("coding", BOMBS)
def test_no_step_of_a_bomb_takes_much_room(coding: str) -> None:
    bomb = BOMBS[coding]()
    decoder = decoder_for(coding)
    unfolded = 0
    for start in range(0, len(bomb), 65536):
        for piece in decoder.feed(bomb[start : start + 65536]):
            assert len(piece) <= ROOM_BYTES
            unfolded += len(piece)
    assert unfolded == BOMB_BYTES
    assert decoder.is_complete()


@pytest.mark.parametrize("coding", BOMBS)
async def test_a_bomb_is_refused_without_taking_room(
    coding: str, wire: Wire, client: httpx.AsyncClient
) -> None:
    url = wire.says("/feed", answer(200, BOMBS[coding](), f"Content-Encoding: {coding}"))
    tracemalloc.start()
    try:
        with pytest.raises(FetchError) as caught:
            await fetch(client, url)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.kind is FailureKind.TOO_LARGE
    assert peak_bytes < 4 * ROOM_BYTES


async def test_others_have_their_turn_while_a_large_feed_is_unpacked(
    wire: Wire, client: httpx.AsyncClient
) -> None:
    url = wire.says("/feed", answer(200, gzip.compress(bytes(9_000_000)), "Content-Encoding: gzip"))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def turns_within(started: float) -> int:
        await fetch(client, url)
        return turns

    other = asyncio.create_task(others())
    try:
        assert await turns_within(time.monotonic()) >= 9
    finally:
        other.cancel()


def test_a_coding_that_nobody_knows_has_no_decoder() -> None:
    with pytest.raises(DecodingError, match="no decoder for snappy"):
        decoder_for("snappy")


def test_what_follows_a_packed_feed_is_not_part_of_it() -> None:
    decoder = decoder_for("gzip")
    packed = gzip.compress(b"feed")
    assert b"".join(decoder.feed(packed + b"<!-- served by -->")) == b"feed"
    assert b"".join(decoder.feed(b"more")) == b""
    assert decoder.is_complete()
