"""A wire that says what a test scripts, and the desk that follows it: real HTTP, a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html import escape
from typing import Any

import httpx

from aggregator.flows import ingest
from aggregator.flows.ingest import FetchSettings, OnDone, Round
from aggregator.flows.publish import Rendered, publish_channels
from aggregator.flows.sources import add_sources
from aggregator.flows.topics import match_topics
from aggregator.model import Source, SourceDraft, SourceDue, SourceKind, Story, Version
from aggregator.outgoing import StoredDocument
from aggregator.rules.channels import Channel, Site
from aggregator.rules.topics import Topic
from aggregator.store import claims, documents, sources, stories
from aggregator.store.database import Database
from feeds.dates import rfc822
from feeds.model import Entry, Feed
from feeds.read import parse
from tests.conftest import NOW, Clock
from tests.feeds.http_server import End, Step, Wire, answer

#: Longer than any test: who waits for it is not answered.
FOR_EVER = 3600.0

RSS = "Content-Type: application/rss+xml; charset=utf-8"

SITE = Site(title="The desk", url="https://desk.example", authority="desk.example")
EVERYTHING = Channel("wire", "The wire")
TALKS = Topic("talks", "Talks", any=("talks", "negotiat*"))


@dataclass(frozen=True)
class Item:
    """An item of an RSS feed, as text."""

    title: str
    description: str
    link: str | None
    guid: str | None
    published: datetime | None

    def __str__(self) -> str:
        parts = {
            "title": escape(self.title),
            "description": escape(self.description),
            "link": self.link,
            'guid isPermaLink="false"': self.guid,
            "pubDate": rfc822(self.published) if self.published else None,
        }
        said = (f"<{name}>{text}</{name.split()[0]}>" for name, text in parts.items() if text)
        return f"<item>{''.join(said)}</item>"


def entry(number: int, title: str = "", **more: Any) -> Item:
    """The entry of this number; the same number is the same entry, an hour older than the next."""
    told = Item(
        title=title or f"Talks go into day {number}",
        description=f"The delegations met for the {number}th time in Riyadh and agreed to meet again.",
        link=f"https://wire.example/stories/{number}",
        guid=f"tag:wire.example,2025:{number}",
        published=NOW - timedelta(hours=100 - number),
    )
    return replace(told, **more)


def rss(*items: Item, title: str = "Harbour Wire") -> bytes:
    """An RSS 2.0 document."""
    head = f"<title>{title}</title><link>https://wire.example/</link><language>en</language>"
    body = "".join(map(str, items))
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{body}</channel></rss>'.encode()


class ScriptedWire:
    """What stands at each path of a server on loopback."""

    def __init__(self, server: Wire) -> None:
        self.server = server
        #: The most requests that were being answered at one moment.
        self.most_at_once = 0
        self._at_once = 0
        self._heard = asyncio.Condition()
        self._play = server._play
        server._play = self._counted  # type: ignore[method-assign]

    @property
    def feed(self) -> str:
        """The address of the feed that is meant where no other is named."""
        return self.at("/feed")

    def at(self, path: str) -> str:
        """The address of a path."""
        return self.server.base + path

    def says(self, *items: Item, path: str = "/feed", headers: Sequence[str] = (), after: float = 0.0) -> str:
        """A feed of these entries stands there; its URL."""
        return self.answers(200, RSS, *headers, body=rss(*items), path=path, after=after)

    def answers(
        self, status: int, *headers: str, body: bytes = b"", path: str = "/feed", after: float = 0.0
    ) -> str:
        """Every request to the path is answered so; its URL."""
        return self._script(path, [after, *answer(status, body, *headers)])

    def fails(self, path: str = "/feed") -> str:
        """Every request breaks the connection."""
        return self._script(path, [End.RESET])

    def hangs(self, path: str = "/feed") -> str:
        """Every request waits for ever."""
        return self._script(path, [FOR_EVER])

    def requests(self, path: str = "/feed") -> list[dict[str, str]]:
        """The headers of each request to a path."""
        return [headers for target, headers in self.server.heard if target == path]

    async def is_asked(self, path: str, *, times: int = 1) -> None:
        """Wait until the path was asked for so many times."""
        async with asyncio.timeout(20), self._heard:
            await self._heard.wait_for(lambda: len(self.requests(path)) >= times)

    def _script(self, path: str, steps: list[Step]) -> str:
        return self.server.says(path, steps)

    async def _counted(self, steps: list[Step], writer: asyncio.StreamWriter) -> End | None:
        self._at_once += 1
        async with self._heard:
            self._heard.notify_all()
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._play(steps, writer)
        finally:
            self._at_once -= 1


@dataclass
class Desk:
    """Everything that a flow is handed."""

    database: Database
    clock: Clock
    wire: ScriptedWire
    client: httpx.AsyncClient
    settings: FetchSettings = field(default_factory=lambda: FetchSettings(private_networks=True))

    async def follow(self, *urls: str, kind: SourceKind = SourceKind.NEWS, **more: Any) -> None:
        """Follow these feeds."""
        drafts = [SourceDraft(url, kind=kind, **more) for url in urls]
        await add_sources(self.database, self.clock, drafts, by="ada")

    async def claim(self) -> list[SourceDue]:
        """Claim every source, due or not."""
        return await self.database.write(
            lambda s: claims.claim_now(s, self.clock(), lease=self.settings.lease, even_waiting=True)
        )

    async def poll(self, *, on_done: OnDone | None = None) -> Round:
        """One round of every source, due or not."""
        due = await self.claim()
        return await ingest.poll(self.database, self.client, self.clock, self.settings, due, on_done=on_done)

    async def sweep(self) -> tuple[Round, datetime | None]:
        """One round of what is due."""
        return await ingest.poll_due(self.database, self.client, self.clock, self.settings)

    async def hears(self, *items: Item) -> list[Story]:
        """Follow the wire, let it say this, poll it, and give what is kept."""
        await self.follow(self.wire.says(*items))
        await self.poll()
        return self.stories()

    def source(self, url: str | None = None) -> Source:
        """The source at this address; without one, the only source."""
        (found,) = [s for s in self.database.read_now(sources.all_sources) if url in (None, s.url)]
        return found

    def stories(self) -> list[Story]:
        """Every story, newest first."""
        return self.database.read_now(stories.find)

    def versions(self, story: Story) -> list[Version]:
        """Every version of a story, oldest first."""
        return self.database.read_now(lambda s: stories.versions_of(s, story.id))

    async def match(self, *topics: Topic) -> int:
        """Let these topics read what is new."""
        return await match_topics(self.database, topics)

    async def publish(
        self, *channels: Channel, topics: Sequence[Topic] = (), clock: Any = None
    ) -> list[Rendered]:
        """Render what is stale of these channels, each in a second of its own."""
        self.clock.move(timedelta(seconds=1))
        chosen = channels or (EVERYTHING,)
        return await publish_channels(self.database, clock or self.clock, SITE, chosen, topics)

    def document(self, channel: str = "wire") -> StoredDocument:
        """The document of a channel."""
        found = self.database.read_now(lambda s: documents.get(s, channel, "atom"))
        assert found is not None
        return found

    def received(self, channel: str = "wire") -> Feed:
        """What a subscriber of the channel reads."""
        document = self.document(channel)
        return parse(
            document.codings.body,
            content_type=document.media_type,
            base_url=SITE.page(f"channels/{channel}.atom"),
        )

    def entry(self, title: str, channel: str = "wire") -> Entry:
        """The entry of a channel whose title begins so."""
        (found,) = [e for e in self.received(channel).entries if e.title.startswith(title)]
        return found


async def interrupted(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
