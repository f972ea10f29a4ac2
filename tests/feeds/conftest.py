"""A scripted wire on loopback and a client that may reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from feeds.http import make_client
from tests.feeds.http_server import Wire, listening


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A server that says what the test tells it."""
    async with listening() as wire:
        yield wire


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client that may speak to loopback."""
    async with make_client(user_agent="wirebrief-test/1", private_networks=True) as client:
        yield client
