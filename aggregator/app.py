"""The composition root: settings become a database, a client, a schedule and a web service."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from aggregator.flows import cluster, ingest, publish, suggest, topics, upkeep
from aggregator.flows.ingest import OnDone, Round
from aggregator.flows.publish import Rendered
from aggregator.model import Account, Clock
from aggregator.settings import Settings, load
from aggregator.store import accounts, schema, sources
from aggregator.store.database import Database
from aggregator.work.jobs import Job
from aggregator.work.schedule import Schedule

OnStart = Callable[[int], None]

#: How often what is not driven by due times is looked at.
RENDER_EVERY = timedelta(seconds=5)
UPKEEP_EVERY = timedelta(hours=6)


def now() -> datetime:
    """The time, aware and in UTC: the one place that asks the machine."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class App:
    """Everything that a command needs, put together once."""

    settings: Settings
    database: Database
    clock: Clock = now

    async def prepare(self) -> None:
        """Bring the database to this program's schema and follow the sources of the settings."""
        await asyncio.to_thread(schema.prepare, self.database)
        known = await self.database.read(sources.all_sources)
        urls = {source.url for source in known}
        missing = [draft for draft in self.settings.sources if draft.url not in urls]
        if missing:
            await self.database.write(lambda session: sources.add(session, missing, now=self.clock()))

    async def poll(
        self,
        *,
        only: Sequence[int] = (),
        even_waiting: bool = False,
        on_start: OnStart | None = None,
        on_done: OnDone | None = None,
    ) -> Round:
        """One round now, and everything that follows from it: topics, search, channels."""
        fetch = self.settings.fetch
        due = await self.database.write(
            lambda session: sources.claim_now(
                session, self.clock(), lease=fetch.lease, only=only, even_waiting=even_waiting
            )
        )
        if on_start is not None:
            on_start(len(due))
        async with ingest.client_for(fetch) as client:
            found = await ingest.poll(self.database, client, self.clock, fetch, due, on_done=on_done)
        await self.digest()
        return found

    async def digest(self) -> list[Rendered]:
        """What follows from new stories and decisions: topics, the search index, the channels."""
        await topics.match_topics(self.database, self.settings.topics)
        await upkeep.index_search(self.database)
        await cluster.cluster_new(self.database, self.clock)
        await suggest.suggest_links(self.database, self.clock)
        return await publish.publish_channels(
            self.database, self.clock, self.settings.site, self.settings.channels, self.settings.topics
        )

    def schedule(self, client: httpx.AsyncClient) -> Schedule:
        """The jobs of a process that does everything."""

        async def sweep() -> datetime | None:
            found, due = await ingest.poll_due(self.database, client, self.clock, self.settings.fetch)
            if found.new or found.changed:
                jobs.soon("digest")
            return due

        async def digest() -> datetime | None:
            await self.digest()
            return None

        async def keep() -> datetime | None:
            await upkeep.forget_old(self.database, self.clock, self.settings.keep)
            await upkeep.count_anchors(self.database, self.clock)
            return None

        jobs = Schedule(
            [
                Job("poll", sweep),
                Job("digest", digest, at_least_every=RENDER_EVERY),
                Job("upkeep", keep, at_least_every=UPKEEP_EVERY),
            ],
            self.clock,
        )
        return jobs

    async def add_account(self, name: str, role: str) -> str | None:
        """Make an account and give its key, which nobody can show again; None if the name is taken."""
        key = secrets.token_urlsafe(32)
        if await self.database.read(lambda session: accounts.named(session, name)):
            return None
        await self.database.write(
            lambda session: accounts.add(session, name, role, key_digest(key), now=self.clock())
        )
        return key

    async def holder(self, key: str) -> Account | None:
        """Whose key this is."""
        digest = key_digest(key)
        return await self.database.read(lambda session: accounts.holding(session, digest))


def key_digest(key: str) -> str:
    """What is kept of a key. Keys are 256 random bits, so a plain hash cannot be reversed."""
    return hashlib.sha256(key.encode()).hexdigest()


def read_settings(path: Path | None, *, database: str | None = None) -> Settings:
    """The settings of a file (where there is one) and of the environment; `database` comes first.

    Raises:
        SettingsError: a key or a value cannot be used.
    """
    environment = dict(os.environ)
    if database is not None:
        environment["WIREBRIEF_DATABASE"] = database
    return load(path, environment)


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, clock: Clock = now) -> AsyncIterator[App]:
    """The application with its database open and at this program's schema."""
    database = Database(settings.database)
    try:
        app = App(settings, database, clock)
        await app.prepare()
        yield app
    finally:
        await asyncio.to_thread(database.close)
