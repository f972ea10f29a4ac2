"""The composition root: settings become a database, a client, a schedule and a web service."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx

from aggregator.flows import (
    alarms,
    cluster,
    editorial,
    ingest,
    link,
    moves,
    people,
    publish,
    push,
    pushed,
    retention,
    settings_audit,
    suggest,
    topics,
    undone,
    upkeep,
    webhooks,
)
from aggregator.flows.catalogue import Catalogue, Declared, catalogue_now
from aggregator.flows.ingest import OnDone, Round
from aggregator.flows.looking import Looker
from aggregator.flows.passwords import Passwords
from aggregator.flows.publish import Rendered
from aggregator.flows.sources import add_sources
from aggregator.model import Clock
from aggregator.settings import Settings, load, told
from aggregator.store import briefs, claims, schema, sources
from aggregator.store.database import Database
from feeds.http import Client

OnStart = Callable[[int], None]

#: Files and connections that are asked for at most.
MOST_HANDLES = 65_536

#: Who did what the settings say, as the audit has it.
SETTINGS = "settings"

#: Seconds after which a thread lets others have their turn.
TURN = 0.0005


def now() -> datetime:
    """The time, aware and in UTC: the one place that asks the machine."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clients:
    """What a process speaks HTTP with. They differ in what they may reach."""

    fetching: Client
    pushing: httpx.AsyncClient


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
            await add_sources(self.database, self.clock, missing, by=SETTINGS)

    async def note_settings(self) -> None:
        """Write into the audit what the settings say, where that is not what they said last."""
        await settings_audit.note_settings(self.database, self.clock, told(self.settings))

    async def catalogue(self) -> Catalogue:
        """The topics and channels that hold now: those of the settings, and what the desk defined."""
        declared = Declared(self.settings.topics, self.settings.channels)
        return await self.database.read(lambda session: catalogue_now(session, declared))

    async def poll(
        self,
        *,
        only: Sequence[int] = (),
        even_waiting: bool = False,
        store_only: bool = False,
        on_start: OnStart | None = None,
        on_done: OnDone | None = None,
    ) -> Round:
        """One round now, and everything that follows from it: search, topics, channels, alarms.

        With `store_only` what is new can be searched for, and the rest follows with the next digest.
        """
        fetch = self.settings.fetch
        due = await self.database.write(
            lambda session: claims.claim_now(
                session, self.clock(), lease=fetch.lease, only=only, even_waiting=even_waiting
            )
        )
        if on_start is not None:
            on_start(len(due))
        async with ingest.client_for(fetch) as client:
            found = await ingest.poll(
                self.database,
                client,
                self.clock,
                fetch,
                due,
                on_done=on_done,
                even_waiting=even_waiting or bool(only),
            )
        if store_only:
            await upkeep.index_search(self.database)
        else:
            await self.digest()
            await self.watch()
        return found

    async def digest(self) -> list[Rendered]:
        """What follows from new stories and decisions: topics, the search index, the channels."""
        await editorial.release_due(self.database, self.clock)
        newest = await self.database.read(briefs.newest_publication)
        held = await self.catalogue()
        await upkeep.index_search(self.database)
        await topics.match_topics(self.database, held.plain_topics)
        await cluster.cluster_new(self.database, self.clock)
        await suggest.suggest_links(self.database, self.clock)
        settings = self.settings
        rendered = await publish.publish_channels(
            self.database,
            self.clock,
            settings.site,
            held.channels,
            held.plain_topics,
            hubs=settings.push.advertised(settings.site),
        )
        await webhooks.queue_webhooks(self.database, self.clock, settings.site, upto=newest)
        return rendered

    async def push(self, client: httpx.AsyncClient) -> None:
        """Give what was published to those who are to be told of it: subscribers, hubs, partners."""
        settings = self.settings
        pusher = push.Pusher(self.database, client, self.clock, settings.site, settings.push)
        await pushed.subscribe_sources(pusher)
        held = await self.catalogue()
        await push.push(pusher, held.channels)
        await webhooks.send_webhooks(pusher, held.topics)

    async def watch(self) -> alarms.Told:
        """Look at how every source is doing, and tell the operator's webhook what changed."""
        settings = self.settings
        told = await alarms.watch_sources(self.database, self.clock, settings.alarms)
        await alarms.send_alarms(
            self.database, self.clock, settings.site, settings.alarms, user_agent=settings.fetch.user_agent
        )
        return told

    @contextlib.asynccontextmanager
    async def clients(self) -> AsyncIterator[Clients]:
        """The HTTP clients of a process: one that follows feeds, one that delivers."""
        settings = self.settings
        user_agent = settings.fetch.user_agent
        async with (
            ingest.client_for(settings.fetch) as fetching,
            push.client_for(settings.push, user_agent=user_agent) as pushing,
        ):
            yield Clients(fetching, pushing)

    async def release(self) -> bool:
        """Publish what was planned for now, and let the channels be those that hold; whether anything was."""
        await publish.settle_names(self.database, (await self.catalogue()).channels)
        return bool(await editorial.release_due(self.database, self.clock))

    async def match_topics(self) -> None:
        """Let every topic take what came: then channels can have it."""
        await topics.match_topics(self.database, (await self.catalogue()).plain_topics)

    async def read_news(self) -> None:
        """Put what came into clusters and read its anchors: then briefs can have it."""
        await cluster.cluster_new(self.database, self.clock)
        await link.index_anchors(self.database)

    async def to_digest(self) -> list[str]:
        """Which of the steps that follow from new stories and decisions have something to do."""
        held = await self.catalogue()
        return await self.database.read(
            lambda session: undone.steps(session, self.clock(), held.plain_topics, held.channels)
        )

    async def briefs_behind(self) -> list[int]:
        """The briefs that were not matched yet with all that came."""
        return await self.database.read(undone.briefs_behind)

    async def suggest(self, brief_id: int) -> None:
        """Match one brief with what it was not matched with yet."""
        known = await self.database.read(lambda session: briefs.by_id(session, brief_id))
        if known is not None:
            await suggest.suggest_for(self.database, self.clock, known)

    async def render(self, slug: str) -> bool:
        """Render one channel if it is stale; whether its documents are new."""
        held = await self.catalogue()
        channel = held.by_slug.get(slug)
        if channel is None:
            return False
        settings = self.settings
        press = publish.press_of(settings.site, held.plain_topics, settings.push.advertised(settings.site))
        return (await publish.publish_upto(self.database, self.clock, channel, press)).is_new

    async def tell_partners(self) -> None:
        """Decide who is told of the acts of publishing that every channel was rendered with."""
        slugs = [channel.slug for channel in (await self.catalogue()).channels]
        upto = await self.database.read(partial(publish.rendered_upto, slugs=slugs))
        await webhooks.queue_webhooks(self.database, self.clock, self.settings.site, upto=upto)

    async def keep(self) -> None:
        """Forget what is old, and count anew how common each anchor is."""
        await upkeep.forget_old(self.database, self.clock, self.settings.keep)
        await retention.purge_stories(self.database, self.clock, self.settings.keep)
        await upkeep.count_anchors(self.database, self.clock)

    async def look_for_lost(self, looker: Looker) -> None:
        """Look for sources that are not found any more."""
        await moves.look_for_lost(self.database, looker, self.clock)

    async def add_account(self, name: str, role: str, password: str) -> None:
        """Make an account that has its password already."""
        await people.add_first(self.database, self.clock, Passwords(), name, role, password)

    async def invite(self, name: str, role: str, *, by: str) -> str:
        """Make an account, and give the address at which its holder chooses a password, once.

        Raises:
            BadInput: the name is taken or none, or there is no such role.
        """
        return self.joining(await people.add_account(self.database, self.clock, name, role, by=by))

    def joining(self, token: str) -> str:
        """The address of a link with which a password is chosen."""
        return f"{self.settings.site.page('desk/join')}?token={token}"


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
    """The application with its database open and at this program's schema.

    Threads of the process take turns ten times as often as Python lets them by itself: those that read
    feeds and cluster stories work for long, and readers wait for the event loop meanwhile.
    """
    sys.setswitchinterval(TURN)
    _take_handles()
    database = Database(settings.database)
    try:
        app = App(settings, database, clock)
        await app.prepare()
        yield app
    finally:
        await asyncio.to_thread(database.close)


def _take_handles() -> None:
    """Let this process have as many files and connections open as it may be let.

    Usually that is a thousand until it asks; two thousand subscribers and fifty fetches are more.
    """
    try:
        import resource
    except ImportError:
        # Not on Windows, which has no such limit.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_HANDLES if hard == resource.RLIM_INFINITY else min(hard, MOST_HANDLES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
