"""What one process writes, another serves: told by the database, and by nothing else between them.

The clock stands still, so that nothing here is found by looking from time to time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from aggregator.dispatch import hearing
from aggregator.flows import desk
from aggregator.store import notices
from aggregator.store.database import Database
from aggregator.web.desk import events
from aggregator.web.service import Front
from aggregator.web.shelf import FRESH, TOLD_FRESH
from tests.web.newsroom import Newsroom
from tests.web.test_live import Listener, Pace, front_of, listening

#: Longer than any test: only what is told wakes anybody.
NEVER = timedelta(hours=1)


@pytest.fixture
async def other(newsroom: Newsroom) -> AsyncIterator[Newsroom]:
    """The same newsroom, as another process has it; on SQLite as the one process has it."""
    if newsroom.database.is_sqlite:
        yield newsroom
        return
    with Database(newsroom.database.conninfo) as database:
        yield replace(newsroom, database=database)


@pytest.fixture
async def front(other: Newsroom) -> AsyncIterator[Front]:
    """A web process that hears what the writers tell."""
    front = front_of(other, Pace(look=NEVER, heartbeat=NEVER))
    heard = asyncio.Event()

    def hear(notice: str) -> None:
        front.hear(notice)
        heard.set()

    async with hearing(other.database, hear):
        if not other.database.is_sqlite:
            async with asyncio.timeout(20):
                await heard.wait()
        yield front


async def becomes(front: Front, path: str, words: str) -> None:
    """Ask again and again until an answer holds these words."""
    transport = httpx.ASGITransport(front)
    async with httpx.AsyncClient(transport=transport, base_url="https://harbour.example") as reader:
        async with asyncio.timeout(10):
            # As a reader asks, without being told when.
            while words not in (await reader.get(path)).text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_brief_that_is_published_is_at_every_web_process(newsroom: Newsroom, front: Front) -> None:
    await becomes(front, "/channels/briefs.atom", "not been rendered")
    await newsroom.brief()
    await newsroom.publish()
    await becomes(front, "/channels/briefs.atom", "Talks open in Riyadh")
    await newsroom.withdraw()
    await becomes(front, "/channels/briefs.atom", "deleted-entry")


async def test_a_page_that_is_open_hears_of_what_another_process_published(
    newsroom: Newsroom, front: Front
) -> None:
    await newsroom.brief()
    page = Listener(front, "/events")
    async with listening(page):
        await newsroom.publish()
        await page.hears('"channel": "briefs"')


async def test_an_editors_page_hears_of_what_another_process_found(
    newsroom: Newsroom, other: Newsroom, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LOOK", NEVER)
    await newsroom.brief()

    async def look() -> tuple[str, dict[str, object]]:
        return await other.database.read(lambda session: desk.pulse(session, 1)), {}

    state, _ = await look()
    heard = front.streams.follow(look, state)
    await anext(heard)
    waiting = asyncio.ensure_future(anext(heard))
    await asyncio.sleep(0.1)
    await newsroom.publish()
    async with asyncio.timeout(10):
        assert (await waiting).startswith("event: news\n")
    front.streams.close()
    assert [said async for said in heard] == []


async def test_documents_are_looked_at_rarely_only_while_each_change_is_told(
    front: Front, newsroom: Newsroom
) -> None:
    shelf = front.documents.shelf
    front.hear(notices.ALL)
    await shelf.stamps()
    newsroom.clock.move(2 * FRESH)
    assert not shelf.is_due
    newsroom.clock.move(TOLD_FRESH)
    assert shelf.is_due
    await shelf.stamps()
    front.hear(notices.LOST)
    newsroom.clock.move(FRESH)
    assert shelf.is_due


async def test_what_changes_while_the_store_is_asked_is_asked_for_again(front: Front) -> None:
    shelf, keeper = front.documents.shelf, front.keeper
    looking = asyncio.create_task(shelf.stamps())
    following = asyncio.create_task(keeper.follow())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    front.hear(notices.DOCUMENTS)
    front.hear(notices.DEFINITIONS)
    await asyncio.gather(looking, following)
    assert shelf.is_due
    assert keeper.is_due
