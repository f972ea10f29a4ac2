"""What the tests of the web share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from aggregator.store.database import Database
from tests.conftest import Clock
from tests.web.newsroom import Newsroom


@pytest.fixture
def newsroom(database: Database, clock: Clock) -> Newsroom:
    """A newsroom that has published nothing yet."""
    return Newsroom(database, clock)


@pytest.fixture
async def reader(newsroom: Newsroom) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who reads this newsroom."""
    async with newsroom.client() as client:
        yield client
