"""The service behind a real server, asked by real programs."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
import uvicorn

from tests.web.newsroom import Newsroom


@pytest.fixture
async def served(newsroom: Newsroom) -> AsyncIterator[str]:
    """Where a newsroom with one brief is served."""
    await newsroom.brief()
    await newsroom.publish()
    server = uvicorn.Server(uvicorn.Config(newsroom.service(), log_level="warning", lifespan="off"))
    listening = socket.create_server(("127.0.0.1", 0))
    # Listening before the server starts: a first request waits, and nothing has to be polled for.
    running = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await running


async def test_curl_finds_http_kept_by_the_letter(served: str, shared: Callable[..., Path]) -> None:
    check = shared("tools", "httpcheck.sh")
    if shutil.which("curl") is None:
        pytest.skip("httpcheck.sh asks with curl, which is not on this machine.")
    process = await asyncio.create_subprocess_exec(
        "bash", str(check), f"{served}/channels/all.atom", stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    lines = said.decode().splitlines()
    assert len(lines) > 30
    assert [line for line in lines if not line.startswith("PASS")] == []


async def test_a_304_over_the_wire_has_a_date_and_no_body(served: str) -> None:
    async with httpx.AsyncClient(base_url=served) as client:
        first = await client.get("/channels/all.atom")
        again = await client.get("/channels/all.atom", headers={"if-none-match": first.headers["etag"]})
        assert again.status_code == 304
        assert "date" in again.headers
        assert again.content == b""
        # The connection is still good: nothing of a body was left on it.
        assert (await client.get("/channels/all.atom")).status_code == 200


async def test_head_over_the_wire_has_the_length_of_the_body(served: str) -> None:
    async with httpx.AsyncClient(base_url=served, headers={"accept-encoding": "identity"}) as client:
        for path in ("/", "/channels/all.atom", "/static/wirebrief.css", "/briefs/riyadh"):
            got, headed = await client.get(path), await client.head(path)
            assert headed.headers["content-length"] == str(len(got.content))
            assert headed.headers["etag"] == got.headers["etag"]
