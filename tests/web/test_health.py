"""Whoever watches the service is told whether it lives, and whether it can work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from aggregator import __version__
from aggregator.store import schema
from aggregator.store.database import Database
from aggregator.web import health
from tests.conftest import Clock
from tests.web.newsroom import Newsroom

WELL = {"status": "ok", "version": __version__}


@pytest.mark.parametrize("path", ["/alive", "/ready", "/health"])
async def test_a_watcher_is_answered_anew_each_time(reader: httpx.AsyncClient, path: str) -> None:
    got, headed = await reader.get(path), await reader.head(path)
    assert (got.status_code, headed.status_code) == (200, 200)
    assert got.json().items() >= WELL.items()
    assert got.headers["cache-control"] == headed.headers["cache-control"] == "no-store"


async def test_a_service_with_its_database_is_ready(reader: httpx.AsyncClient) -> None:
    assert (await reader.get("/ready")).json() == WELL


async def test_a_service_without_a_database_lives_and_is_not_ready(
    backend: str, tmp_path: Path, clock: Clock
) -> None:
    # Nobody listens on port 1, and SQLite makes no folder.
    gone = f"sqlite:///{tmp_path}/gone/desk.db"
    url = gone if backend == "sqlite" else "postgresql://ann:hush@127.0.0.1:1/desk"
    async with reading(url, clock) as reader:
        assert (await reader.get("/alive")).json() == WELL
        response = await reader.get("/ready")
    assert response.status_code == 503
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        **WELL,
        "status": "failing",
        "reason": "The database cannot be opened or read.",
    }


async def test_an_empty_database_is_not_ready(empty_url: str, clock: Clock) -> None:
    async with reading(empty_url, clock) as reader:
        response = await reader.get("/ready")
    assert response.status_code == 503
    assert response.json()["reason"] == "The database holds no tables of wirebrief: run `wirebrief init`."


async def test_a_database_of_another_wirebrief_is_not_ready(
    database: Database, reader: httpx.AsyncClient
) -> None:
    with revision(database, "9999"):
        response = await reader.get("/ready")
    assert response.status_code == 503
    assert response.json()["reason"] == (
        f"The database is that of another wirebrief (schema 9999); this one needs {schema.head()}."
    )
    assert (await reader.get("/ready")).status_code == 200


async def test_a_database_that_hangs_makes_nobody_wait_for_long(
    database: Database, reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    async with hanging(database):
        assert (await reader.get("/alive")).json() == WELL
        answers = await asyncio.gather(*(reader.get("/ready") for _ in range(3)))
    assert [answer.status_code for answer in answers] == [503] * 3
    assert answers[0].json()["reason"] == "The database does not answer in time."
    monkeypatch.undo()
    assert (await reader.get("/ready")).status_code == 200


@asynccontextmanager
async def reading(url: str, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who asks a service on a database that may be missing."""
    with Database(url) as database:
        async with Newsroom(database, clock).client() as reader:
            yield reader


@contextmanager
def revision(database: Database, number: str) -> Iterator[None]:
    """A database that says that it has another schema, as long as this lasts."""
    say = text("UPDATE alembic_version SET version_num = :number")
    database.write_now(lambda session: session.execute(say, {"number": number}))
    yield
    database.write_now(lambda session: session.execute(say, {"number": schema.head()}))


@asynccontextmanager
async def hanging(database: Database) -> AsyncIterator[None]:
    """A database that answers no read, as long as this lasts."""
    ends = threading.Event()
    reads = [asyncio.create_task(database.read(lambda _: ends.wait(10))) for _ in range(database.readers)]
    await asyncio.sleep(0)
    yield
    ends.set()
    await asyncio.gather(*reads)
