"""What a write tells, and who hears it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlmodel import Session

from aggregator.store import lines, notices
from aggregator.store.database import Database, StoreAway

if TYPE_CHECKING:
    from tests.conftest import Server

MOMENT = timedelta(milliseconds=100)


@pytest.fixture
def many(postgresql_server: Server) -> Iterator[Database]:
    """A database that several processes share."""
    with Database(postgresql_server.swept()) as database:
        yield database


def telling(*told: str) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        for notice in told:
            notices.tell(session, notice)

    return work


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        # The server tells nobody when it has let go.
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@asynccontextmanager
async def beside(work: object) -> AsyncIterator[asyncio.Task[None]]:
    task: asyncio.Task[None] = asyncio.create_task(work)  # type: ignore[arg-type]
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_the_process_that_wrote_hears_each_notice_once_when_it_is_committed(database: Database) -> None:
    heard: list[str] = []
    end = database.hear(heard.append)
    database.write_now(telling("documents", "desk", "documents"))
    assert sorted(heard) == ["desk", "documents"]
    end()
    database.write_now(telling("documents"))
    assert len(heard) == 2


def test_nobody_hears_of_what_was_not_kept(database: Database) -> None:
    heard: list[str] = []
    database.hear(heard.append)

    def breaks(session: Session) -> None:
        notices.tell(session, "documents")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        database.write_now(breaks)
    database.read_now(lambda session: None)
    assert heard == []


async def test_another_process_hears_it_within_a_moment(many: Database) -> None:
    async with lines.opened(many) as line:
        await many.write(telling("documents"))
        assert await line.hear() == ["documents"]
        assert await line.hear(MOMENT) == []


async def test_who_follows_is_told_to_look_at_everything_whenever_a_line_begins(many: Database) -> None:
    heard: list[str] = []
    async with beside(lines.follow(many, heard.append)):
        await until(lambda: heard == [notices.ALL])
        hang_up(many)
        await until(lambda: heard == [notices.ALL, notices.LOST, notices.ALL])
        await many.write(telling("desk"))
        await until(lambda: heard[3:] == ["desk"])


def hang_up(database: Database) -> None:
    """Let the server end the lines, as when it is started anew."""
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_a_lock_is_one_lines_and_free_the_moment_that_it_ends(many: Database) -> None:
    async with lines.opened(many) as first, lines.opened(many) as second:
        assert await first.take("schedule")
        assert not await second.take("schedule")
        assert await second.take("reading")
        await first._connection.close()
        async with asyncio.timeout(10):
            while not await second.take("schedule"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_a_line_that_is_lost_says_so(many: Database) -> None:
    async with lines.opened(many) as line:
        hang_up(many)
        with pytest.raises(StoreAway, match="does not answer"):
            await line.hear()
        with pytest.raises(StoreAway, match="does not answer"):
            await line.take("schedule")


async def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    nowhere = Database("postgresql://desk:secret@127.0.0.1:1/wire")
    with pytest.raises(StoreAway, match="does not answer") as failure:
        async with lines.opened(nowhere):
            pass
    assert "secret" not in str(failure.value)


class Leader:
    """A process that would lead: notes when it does."""

    def __init__(self) -> None:
        self.leads = False
        self.times = 0
        self.heard: list[str] = []

    async def __call__(self) -> None:
        self.leads, self.times = True, self.times + 1
        try:
            await asyncio.Event().wait()
        finally:
            self.leads = False


async def test_one_leads_and_the_other_takes_over(many: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "STANDBY", MOMENT)
    first, second = Leader(), Leader()
    async with beside(lines.hold(many, "schedule", first, first.heard.append)) as leading:
        await until(lambda: first.leads)
        async with beside(lines.hold(many, "schedule", second)):
            await many.write(telling("soon poll"))
            await until(lambda: first.heard == ["soon poll"])
            assert not second.leads
            leading.cancel()
            await until(lambda: second.leads)
            assert not first.leads
    assert not second.leads


async def test_who_loses_its_line_stops_leading_and_leads_again(
    many: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "PAUSE", MOMENT)
    leader = Leader()
    async with beside(lines.hold(many, "schedule", leader)):
        await until(lambda: leader.times == 1)
        hang_up(many)
        await until(lambda: leader.times == 2)
        assert leader.leads
