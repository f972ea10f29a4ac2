"""What the tests of this room share: a newsroom on SQLite with its people, since no attack depends on the database."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from aggregator.flows.partners import Terms, add_partner
from aggregator.store.database import Database
from tests.conftest import NOW, Clock, strict
from tests.store.newsroom import keep_stories, says
from tests.web.desk_users import PASSWORD, account
from tests.web.newsroom import BRIEF, Newsroom


@dataclass(frozen=True, slots=True)
class Desk:
    """An admin who is signed in, with the token that the forms of their session carry."""

    newsroom: Newsroom
    client: httpx.AsyncClient
    token: str

    async def send(self, path: str, /, **fields: str) -> httpx.Response:
        """Send a form as a page of ours would."""
        return await self.client.post(path, data={"form_token": self.token, **fields})


@pytest.fixture(scope="session")
def furnished_file(prepared_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a newsroom, to copy from: making one takes longer than most attacks."""
    path = tmp_path_factory.mktemp("furnished") / "furnished.db"
    shutil.copy(prepared_file, path)
    with Database(f"sqlite:///{path}") as database:
        asyncio.run(furnished(database, Clock()))
    return path


@pytest.fixture
def newsroom(furnished_file: Path, tmp_path: Path) -> Iterator[Newsroom]:
    """A newsroom with two people, a program, a partner, a story and a brief that is published."""
    path = tmp_path / "wirebrief.db"
    shutil.copy(furnished_file, path)
    with strict(Database(f"sqlite:///{path}")) as database:
        yield Newsroom(database, Clock(NOW + timedelta(minutes=1)))


@pytest.fixture
async def desk(newsroom: Newsroom) -> AsyncIterator[Desk]:
    """An admin at the desk."""
    async with newsroom.client() as client:
        yield await signed_in(newsroom, client)


@pytest.fixture
async def stranger(newsroom: Newsroom) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is not signed in."""
    async with newsroom.client() as client:
        yield client


async def furnished(database: Database, clock: Clock) -> Newsroom:
    """A newsroom with one of everything that addresses name."""
    newsroom = Newsroom(database, clock)
    keep_stories(database, says("riyadh"))
    await newsroom.brief(BRIEF)
    await newsroom.publish()
    for name in ("admin", "other"):
        await account(newsroom, name, "admin", PASSWORD)
    await newsroom.key("cms-s-key-of-these-tests", "editor")
    terms = Terms(tuple(channel.slug for channel in newsroom.channels), per_minute=100_000)
    await add_partner(database, clock, "daily", terms, newsroom.channels, by="admin")
    return newsroom


async def signed_in(newsroom: Newsroom, client: httpx.AsyncClient) -> Desk:
    """The admin signs in."""
    answer = await client.post("/desk/sign-in", data={"name": "admin", "password": PASSWORD})
    assert answer.status_code == 303
    found = re.search(r'name="form_token" value="([^"]+)"', (await client.get("/desk/you")).text)
    assert found is not None
    return Desk(newsroom, client, found[1])
