"""A scripted wire, and a desk on both databases that may reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from aggregator.store.database import Database
from feeds.http import make_client
from tests.conftest import Clock
from tests.feeds.http_server import listening
from tests.flows.wire import Desk, ScriptedWire


@pytest.fixture
async def wire() -> AsyncIterator[ScriptedWire]:
    """A wire that says what the test tells it."""
    async with listening() as server:
        yield ScriptedWire(server)


@pytest.fixture
async def desk(database: Database, clock: Clock, wire: ScriptedWire) -> AsyncIterator[Desk]:
    """A desk that follows nothing yet."""
    async with make_client(user_agent="wirebrief-test/1", private_networks=True) as client:
        yield Desk(database, clock, wire, client)
